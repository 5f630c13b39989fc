using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The maxima of the bins of a map on a CPU, all levels from one reading.</summary>
internal static class Maxima
{
    /// <summary>Numbers of a map for which it pays: below, a pool per level is done before.</summary>
    public const int Least = 1 << 14;

    /// <summary>The computation as TorchScript methods, which the exported modules carry and the C# forward calls.</summary>
    /// <remarks>
    /// <para>libtorch compares the channels of a pixel at once where they lie side by side, and number by number elsewhere,
    /// which takes longer than to lay them side by side first: plane after plane, as many as fit into the cache.</para>
    /// <para>Without a gradient, long rows are compared as they lie, and a level takes its maxima from one with q times the bins, of
    /// which its own consist for every size: ⌊i·a/n⌋ = ⌊i·q·a/(q·n)⌋, and so its ends. With one, each level finds the first of tied
    /// pixels in row-major order, which need not lie in the first of its finer bins; autograd sees one gather of them all.</para>
    /// </remarks>
    public const string Script =
        """

        def maxima(self, x: Tensor, levels: List[int], adaptive: bool) -> Tensor:
            even = adaptive or self.is_even(x, levels)
            groups = self.nests(levels, even)
            if self.is_channels_last(x) and len(levels) - len(groups) < 2:  # as fast as it gets
                return torch.cat([self.pool(x, n, adaptive)[0].flatten(1) for n in levels], 1)
            if even and not x.requires_grad and self.has_long_rows(x):
                y = torch.cat([self.channels(self.row_maxima(x, group[0]), [group], True) for group in groups], 2)
            else:
                y = self.channels(x, groups, even)
            if x.requires_grad:
                y = self.take(x, y)
            pooled: List[int] = []
            for group in groups:
                pooled.extend(group)
            pyramid: List[Tensor] = []
            for n in levels:
                start = 0
                for m in pooled[:pooled.index(n)]:
                    start = start + m * m
                pyramid.append(y.narrow(2, start, n * n).flatten(1))
            return torch.cat(pyramid, 1)

        def is_even(self, x: Tensor, levels: List[int]) -> bool:
            even = True
            for n in levels:
                even = even and x.size(2) % n == 0 and x.size(3) % n == 0
            return even

        def nests(self, levels: List[int], nested: bool) -> List[List[int]]:
            falling = levels.copy()
            falling.sort(reverse=True)
            groups: List[List[int]] = []
            for n in falling:
                at = -1
                for k in range(len(groups)):
                    if groups[k][0] == n or (nested and groups[k][0] % n == 0):
                        at = k
                if at < 0:
                    groups.append([n])
                elif n not in groups[at]:
                    groups[at].append(n)
            return groups

        def has_long_rows(self, x: Tensor) -> bool:
            return x.is_contiguous() and x.size(3) >= 16

        def row_maxima(self, x: Tensor, n: int) -> Tensor:
            h = x.size(2)
            if h < 2 * n:
                return x
            maxima: List[Tensor] = []
            for i in range(n):
                row = x.select(2, i * h // n)
                for k in range(i * h // n + 1, ((i + 1) * h + n - 1) // n):
                    row = torch.maximum(row, x.select(2, k))
                maxima.append(row)
            return torch.stack(maxima, 2)

        def channels(self, x: Tensor, groups: List[List[int]], adaptive: bool) -> Tensor:
            parts: List[Tensor] = []
            room = torch.empty([0, 0, 0, 0], dtype=x.dtype, device=x.device)
            for part in self.planes(x.detach()):
                if x.requires_grad and part.size(1) == 1:  # a plane alone has no other layout
                    part = part.double()
                last = part.permute(0, 2, 3, 1)
                if last.size(3) == room.size(3):  # memory that is new costs as much as the copy
                    room.copy_(last)
                else:
                    room = last.contiguous()
                part = room.permute(0, 3, 1, 2)
                bins: List[Tensor] = []
                values = part
                for group in groups:
                    for n in group:
                        if x.requires_grad:
                            bins.append(self.pool(part, n, adaptive)[1].flatten(2))
                        elif n == group[0]:
                            values = self.pool(part, n, adaptive)[0]
                            bins.append(values.flatten(2))
                        else:
                            q = group[0] // n
                            bins.append(torch.max_pool2d(values, [q, q], [q, q]).flatten(2))
                parts.append(torch.cat(bins, 2))
            y = torch.cat(parts, 1)
            return y.reshape(x.size(0), x.size(1), y.size(2))

        def is_channels_last(self, x: Tensor) -> bool:
            return x.permute(0, 2, 3, 1).is_contiguous() and not x.is_contiguous()

        def planes(self, x: Tensor) -> List[Tensor]:
            if x.numel() == 0 or self.is_channels_last(x):
                return [x]
            pixels = x.size(2) * x.size(3)
            return x.reshape(1, x.size(0) * x.size(1), x.size(2), x.size(3)).split(max(64, 262144 // pixels), 1)

        def pool(self, x: Tensor, n: int, adaptive: bool) -> Tuple[Tensor, Tensor]:
            if adaptive:
                return torch.adaptive_max_pool2d(x, [n, n])
            h = x.size(2)
            w = x.size(3)
            return torch.max_pool2d_with_indices(x, [(h + n - 1) // n, (w + n - 1) // n], [h // n, w // n])

        def take(self, x: Tensor, pixels: Tensor) -> Tensor:
            if self.is_channels_last(x):
                return x.permute(0, 2, 3, 1).flatten(1, 2).gather(1, pixels.transpose(1, 2)).transpose(1, 2)
            return x.flatten(2).gather(2, pixels)

        """;

    private const string Entry =
        """
        def entry(x: Tensor, levels: Tensor, adaptive: bool) -> Tensor:
            bins: List[int] = levels.tolist()
            return maxima(x, bins, adaptive)

        """;

    /// <summary>The methods as functions.</summary>
    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(
        (Script + "\n" + Entry).ReplaceLineEndings("\n").Replace("(self, ", "(", StringComparison.Ordinal).Replace("self.", "", StringComparison.Ordinal)));

    /// <summary>(N, C·Σn²): the levels one after another, each flattened.</summary>
    public static Tensor Of(Tensor x, long[] levels, bool adaptive)
    {
        using var scope = NewDisposeScope();
        return ((Tensor)Unit.Value.invoke("entry", x, tensor(levels), adaptive)).MoveToOuterDisposeScope();   // TorchSharp passes no lists
    }
}
