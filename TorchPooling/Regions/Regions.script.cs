using static TorchSharp.torch;

namespace TorchPooling;

internal static partial class Regions
{
    /// <summary>The computation of every pooling over regions as TorchScript methods, which the exported modules carry and the C#
    /// forwards call.</summary>
    /// <remarks>
    /// <para>The maps become one table of pixels, (N·planes·H·W, C), and a bin of a box a bag of its rows: their maximum, mean or
    /// weighted sum is one <c>embedding_bag</c> over all boxes. Coordinates go through the operations of torchvision's kernels in
    /// their order and dtype, because their rounding decides where a bin ends.</para>
    /// <para>A sample lies in the map or not by its row and by its column alone, so the weights of a bin's pixels are products of
    /// a weight of the row and one of the column. Few samples are four weighted pixels each (<c>corners</c>); where there are more,
    /// the samples of a bin's rows and columns are summed up first (<c>samples</c>, <c>weights</c>), so that each pixel of the bin is
    /// read once (<c>bags</c>).</para>
    /// </remarks>
    private const string Functions =
        """
        def table(self, x: Tensor, planes: int) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            parts = wide.reshape(x.size(0), x.size(1) // planes, planes, x.size(2), x.size(3))
            return parts.permute(0, 2, 3, 4, 1).reshape(x.size(0) * planes * x.size(2) * x.size(3), x.size(1) // planes)

        def usable(self, boxes: Tensor, images: int) -> Tensor:
            image = boxes.select(1, 0)
            return boxes.isfinite().all(1) & (image >= 0) & (image < images) & (image == image.floor())

        def before(self, counts: Tensor) -> Tensor:
            return counts.cumsum(0) - counts

        def corners(self, start: Tensor, step: Tensor, bins: int, ratio: int, size: Tensor) -> Tuple[Tensor, Tensor]:
            bin = torch.arange(bins, dtype=start.dtype, device=start.device)
            sample = torch.arange(ratio, dtype=start.dtype, device=start.device) + 0.5
            at = (start.unsqueeze(1) + bin * step.unsqueeze(1)).unsqueeze(2) + (sample * step.unsqueeze(1) / ratio).unsqueeze(1)
            last = (size - 1).to(start.dtype).view(-1, 1, 1)
            share = ((at >= -1) & (at <= last + 1)).to(start.dtype) / ratio
            at = torch.minimum(at.clamp(0.0), last)
            low = at.floor()
            above = at - low
            pixel = torch.stack([low, torch.minimum(low + 1, last)], 3).flatten(2).long()
            return (pixel, torch.stack([(1 - above) * share, above * share], 3).flatten(2))

        def samples(self, start: Tensor, step: Tensor, bins: int, number: Tensor, size: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
            first = start.unsqueeze(1) + torch.arange(bins, dtype=start.dtype, device=start.device) * step.unsqueeze(1)
            (step, number, size) = (step.unsqueeze(1), number.unsqueeze(1), size.unsqueeze(1))
            forward = step > 0
            apart = torch.where(forward, step / number.clamp(1.0), torch.ones_like(step))
            low = torch.where(forward, ((-1 - first) / apart - 0.5).floor() - 1, torch.zeros_like(first))
            high = torch.where(forward, ((size - first) / apart - 0.5).ceil() + 2, number)
            low = torch.minimum(low.clamp(0.0), number)
            high = torch.minimum(torch.maximum(high, low), number)
            count = torch.minimum((high - low).long(), torch.where(forward, 2 * size + 8, number.long()))
            last = (size - 1).to(start.dtype)
            one = first + (low + 0.5) * step / number.clamp(1.0)
            other = first + (low + count - 0.5) * step / number.clamp(1.0)
            top = torch.minimum(torch.minimum(one, other).clamp(0.0), last).floor()
            bottom = torch.minimum(torch.minimum(torch.maximum(one, other).clamp(0.0), last).floor() + 1, last)
            return (first, low.long(), count, top.long(), (bottom - top + 1).long() * (count > 0))

        def weights(self, first: Tensor, step: Tensor, number: Tensor, size: Tensor, low: Tensor, count: Tensor, top: Tensor, length: Tensor, total: int, pixels: int) -> Tensor:
            bin = torch.repeat_interleave(count.flatten(), output_size=total)
            index = torch.arange(total, device=count.device) + (low.flatten() - self.before(count.flatten())).index_select(0, bin)
            step = step.unsqueeze(1).expand_as(first).flatten().index_select(0, bin)
            number = number.unsqueeze(1).expand_as(first).flatten().index_select(0, bin)
            last = (size - 1).to(first.dtype).unsqueeze(1).expand_as(first).flatten().index_select(0, bin)
            at = first.flatten().index_select(0, bin) + (index.to(first.dtype) + 0.5) * step / number
            share = ((at >= -1) & (at <= last + 1)).to(at.dtype) / number
            at = torch.minimum(at.clamp(0.0), last)
            pixel = at.floor()
            above = at - pixel
            begin = (self.before(length.flatten()) - top.flatten()).index_select(0, bin)
            weight = torch.zeros([pixels], dtype=at.dtype, device=at.device)
            weight = weight.index_add(0, begin + pixel.long(), (1 - above) * share)
            return weight.index_add(0, begin + torch.minimum(pixel + 1, last).long(), above * share)

        def bags(self, table: Tensor, mode: int, base: Tensor, top: Tensor, tall: Tensor, left: Tensor, broad: Tensor, width: Tensor, rows: int, entries: int, down: Optional[Tensor], along: Optional[Tensor], from_y: Tensor, from_x: Tensor) -> Tensor:
            tall = tall.unsqueeze(2).expand_as(base).flatten()
            broad = broad.unsqueeze(1).expand_as(base).flatten()
            width = width.view(-1, 1, 1).expand_as(base)
            bin = torch.repeat_interleave(tall, output_size=rows)
            row = torch.arange(rows, device=base.device) - self.before(tall).index_select(0, bin)
            start = (base + top.unsqueeze(2) * width + left.unsqueeze(1)).flatten().index_select(0, bin)
            start = start + row * width.flatten().index_select(0, bin)
            length = broad.index_select(0, bin)
            begin = self.before(length)
            segment = torch.repeat_interleave(length, output_size=entries)
            entry = torch.arange(entries, device=base.device)
            pixel = entry + (start - begin).index_select(0, segment)
            offsets = self.before(tall * broad)
            if down is None or along is None:
                return torch.embedding_bag(table, pixel, offsets, False, mode, False)[0]
            y = from_y.unsqueeze(2).expand_as(base).flatten().index_select(0, bin) + row
            x = entry + (from_x.unsqueeze(1).expand_as(base).flatten().index_select(0, bin) - begin).index_select(0, segment)
            weight = down.index_select(0, y).index_select(0, segment) * along.index_select(0, x)
            return torch.embedding_bag(table, pixel, offsets, False, mode, False, weight)[0]

        def rectangles(self, table: Tensor, mode: int, base: Tensor, top: Tensor, tall: Tensor, left: Tensor, broad: Tensor, width: Tensor, totals: Tensor, down: Optional[Tensor], along: Optional[Tensor]) -> Tensor:
            from_y = self.before(tall.flatten()).view_as(tall)
            from_x = self.before(broad.flatten()).view_as(broad)
            entries = int(totals[1, -1])
            cuts = [0]  # boxes in blocks of about 2^22 pixels: what is computed on the way stays small
            if entries > 4194304:
                more: List[int] = torch.searchsorted(totals[1], torch.arange(4194304, entries, 4194304), right=True).tolist()
                for cut in more:
                    if cut > cuts[-1]:
                        cuts.append(cut)
            cuts.append(base.size(0))
            pooled: List[Tensor] = []
            (rows, entries) = (0, 0)
            for k in range(len(cuts) - 1):
                (a, b) = (cuts[k], cuts[k + 1])
                if b > a:
                    (r, e) = (int(totals[0, b - 1]), int(totals[1, b - 1]))
                    pooled.append(self.bags(table, mode, base[a:b], top[a:b], tall[a:b], left[a:b], broad[a:b], width[a:b], r - rows, e - entries, down, along, from_y[a:b], from_x[a:b]))
                    (rows, entries) = (r, e)
            if len(pooled) == 1:
                return pooled[0]
            return torch.cat(pooled, 0)

        def counted(self, tall: Tensor, broad: Tensor) -> List[Tensor]:
            rows = tall.sum(1)
            return [(rows * broad.size(1)).cumsum(0), (rows * broad.sum(1)).cumsum(0)]

        def align(self, table: Tensor, at: Tensor, good: Tensor, base: Tensor, height: Tensor, width: Tensor, ratio: int, aligned: bool) -> Tensor:
            (h, w) = (base.size(1), base.size(2))
            if aligned:
                at = at - 0.5
            at = at.clamp(-1e18, 1e18)
            (x, y) = (at.select(1, 0), at.select(1, 1))
            (extent_x, extent_y) = (at.select(1, 2) - x, at.select(1, 3) - y)
            if not aligned:
                (extent_x, extent_y) = (extent_x.clamp(1.0), extent_y.clamp(1.0))
            (step_x, step_y) = (extent_x / w, extent_y / h)
            if ratio > 0 and ratio <= 4:
                (row, down) = self.corners(y, step_y, h, ratio, height)
                (column, along) = self.corners(x, step_x, w, ratio, width)
                down = down * good.view(-1, 1, 1)
                row = row * width.view(-1, 1, 1)
                pixel = base.unsqueeze(3).unsqueeze(4) + row.unsqueeze(2).unsqueeze(4) + column.unsqueeze(1).unsqueeze(3)
                weight = down.unsqueeze(2).unsqueeze(4) * along.unsqueeze(1).unsqueeze(3)
                offsets = torch.arange(base.numel(), device=base.device) * (4 * ratio * ratio)
                return torch.embedding_bag(table, pixel.flatten(), offsets, False, 0, False, weight.flatten())[0]
            number_x = step_x.ceil().clamp(0.0, 1073741824.0)
            number_y = step_y.ceil().clamp(0.0, 1073741824.0)
            if ratio > 0:
                (number_x, number_y) = (torch.full_like(step_x, float(ratio)), torch.full_like(step_y, float(ratio)))
            (number_x, number_y) = (number_x * good, number_y * good)
            (first_y, low_y, count_y, top, tall) = self.samples(y, step_y, h, number_y, height)
            (first_x, low_x, count_x, left, broad) = self.samples(x, step_x, w, number_x, width)
            counts = self.counted(tall, broad)
            for each in [count_y, count_x, tall, broad]:
                counts.append(each.sum(1).cumsum(0))
            totals = torch.stack(counts).cpu()
            down = self.weights(first_y, step_y, number_y, height, low_y, count_y, top, tall, int(totals[2, -1]), int(totals[4, -1]))
            along = self.weights(first_x, step_x, number_x, width, low_x, count_x, left, broad, int(totals[3, -1]), int(totals[5, -1]))
            return self.rectangles(table, 0, base, top, tall, left, broad, width, totals, down, along)

        def bins(self, start: Tensor, end: Tensor, number: int, size: Tensor, least: int, dtype: int) -> Tuple[Tensor, Tensor]:
            step = ((end - start + least).clamp(1).to(dtype) / number).unsqueeze(1)
            bin = torch.arange(number, dtype=dtype, device=start.device)
            last = (size - 1 + least).unsqueeze(1)
            top = torch.minimum(((bin * step).floor().long() + start.unsqueeze(1)).clamp(0), last)
            bottom = torch.minimum((((bin + 1) * step).ceil().long() + start.unsqueeze(1)).clamp(0), last)
            return (top, (bottom - top).clamp(0))

        def reduce(self, table: Tensor, at: Tensor, good: Tensor, base: Tensor, height: Tensor, width: Tensor, mode: int) -> Tensor:
            at = at.clamp(-1e9, 1e9)
            near = at.trunc()
            corner = (near + at.sign() * ((at - near).abs() >= 0.5)).long()  # half away from zero
            least = mode - 1  # the maximum counts both ends of a box, the mean only the first, of the map's last row and column too
            (top, tall) = self.bins(corner.select(1, 1), corner.select(1, 3), base.size(1), height, least, at.dtype)
            (left, broad) = self.bins(corner.select(1, 0), corner.select(1, 2), base.size(2), width, least, at.dtype)
            tall = tall * good.unsqueeze(1)
            totals = torch.stack(self.counted(tall, broad)).cpu()
            return self.rectangles(table, mode, base, top, tall, left, broad, width, totals, None, None)

        def regions(self, maps: List[Tensor], level: Tensor, scale: Tensor, boxes: Tensor, planes: int, h: int, w: int, mode: int, ratio: int, aligned: bool) -> Tensor:
            x = maps[0]
            channels = x.size(1) // planes
            if boxes.size(0) == 0 or x.size(0) == 0:
                nothing = torch.zeros([boxes.size(0), channels, h, w], dtype=x.dtype, device=x.device)
                for each in maps:
                    nothing = nothing + each.flatten()[:0].sum()
                return nothing
            good = self.usable(boxes, x.size(0))
            tables: List[Tensor] = []
            height = torch.zeros_like(level)
            width = torch.zeros_like(level)
            first = torch.zeros_like(level)
            image = boxes.select(1, 0).masked_fill(good.logical_not(), 0.0).long()
            rows = 0
            for k in range(len(maps)):
                pixels = maps[k].size(2) * maps[k].size(3)
                height = height.masked_fill(level == k, maps[k].size(2))
                width = width.masked_fill(level == k, maps[k].size(3))
                first = torch.where(level == k, image * (planes * pixels) + rows, first)
                tables.append(self.table(maps[k], planes))
                rows = rows + x.size(0) * planes * pixels
            table = tables[0]
            if len(tables) > 1:
                table = torch.cat(tables, 0)
            base = first.view(-1, 1, 1).expand(-1, h, w)
            if planes > 1:
                base = base + (torch.arange(planes, device=x.device) * (x.size(2) * x.size(3))).view(h, w)
            at = boxes[:, 1:].to(table.dtype).masked_fill(good.logical_not().unsqueeze(1), 0.0) * scale.to(table.dtype).unsqueeze(1)
            if mode == 0:
                pooled = self.align(table, at, good, base, height, width, ratio, aligned)
            else:
                pooled = self.reduce(table, at, good, base, height, width, mode)
            return pooled.view(-1, h, w, channels).permute(0, 3, 1, 2).contiguous().to(x.dtype)

        def one_map(self, x: Tensor, boxes: Tensor, planes: int, h: int, w: int, spatial_scale: float, mode: int, ratio: int, aligned: bool) -> Tensor:
            scale = torch.full([boxes.size(0)], spatial_scale, dtype=7, device=x.device)
            level = torch.zeros([boxes.size(0)], dtype=4, device=x.device)
            return self.regions([x], level, scale, boxes, planes, h, w, mode, ratio, aligned)

        def many_maps(self, maps: List[Tensor], boxes: Tensor, h: int, w: int, spatial_scale: float, ratio: int, canonical_scale: float, canonical_level: int, finest: int) -> Tensor:
            wide = boxes.to(torch.promote_types(boxes.dtype, 6))
            area = (wide.select(1, 3) - wide.select(1, 1)) * (wide.select(1, 4) - wide.select(1, 2))
            level = (canonical_level + torch.log2(area.sqrt() / canonical_scale) + 1e-6).floor() - finest
            level = torch.nan_to_num(level, 0.0).clamp(0.0, len(maps) - 1.0)
            scale = spatial_scale * torch.pow(0.5, level.double())
            return self.regions(maps, level.long(), scale, boxes, 1, h, w, 0, ratio, False)

        """;

    /// <summary>The same with <c>self.checked(boxes, images)</c>, which stands for the checks of C# in an exported file.</summary>
    public const string Script = Functions +
        """
        def checked(self, boxes: Tensor, images: int) -> Tensor:
            if boxes.dim() != 2 or boxes.size(1) != 5:
                ops.prim.RaiseException("expected boxes (M, 5) of image, x1, y1, x2, y2")
            if not boxes.is_cuda and not bool(self.usable(boxes, images).all()):  # there a look would wait for the device
                ops.prim.RaiseException("expected finite boxes of images that are there")
            return boxes.detach()

        """;

    /// <summary>The methods as functions.</summary>
    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(
        Functions.ReplaceLineEndings("\n").Replace("(self, ", "(", StringComparison.Ordinal).Replace("self.", "", StringComparison.Ordinal)));
}
