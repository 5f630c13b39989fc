using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Regions that are learned for all images, or found in each.</summary>
internal static class Regions
{
    private const int Count = 4;

    public static IEnumerable<Illustration> All =>
    [
        new("LearnedRegionPool2d", Learned),
        new("ClusteredRegionPool2d", Clustered),
    ];

    /// <summary>Trained on the photograph to give the mean colours of four places, which draws each region to what has that colour.</summary>
    private static SKBitmap Learned(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new LearnedRegionPool2d(Count, 40, 60);
        var map = nn.functional.avg_pool2d(photograph.Rgb, Features.Cell);
        (int X, int Y)[] places = [(16, 3), (36, 16), (34, 28), (26, 36)];   // sky, a house, the car, the road
        var wanted = stack([.. places.Select(place => map[0, TensorIndex.Colon, place.Y, place.X])]).transpose(0, 1).flatten().unsqueeze(0);
        Training.Run(pool, 0.4, 150, () => nn.functional.mse_loss(pool.call(map), wanted));
        using var frozen = no_grad();
        var weights = pool.state_dict()["weight"].flatten(1).softmax(1).reshape(Count, 40, 60);
        var regions = Figure.Blank("the four regions that it learned");
        for (var r = 0; r < Count; r++)
        {
            var large = nn.functional.interpolate(weights[r].reshape(1, 1, 40, 60), [Figure.Height, Figure.Width])[0, 0];
            regions.Place(Pixels.Weighted(photograph.Grey, large.sqrt(), large.max().sqrt().ToDouble()), SKRect.Create(r % 2 * 122, r / 2 * 81, 118, 79));
        }

        var means = Figure.Blank("the vector: the mean colour of each region");
        var vector = pool.call(map).reshape(1, 3, 2, 2);
        means.Place(vector, SKRect.Create(0, 0, Figure.Width, Figure.Height));
        var shown = Figure.Of("trained to give the colours of four places of the photograph", photograph.Rgb);
        foreach (var (x, y) in places)
        {
            shown.Ring((x + 0.5f) * Features.Cell, (y + 0.5f) * Features.Cell, Figure.Orange);
        }

        return Panel.Draw("new LearnedRegionPool2d(num_regions: 4, height: 40, width: 60)", shown, regions, means);
    }

    /// <summary>A position belongs to the region whose mean has a slope there.</summary>
    private static SKBitmap Clustered(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new ClusteredRegionPool2d(Count, BinReduction.Avg, share: 0.25);
        using var x = Features.Of(photograph.Rgb).requires_grad_();
        var vector = pool.call(x).reshape(Features.Channels, Count);
        var regions = stack([.. Enumerable.Range(0, Count).Select(r => autograd.grad([vector[0, r]], [x], retain_graph: true)[0][0, 0].gt(0))]).to(ScalarType.Float32);
        var norms = x.detach().norm(1)[0];
        var strength = nn.functional.interpolate(norms.reshape(1, 1, 40, 60), [Figure.Height, Figure.Width])[0, 0];
        return Panel.Draw(
            "new ClusteredRegionPool2d(num_regions: 4, BinReduction.Avg, share: 0.25)",
            Figure.Of("how strongly the map's channels respond (its norm)", Pixels.Weighted(photograph.Grey, strength, strength.max().ToDouble() * 0.7)),
            ClusterPanel.Assigned("the strongest quarter of the positions, clustered by place: 4 regions", photograph, regions),
            ClusterPanel.Strips("the vector: each channel's mean in each region", vector.detach().transpose(0, 1).unsqueeze(0), Count));
    }
}
