using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Clusters the strong positions of every image of a batch, in C# and in TorchScript: see <see cref="ClusteredRegionPool2d"/>.</summary>
/// <remarks>Places are whole numbers in float64, (2·row + 1)·W and (2·column + 1)·H: both axes in the same units of 1/(2HW), and sums of them
/// exact in any order, so that devices agree on every tie.</remarks>
internal static class RegionFinder
{
    /// <summary>The M interesting positions of every image, (N, M), in row-major order, and which of them each region holds, (N, R, M).</summary>
    public static (Tensor Strongest, Tensor Members) Find(Tensor x, long num_regions, double share, long iterations)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (h, w) = (x.size(2), x.size(3));
        var count = (long)Math.Ceiling(share * (h * w) * (1 - 1e-12));   // 0.07 of 100 are 7, not 7.000000000000001 rounded up
        Check.Memory([x.size(0), num_regions, count], ScalarType.Float64, nameof(num_regions), copies: 4);
        var strength = x.to(ScalarType.Float64).norm(1).flatten(1);
        var strongest = strength.sort(1, descending: true, stable: true).Indices.narrow(1, 0, count).sort(1).Values;
        var (row, column) = (strongest.div(Held(w), RoundingMode.floor), strongest.remainder(Held(w)));
        var place = stack([(row * Held(2)).Plus(1) * Held(w), (column * Held(2)).Plus(1) * Held(h)], 2).to(ScalarType.Float64);
        var chosen = strength.gather(1, strongest);
        var interesting = (chosen <= Held(0)).logical_not();   // NaN is
        var centers = Seeds(place, chosen, interesting, num_regions);
        for (var i = 0L; i < iterations; i++)
        {
            centers = Means(place, Assign(place, interesting, centers), centers);
        }

        var members = Assign(place, interesting, centers);
        var order = ReadingOrder(centers, members);
        return (strongest.MoveToOuterDisposeScope(), members.gather(1, order.unsqueeze(2).expand_as(members)).MoveToOuterDisposeScope());
    }

    /// <summary>The strongest position, then again and again the one farthest from all seeds, (N, R, 2).</summary>
    private static Tensor Seeds(Tensor place, Tensor strength, Tensor interesting, long count)
    {
        var seeds = new List<Tensor> { At(strength.argmax(1, keepdim: true)) };
        var nearest = full_like(strength, Held(double.PositiveInfinity));
        while (seeds.Count < count)
        {
            nearest = nearest.minimum((place - seeds[^1]).Squared().sum(dim: 2));
            seeds.Add(At(nearest.masked_fill(interesting.logical_not(), Held(-1)).argmax(1, keepdim: true)));
        }

        return cat(seeds, 1);

        Tensor At(Tensor index) => place.gather(1, index.unsqueeze(2).expand(-1, -1, 2));
    }

    /// <summary>Every interesting position to its nearest centre, over ties the first, (N, R, M).</summary>
    private static Tensor Assign(Tensor place, Tensor interesting, Tensor centers)
    {
        using var scope = NewDisposeScope();
        var nearest = Square(0).Plus(Square(1)).argmin(1, keepdim: true);
        var regions = Indices(centers.size(1), device: place.device).view(1, -1, 1);
        return (regions == nearest).logical_and(interesting.unsqueeze(1)).MoveToOuterDisposeScope();

        Tensor Square(long axis) => (place.select(2, axis).unsqueeze(1) - centers.select(2, axis).unsqueeze(2)).Squared();
    }

    /// <summary>The mean place of every region; the old centre of an empty one.</summary>
    private static Tensor Means(Tensor place, Tensor members, Tensor centers)
    {
        using var scope = NewDisposeScope();
        var count = members.sum(dim: 2, keepdim: true);
        return where(count > Held(0), members.to(place.dtype).bmm(place) / count.clamp_min(Held(1)), centers).MoveToOuterDisposeScope();
    }

    /// <summary>Regions by their centre's row, then its column; empty ones last, (N, R).</summary>
    private static Tensor ReadingOrder(Tensor centers, Tensor members)
    {
        using var scope = NewDisposeScope();
        var by_column = centers.select(2, 1).sort(1, stable: true).Indices;
        var rows = centers.select(2, 0).masked_fill(members.any(2).logical_not(), Held(double.PositiveInfinity)).gather(1, by_column);
        return by_column.gather(1, rows.sort(1, stable: true).Indices).MoveToOuterDisposeScope();
    }

    /// <summary>TorchScript's <see cref="Find"/>.</summary>
    public const string Script =
        """
        def find(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            (h, w) = (x.size(2), x.size(3))
            strength = torch.linalg_vector_norm(x.to(7), 2, [1]).flatten(1)
            count = -int(-(self.share * float(h * w) * (1.0 - 1e-12)) // 1.0)
            strongest = torch.sort(torch.sort(strength, stable=True, dim=1, descending=True)[1].narrow(1, 0, count), 1)[0]
            rows = torch.floor_divide(strongest, w)
            place = torch.stack([(rows * 2 + 1) * w, ((strongest - rows * w) * 2 + 1) * h], 2).to(7)
            chosen = strength.gather(1, strongest)
            interesting = (chosen <= 0).logical_not()
            seeds = [self.at(place, chosen.argmax(1, True))]
            nearest = torch.full_like(chosen, inf)
            for r in range(1, self.num_regions):
                nearest = torch.minimum(nearest, (place - seeds[-1]).square().sum([2]))
                seeds.append(self.at(place, nearest.masked_fill(interesting.logical_not(), -1.0).argmax(1, True)))
            centers = torch.cat(seeds, 1)
            for i in range(self.iterations):
                members = self.assign(place, interesting, centers)
                count_of = members.sum([2], True)
                centers = torch.where(count_of > 0, torch.bmm(members.to(7), place) / count_of.clamp_min(1), centers)
            members = self.assign(place, interesting, centers)
            by_column = torch.sort(centers.select(2, 1), stable=True, dim=1, descending=False)[1]
            height = centers.select(2, 0).masked_fill(members.any(2).logical_not(), inf).gather(1, by_column)
            order = by_column.gather(1, torch.sort(height, stable=True, dim=1, descending=False)[1])
            return (strongest, members.gather(1, order.unsqueeze(2).expand_as(members)))

        def at(self, place: Tensor, index: Tensor) -> Tensor:
            return place.gather(1, index.unsqueeze(2).expand([-1, -1, 2]))

        def assign(self, place: Tensor, interesting: Tensor, centers: Tensor) -> Tensor:
            down = (place.select(2, 0).unsqueeze(1) - centers.select(2, 0).unsqueeze(2)).square()
            across = (place.select(2, 1).unsqueeze(1) - centers.select(2, 1).unsqueeze(2)).square()
            nearest = (down + across).argmin(1, True)
            regions = torch.arange(centers.size(1), device=place.device).view([1, -1, 1])
            return (regions == nearest).logical_and(interesting.unsqueeze(1))
        """;
}
