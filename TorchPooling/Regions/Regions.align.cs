namespace TorchPooling;

internal static partial class Regions
{
    /// <summary>Bins that are means of samples between pixels.</summary>
    /// <remarks>A sample lies in the map or not by its row and by its column alone, so the weight of a pixel is a product of one of its
    /// row and one of its column. Few samples are four weighted pixels each (<c>corners</c>). Where there are more, those of a bin's
    /// rows and columns are summed up first (<c>samples</c>, <c>weights</c>), and each pixel of the bin is read once.</remarks>
    private const string Aligned =
        """
        def corners(self, start: Tensor, step: Tensor, bins: int, ratio: int, size: Tensor) -> Tuple[Tensor, Tensor]:
            bin = torch.arange(bins, dtype=start.dtype, device=start.device)
            sample = torch.arange(ratio, dtype=start.dtype, device=start.device) + 0.5
            at = (start.unsqueeze(1) + bin * step.unsqueeze(1)).unsqueeze(2) + self.over(sample * step.unsqueeze(1), ratio).unsqueeze(1)
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

        def weighted(self, weight: Tensor, length: Tensor) -> Tensor:
            bin = torch.repeat_interleave(length.flatten(), output_size=weight.size(0))
            return torch.zeros([length.numel()], dtype=weight.dtype, device=weight.device).index_add(0, bin, weight).view_as(length) > 0

        def within(self, pooled: Tensor, down: Tensor, along: Tensor) -> Tensor:
            outside = torch.logical_and(down.unsqueeze(2), along.unsqueeze(1)).logical_not().flatten(1).unsqueeze(1)
            if outside.is_cuda or bool(outside.any()):  # there a look would wait for the device
                pooled = pooled.masked_fill(outside, 0.0)  # 0 times NaN or infinity is none
            return pooled

        def align(self, table: Tensor, at: Tensor, good: Tensor, base: Tensor, height: Tensor, width: Tensor, ratio: int, aligned: bool) -> Tensor:
            (h, w) = (base.size(1), base.size(2))
            if aligned:
                at = at - 0.5
            at = at.clamp(-1e18, 1e18)
            (x, y) = (at.select(1, 0), at.select(1, 1))
            (extent_x, extent_y) = (at.select(1, 2) - x, at.select(1, 3) - y)
            if not aligned:
                (extent_x, extent_y) = (extent_x.clamp(1.0), extent_y.clamp(1.0))
            (step_x, step_y) = (self.over(extent_x, w), self.over(extent_y, h))
            if ratio > 0 and ratio <= 4:
                (row, down) = self.corners(y, step_y, h, ratio, height)
                (column, along) = self.corners(x, step_x, w, ratio, width)
                down = down * good.view(-1, 1, 1)
                row = row * width.view(-1, 1, 1)
                pixel = base.unsqueeze(3).unsqueeze(4) + row.unsqueeze(2).unsqueeze(4) + column.unsqueeze(1).unsqueeze(3)
                weight = down.unsqueeze(2).unsqueeze(4) * along.unsqueeze(1).unsqueeze(3)
                (bins, each) = (h * w, 4 * ratio * ratio)
                most = self.at_once(table, bins)
                boxes = [min(most * k, at.size(0)) for k in range((at.size(0) - 1) // most + 2)]
                offsets = torch.arange(base.numel(), device=base.device) * each
                pooled = self.embedded(table, pixel.flatten(), offsets, 0, weight.flatten(), boxes, [k * bins * each for k in boxes], bins)
                return self.within(pooled, (down > 0).any(2), (along > 0).any(2))
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
            pooled = self.rectangles(table, None, 0, base, top, tall, left, broad, width, totals, down, along)
            return self.within(pooled, self.weighted(down, tall), self.weighted(along, broad))

        def sliced(self, table: Tensor, at: Tensor, good: Tensor, base: Tensor, height: Tensor, width: Tensor, ratio: int, aligned: bool) -> Tensor:
            (h, w) = (base.size(1), base.size(2))
            most = at.size(0)  # so many boxes at once that what is computed on the way stays small
            if ratio > 4:
                most = max(1, 1048576 // (h * w + (h + w) * ratio))
            elif ratio > 0:
                most = max(1, 4194304 // (4 * h * w * ratio * ratio))
            pooled: List[Tensor] = []
            for a in range(0, at.size(0), most):
                b = a + most
                pooled.append(self.align(table, at[a:b], good[a:b], base[a:b], height[a:b], width[a:b], ratio, aligned))
            return self.joined(pooled)

        """;
}
