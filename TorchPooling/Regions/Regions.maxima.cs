namespace TorchPooling;

internal static partial class Regions
{
    /// <summary>Bins that are maxima of rectangles, each by four windows of 2ᵃ × 2ᵇ pixels that lie over one another.</summary>
    /// <remarks>The maxima of all windows are made once, each level from the one below. The gradient is that of the first maximum in
    /// row-major order: then the windows hold places in the sorted map, which have no ties, and NaN is above all.</remarks>
    private const string Maxima =
        """
        def level(self, length: Tensor) -> Tensor:  # of the longest power of two in it
            return (length.double() + 0.5).log2().floor().clamp(0.0).long()

        def pays(self, table: Tensor, totals: Tensor) -> bool:  # few boxes do not need every window of a large map
            windows = int(totals[4, -1] * totals[5, -1])
            if table.requires_grad:
                windows = windows + 40  # about what sorting takes
            return windows * table.size(0) < 5 * int(totals[1, -1])

        def windows(self, table: Tensor, stride: int, deep: int, wide: int) -> Tensor:
            tables = torch.empty([deep * wide, table.size(0), table.size(1)], dtype=table.dtype, device=table.device)
            tables[0].copy_(table)
            for k in range(1, deep * wide):
                (below, shift) = (k - 1, 1 << (k - 1))
                if k >= wide:
                    (below, shift) = (k - wide, stride << (k // wide - 1))
                torch.maximum(tables[below][:-shift], tables[below][shift:], out=tables[k][:-shift])
            return tables.flatten(0, 1)

        def maxima(self, table: Tensor, base: Tensor, top: Tensor, tall: Tensor, left: Tensor, broad: Tensor, stride: int, deep: int, wide: int) -> Tensor:
            (a, b) = (self.level(tall), self.level(broad))
            (down, along) = ((tall - torch.pow(2, a)) * stride, broad - torch.pow(2, b))
            first = base + (top * stride).unsqueeze(2) + left.unsqueeze(1) + (a.unsqueeze(2) * wide + b.unsqueeze(1)) * table.size(0)
            filled = (tall > 0).unsqueeze(2) & (broad > 0).unsqueeze(1)
            corners: List[Tensor] = []
            for y in [torch.zeros_like(down), down]:
                for x in [torch.zeros_like(along), along]:
                    corners.append(((first + y.unsqueeze(2) + x.unsqueeze(1)) * filled).flatten(1))
            (count, bins, channels) = (base.size(0), corners[0].size(1), table.size(1))
            pooled = torch.empty([count, channels, bins], dtype=table.dtype, device=table.device)
            room = 4194304
            if table.is_cuda:
                room = 67108864
            some = max(1, room // (deep * wide * table.size(0)))  # channels at once
            if some > 16:
                some = some // 16 * 16
            most = self.at_once(table[:, :some], bins)
            for c in range(0, channels, some):
                windows = self.windows(table[:, c:c + some], stride, deep, wide)
                for k in range(0, count, most):
                    found = windows.index_select(0, corners[0][k:k + most].flatten())
                    for corner in corners[1:]:
                        torch.maximum(found, windows.index_select(0, corner[k:k + most].flatten()), out=found)
                    pooled[k:k + most, c:c + some] = self.laid(found, bins)
            return pooled

        def ranked(self, table: Tensor, images: int) -> Tuple[Tensor, Tensor]:
            (values, order) = table.view(images, -1, table.size(1)).permute(0, 2, 1).flip(2).sort(stable=True, dim=2)
            dtype = 3  # int32
            if table.numel() > 2147483647:
                dtype = 4
            place = torch.arange(table.numel(), dtype=dtype, device=table.device).view_as(order)
            return (values.flatten(), torch.empty_like(place).scatter(2, order, place).flip(2).permute(0, 2, 1).flatten(0, 1))

        def overlapping(self, table: Tensor, images: int, base: Tensor, top: Tensor, tall: Tensor, left: Tensor, broad: Tensor, stride: int, deep: int, wide: int) -> Tensor:
            if not table.requires_grad:
                return self.maxima(table, base, top, tall, left, broad, stride, deep, wide)
            (values, places) = self.ranked(table, images)
            place = self.maxima(places, base, top, tall, left, broad, stride, deep, wide)
            return values.index_select(0, place.flatten()).view_as(place)

        """;
}
