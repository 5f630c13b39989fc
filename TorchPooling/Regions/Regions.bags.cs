namespace TorchPooling;

internal static partial class Regions
{
    /// <summary>Bins that are rectangles of pixels: <c>rectangles</c> reduces them, <c>reduce</c> cuts them as RoIPool and PSRoIPool do.</summary>
    private const string Bags =
        """
        def before(self, counts: Tensor) -> Tensor:
            return counts.cumsum(0) - counts

        def over(self, x: Tensor, number: int) -> Tensor:  # a GPU multiplies by the reciprocal of a number, which may move the end of a bin
            return x / torch.full([1], number, dtype=x.dtype, device=x.device)

        def joined(self, parts: List[Tensor]) -> Tensor:
            if len(parts) == 1:
                return parts[0].contiguous()
            return torch.cat(parts, 0)

        def laid(self, rows: Tensor, bins: int) -> Tensor:
            return rows.view(-1, bins, rows.size(1)).permute(0, 2, 1)

        def at_once(self, table: Tensor, bins: int) -> int:  # boxes whose rows are still in the cache when they are laid out
            room = 1048576
            if table.is_cuda:
                room = 67108864
            return max(1, room // (bins * max(1, table.size(1))))

        def embedded(self, table: Tensor, pixel: Tensor, offsets: Tensor, mode: int, weight: Optional[Tensor], boxes: List[int], entries: List[int], bins: int) -> Tensor:
            parts: List[Tensor] = []
            for k in range(len(boxes) - 1):
                (a, b) = (entries[k], entries[k + 1])
                some: Optional[Tensor] = None
                if weight is not None:
                    some = weight[a:b]
                rows = torch.embedding_bag(table, pixel[a:b], offsets[boxes[k] * bins:boxes[k + 1] * bins] - a, False, mode, False, some)[0]
                parts.append(self.laid(rows, bins))
            return self.joined(parts)

        def bags(self, table: Tensor, nan: Optional[Tensor], mode: int, base: Tensor, top: Tensor, tall: Tensor, left: Tensor, broad: Tensor, width: Tensor, rows: int, boxes: List[int], entries: List[int], down: Optional[Tensor], along: Optional[Tensor], from_y: Tensor, from_x: Tensor) -> Tensor:
            bins = base.size(1) * base.size(2)
            tall = tall.unsqueeze(2).expand_as(base).flatten()
            broad = broad.unsqueeze(1).expand_as(base).flatten()
            width = width.view(-1, 1, 1).expand_as(base)
            bin = torch.repeat_interleave(tall, output_size=rows)
            row = torch.arange(rows, device=base.device) - self.before(tall).index_select(0, bin)
            start = (base + top.unsqueeze(2) * width + left.unsqueeze(1)).flatten().index_select(0, bin)
            start = start + row * width.flatten().index_select(0, bin)
            length = broad.index_select(0, bin)
            begin = self.before(length)
            segment = torch.repeat_interleave(length, output_size=entries[-1])
            entry = torch.arange(entries[-1], device=base.device)
            pixel = entry + (start - begin).index_select(0, segment)
            offsets = self.before(tall * broad)
            if mode == 2 and (table.requires_grad or nan is not None):  # the gradient of the bags themselves is some four times as slow
                found = torch.embedding_bag(table, pixel, offsets, False, mode, False)[3]
                if nan is not None:  # the bag's comparisons find one only where it stands first
                    (one, _, _, place) = torch.embedding_bag(nan, pixel, offsets, False, mode, False)
                    found = torch.where(one > 0, place, found)
                number = found.clamp(0) * table.size(1) + torch.arange(table.size(1), device=base.device)
                return self.laid(table.flatten().index_select(0, number.flatten()).view_as(number), bins)
            if down is None or along is None:
                return self.embedded(table, pixel, offsets, mode, None, boxes, entries, bins)
            y = from_y.unsqueeze(2).expand_as(base).flatten().index_select(0, bin) + row
            x = entry + (from_x.unsqueeze(1).expand_as(base).flatten().index_select(0, bin) - begin).index_select(0, segment)
            weight = down.index_select(0, y).index_select(0, segment) * along.index_select(0, x)
            return self.embedded(table, pixel, offsets, mode, weight, boxes, entries, bins)

        def rectangles(self, table: Tensor, nan: Optional[Tensor], mode: int, base: Tensor, top: Tensor, tall: Tensor, left: Tensor, broad: Tensor, width: Tensor, totals: Tensor, down: Optional[Tensor], along: Optional[Tensor]) -> Tensor:
            from_y = self.before(tall.flatten()).view_as(tall)
            from_x = self.before(broad.flatten()).view_as(broad)
            all = int(totals[1, -1])
            cuts = [0]  # boxes in blocks of about 2^22 pixels: what is computed on the way stays small
            if all > 4194304:
                more: List[int] = torch.searchsorted(totals[1], torch.arange(4194304, all, 4194304), right=True).tolist()
                for cut in more:
                    if cut > cuts[-1]:
                        cuts.append(cut)
            cuts.append(base.size(0))
            most = self.at_once(table, base.size(1) * base.size(2))
            pooled: List[Tensor] = []
            (rows, before) = (0, 0)
            for k in range(len(cuts) - 1):
                (a, b) = (cuts[k], cuts[k + 1])
                if b > a:
                    (boxes, entries) = ([0], [0])
                    for end in range(a + most, b + most, most):
                        boxes.append(min(end, b) - a)
                        entries.append(int(totals[1, min(end, b) - 1]) - before)
                    r = int(totals[0, b - 1])
                    pooled.append(self.bags(table, nan, mode, base[a:b], top[a:b], tall[a:b], left[a:b], broad[a:b], width[a:b], r - rows, boxes, entries, down, along, from_y[a:b], from_x[a:b]))
                    (rows, before) = (r, before + entries[-1])
            return self.joined(pooled)

        def counted(self, tall: Tensor, broad: Tensor) -> List[Tensor]:
            rows = tall.sum(1)
            return [(rows * broad.size(1)).cumsum(0), (rows * broad.sum(1)).cumsum(0)]

        def bins(self, start: Tensor, end: Tensor, number: int, size: Tensor, least: int, dtype: int) -> Tuple[Tensor, Tensor]:
            step = self.over((end - start + least).clamp(1).to(dtype), number).unsqueeze(1)
            bin = torch.arange(number, dtype=dtype, device=start.device)
            last = (size - 1 + least).unsqueeze(1)
            top = torch.minimum(((bin * step).floor().long() + start.unsqueeze(1)).clamp(0), last)
            bottom = torch.minimum((((bin + 1) * step).ceil().long() + start.unsqueeze(1)).clamp(0), last)
            return (top, (bottom - top).clamp(0))

        def reduce(self, table: Tensor, at: Tensor, good: Tensor, base: Tensor, height: Tensor, width: Tensor, mode: int, images: int, stride: int) -> Tensor:
            at = at.clamp(-1e9, 1e9)
            near = at.trunc()
            corner = (near + at.sign() * ((at - near).abs() >= 0.5)).long()  # half away from zero
            least = mode - 1  # the maximum counts both ends of a box, the mean only the first, of the map's last row and column too
            (top, tall) = self.bins(corner.select(1, 1), corner.select(1, 3), base.size(1), height, least, at.dtype)
            (left, broad) = self.bins(corner.select(1, 0), corner.select(1, 2), base.size(2), width, least, at.dtype)
            tall = tall * good.unsqueeze(1)
            counts = self.counted(tall, broad)
            counts.append(((tall > 0).sum(1) * (broad > 0).sum(1)).cumsum(0))
            if mode == 2:
                for each in [table.isnan().any().long(), self.level(tall).max() + 1, self.level(broad).max() + 1]:
                    counts.append(each.expand_as(counts[0]))  # known with the rest: one wait for the device
            totals = torch.stack(counts).cpu()
            if mode == 2 and self.pays(table, totals):
                pooled = self.overlapping(table, images, base, top, tall, left, broad, stride, int(totals[4, -1]), int(totals[5, -1]))
            else:
                nan: Optional[Tensor] = None
                if mode == 2 and int(totals[3, -1]) > 0:
                    nan = table.isnan().to(table.dtype)
                pooled = self.rectangles(table, nan, mode, base, top, tall, left, broad, width, totals, None, None)
            if int(totals[2, -1]) < base.numel():
                pooled = pooled.masked_fill((tall.unsqueeze(2) * broad.unsqueeze(1) == 0).flatten(1).unsqueeze(1), 0.0)
            return pooled

        """;
}
