using TorchPooling;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Benchmarks.Cases;

/// <summary>A VGG backbone and the pooling on top of it, beside the same layers of TorchSharp with the same weights.</summary>
internal static class BackboneCases
{
    private static readonly long[][] Narrow = [[16, 16], [32, 32], [64, 64, 64], [128, 128, 128], [128, 128, 128]];

    public static IEnumerable<Case> All(bool quick)
    {
        if (quick)
        {
            return [Spp("small", [[4], [8]], new(1, 3, 32, 32)), NetVlad("small", [[4], [8]], new(1, 3, 32, 32) { Backward = true })];
        }

        return
        [
            .. new Setting(1, 3, 224, 224).Both().Select(setting => Spp("VGG-16", VggBackbone.Vgg16, setting)),
            .. new Setting(1, 3, 240, 320).Both().Select(setting => NetVlad("VGG-16", VggBackbone.Vgg16, setting)),
            .. new Setting(8, 3, 224, 224).Both().Select(setting => Spp("VGG-16", VggBackbone.Vgg16, setting)),
            .. new Setting(8, 3, 240, 320).Both().Select(setting => NetVlad("VGG-16 of a quarter of the width", Narrow, setting)),
        ];
    }

    private static Case Spp(string name, long[][] blocks, Setting setting) => Of(
        $"VggBackbone {name} + SPP", blocks, setting, VggCut.AfterLastReLU, _ => new SpatialPyramidPool2d(),
        _ => x => cat([.. new long[] { 1, 2, 4 }.Select(n => F.adaptive_max_pool2d(x, [n, n]).flatten(1))], 1));

    private static Case NetVlad(string name, long[][] blocks, Setting setting) => Of(
        $"VggBackbone {name} + NetVLAD", blocks, setting, VggCut.BeforeLastReLU, width => new NetVLAD(64, width), pool => x => Loop(x, (NetVLAD)pool));

    private static Case Of(
        string name, long[][] blocks, Setting setting, VggCut cut, Func<long, nn.Module<Tensor, Tensor>> pool,
        Func<nn.Module<Tensor, Tensor>, Func<Tensor, Tensor>> plain) => new(name, setting, at =>
    {
        var backbone = new VggBackbone(blocks, cut: cut);
        var head = pool(backbone.out_channels);
        backbone.to(at.Device);
        head.to(at.Device);
        var layers = Layers(backbone.state_dict(), blocks, cut);
        var plainHead = plain(head);
        return new(
            [at.Map()],
            new(Contestant.Ours, t => head.call(backbone.call(t[0]))),
            // Rounding decides which of nearly equal pixels takes the gradient of a maximum.
            new("plain modules", t => plainHead(layers.call(t[0]))) { IsSame = !at.Backward },
            new("the convolutions", t => Convolutions(layers, t[0])) { IsSame = false, IsFloor = true });
    });

    /// <summary>The convolutions alone, in the layout that suits them; where a pooling stands, every other pixel goes on.</summary>
    private static Tensor Convolutions(Sequential layers, Tensor x)
    {
        x = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        foreach (var layer in layers.children())
        {
            x = layer switch
            {
                Conv2d conv => conv.call(x),
                MaxPool2d => x.slice(2, 0, x.size(2), 2).slice(3, 0, x.size(3), 2),
                _ => x,
            };
        }

        return x;
    }

    /// <summary>The port of NetVLAD that everybody copies: a residual of every cluster after the other.</summary>
    private static Tensor Loop(Tensor x, NetVLAD head)
    {
        var (weights, centroids) = (head.state_dict()["conv.weight"], head.state_dict()["centroids"]);
        var normalised = F.normalize(x, dim: 1);
        var assignment = F.conv2d(normalised, weights).flatten(2).softmax(1);
        var descriptors = normalised.flatten(2);
        var vlad = stack([.. Enumerable.Range(0, (int)centroids.size(0)).Select(k =>
            ((descriptors - centroids[k].unsqueeze(1)) * assignment.narrow(1, k, 1)).sum(-1))], 1);
        return F.normalize(F.normalize(vlad, dim: 2).flatten(1), dim: 1);
    }

    /// <summary>Layers of TorchSharp alone, that share the backbone's weights.</summary>
    private static Sequential Layers(Dictionary<string, Tensor> weights, long[][] blocks, VggCut cut)
    {
        var layers = new List<nn.Module<Tensor, Tensor>>();
        foreach (var widths in blocks)
        {
            foreach (var _ in widths)
            {
                var weight = weights[$"features.{layers.Count}.weight"];
                var conv = nn.Conv2d(weight.size(1), weight.size(0), 3, padding: 1);
                conv.weight = (Parameter)weight;
                conv.bias = (Parameter)weights[$"features.{layers.Count}.bias"];
                layers.AddRange([conv, nn.ReLU(inplace: true)]);
            }

            layers.Add(nn.MaxPool2d(2));
        }

        layers.RemoveRange(layers.Count - (cut == VggCut.BeforeLastReLU ? 2 : 1), cut == VggCut.BeforeLastReLU ? 2 : 1);
        return nn.Sequential(layers);
    }
}
