using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>The VLAD family, each layer started by k-means of the photograph's own descriptors.</summary>
internal static class Clusters
{
    private const string Soft = "who takes what: 6 clusters, started by k-means; pale where two share";
    private const string Residuals = "the vector: for each cluster the mean direction from its centre";

    public static IEnumerable<Illustration> All =>
    [
        new("Vlad", photograph => ClusterPanel.Draw(
            photograph, () => new Vlad(6, 8), "new Vlad(num_clusters: 6, dim: 8)", "who takes what: each descriptor goes to its nearest centre alone", Residuals)),
        new("NetVLAD", photograph => ClusterPanel.Draw(
            photograph, () => new NetVLAD(6, 8), "new NetVLAD(num_clusters: 6, dim: 8)", Soft, Residuals)),
        new("GhostVLAD", photograph => ClusterPanel.Draw(
            photograph, () => new GhostVLAD(6, 8, 2), "new GhostVLAD(num_clusters: 6, dim: 8, num_ghosts: 2)",
            "6 clusters and 2 ghosts (black), started by k-means", "the vector has no rows for the ghosts: what they take is left out", ghosts: 2)),
        new("NetRVLAD", photograph => ClusterPanel.Draw(
            photograph, () => new NetRVLAD(6, 8), "new NetRVLAD(num_clusters: 6, dim: 8)", Soft, "the vector: for each cluster the mean of what it takes, without centres")),
        new("SoftDBoW", SoftBag),
        new("NetFV", photograph => ClusterPanel.Draw(
            photograph, () => new NetFV(6, 8), "new NetFV(num_clusters: 6, dim: 8)", Soft,
            "the vector: means from the centre, and below the spread against the cluster's", parts: 2)),
        new("ActionVLAD", Video),
        new("NeXtVLAD", Groups),
        new("PatchNetVLAD", Patches),
        new("Salad", Transport),
    ];

    private static SKBitmap SoftBag(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var layer = new SoftDBoW(6, 8);
        var map = ClusterPanel.Map(photograph);
        layer.Initialize(ClusterPanel.Rows(map), seed: 1);
        var counts = layer.call(map)[0];
        var bars = Figure.Blank("the vector: how much each cluster takes in all");
        for (var k = 0; k < ClusterPanel.Count; k++)
        {
            var value = counts[k].ToSingle();
            bars.Fill(SKRect.Create(0, (k * 26) + 4, value * 200, 20), ClusterPanel.Color(k, ClusterPanel.Count));
            bars.Text(FormattableString.Invariant($"{value:0.00}"), (value * 200) + 5, (k * 26) + 18);
        }

        return Panel.Draw(
            "new SoftDBoW(num_clusters: 6, dim: 8)", ClusterPanel.Shown(photograph), ClusterPanel.Assigned(Soft, photograph, layer.assignment(map)[0]), bars);
    }

    /// <summary>A video of three frames: the camera moves over the photograph.</summary>
    private static SKBitmap Video(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var layer = new ActionVLAD(6, 8);
        (int X, int Y)[] places = [(0, 16), (56, 40), (112, 64)];
        var frames = places.Select(place => photograph.Rgb.narrow(2, place.Y, 80).narrow(3, place.X, 120)).ToList();
        var maps = frames.Select(Features.Of).ToList();
        layer.Initialize(cat([.. maps.Select(ClusterPanel.Rows)]), seed: 1);
        var shown = Figure.Of("a video of 3 frames, the camera moves over the photograph", photograph.Rgb);
        var assigned = Figure.Blank("who takes what, in every frame: the same 6 clusters");
        for (var t = 0; t < places.Length; t++)
        {
            shown.Box(SKRect.Create(places[t].X, places[t].Y, 120, 80), Figure.Orange);
            var share = layer.assignment(maps[t])[0];
            assigned.Place(
                ClusterPanel.Colored(frames[t].mean([1], keepdim: true), share, 0), SKRect.Create(t * 60, t * 40, 120, 80));
        }

        var vector = layer.call(stack(maps, 1)).reshape(1, 6, 8);
        return Panel.Draw(
            "new ActionVLAD(num_clusters: 6, dim: 8)", shown, assigned, ClusterPanel.Strips("one vector, summed over space and time", vector, 6));
    }

    /// <summary>The groups' assignments, from the layer's own weights: the layer shows its sum alone.</summary>
    private static SKBitmap Groups(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        random.manual_seed(1);
        using var layer = new NeXtVLAD(6, 8, expansion: 2, groups: 4);
        var map = ClusterPanel.Map(photograph);
        layer.Initialize(ClusterPanel.Rows(map), seed: 1);
        var weights = layer.state_dict();
        var wide = nn.functional.linear(ClusterPanel.Rows(pooling.l2_normalize(map)), weights["expansion.weight"], weights["expansion.bias"]);
        var shares = nn.functional.linear(wide, weights["assign.weight"], weights["assign.bias"]).reshape(map.size(2), map.size(3), 4, 6).softmax(3);
        var groups = Figure.Blank("who takes what in each of 4 groups of 4 numbers, started by k-means");
        for (var g = 0; g < 4; g++)
        {
            groups.Place(
                ClusterPanel.Colored(photograph.Grey, shares.select(2, g).permute(2, 0, 1), 0),
                SKRect.Create(g % 2 * 122, g / 2 * 81, 118, 79));
        }

        return Panel.Draw(
            "new NeXtVLAD(num_clusters: 6, dim: 8, expansion: 2, groups: 4)", ClusterPanel.Shown(photograph), groups,
            ClusterPanel.Strips("the vector, summed over the groups: 6·4 numbers, half of NetVLAD's", layer.call(map).reshape(1, 6, 4), 6, []));
    }

    /// <summary>The vector of one patch beside those of all others.</summary>
    private static SKBitmap Patches(Photograph photograph)
    {
        const int Size = 8;
        const int Columns = 60 - Size + 1;
        const int Patch = (24 * Columns) + 26;   // the car

        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var layer = new PatchNetVLAD(6, 8, patch_sizes: [Size]);
        var map = ClusterPanel.Map(photograph);
        layer.Initialize(ClusterPanel.Rows(map), seed: 1);
        var patches = layer.call(map)[0];
        var places = layer.positions(map.size(2), map.size(3))[0];
        var alike = patches.matmul(patches[Patch]);
        var side = Size * Features.Cell;
        var box = SKRect.Create(places[Patch, 1].ToInt32() * Features.Cell, places[Patch, 0].ToInt32() * Features.Cell, side, side);
        var nearness = nn.functional.pad(alike.reshape(1, 1, -1, Columns), [Size / 2, (Size / 2) - 1, Size / 2, (Size / 2) - 1]).clamp_min(0);
        var compared = nn.functional.interpolate(nearness.pow(2), [Figure.Height, Figure.Width]);
        return Panel.Draw(
            "new PatchNetVLAD(num_clusters: 6, dim: 8, patch_sizes: [8])",
            Figure.Of("a vector for every window of 8×8 descriptors; one window", photograph.Rgb).Box(box, Figure.Orange),
            Figure.Of("how alike the windows around each place are to it (squared cosine)", Pixels.Weighted(photograph.Grey, compared[0, 0], 1)).Box(box, Figure.Ink),
            ClusterPanel.Strips("the vector of that window, as NetVLAD makes it of the window alone", patches[Patch].reshape(1, 6, 8), 6));
    }

    /// <summary>The scores are learned for the picture: those of six clusters that k-means finds.</summary>
    private static SKBitmap Transport(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        using var layer = new Salad(8, num_clusters: 6, cluster_dim: 8, hidden: 32, dropout: 0);
        var map = ClusterPanel.Map(photograph);
        var rows = ClusterPanel.Rows(map);
        var nearest = KMeans.Fit(rows, 6, seed: 1).unsqueeze(1).sub(rows.unsqueeze(0)).square().sum(2).argmin(0);
        var score = (nn.Module<Tensor, Tensor>)layer.named_children().Single(child => child.name == "score").module;
        Training.Run(score, 0.02, 100, () => nn.functional.cross_entropy(score.call(map).flatten(2)[0].transpose(0, 1), nearest));

        using var frozen = no_grad();
        var plan = pooling.optimal_transport(score.call(map).flatten(2), layer.state_dict()["dust_bin"])[0];
        var share = (plan / plan.amax([1], keepdim: true)).reshape(6, map.size(2), map.size(3));
        return Panel.Draw(
            "new Salad(channels: 8, num_clusters: 6, cluster_dim: 8, dropout: 0, hidden: 32)", ClusterPanel.Shown(photograph),
            ClusterPanel.Assigned("what 6 clusters take, as much each; pale: the rest, for the dustbin", photograph, share),
            ClusterPanel.Strips("the vector; scores learned from k-means, features as they start", layer.call(map).reshape(1, 8, 6).transpose(1, 2), 6, []));
    }
}
