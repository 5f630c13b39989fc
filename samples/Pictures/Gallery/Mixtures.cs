using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Mixtures of maximum, average and filters that are learned.</summary>
internal static class Mixtures
{
    public static IEnumerable<Illustration> All =>
    [
        new("MixedPool2d", Mixed),
        new("GatedPool2d", Gated),
        new("TreePool2d", Tree),
    ];

    private static SKBitmap Mixed(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var pool = new MixedPool2d(8);
        var logit = pool.state_dict()["alpha_logit"];
        return Panel.Draw("new MixedPool2d(8)", Of(-20, "α = 0 would be the mean"), Of(0, "as it starts: α = ½, and learned from there"), Of(20, "α = 1 would be the maximum"));

        Figure Of(double value, string caption)
        {
            logit.fill_(value);
            return Figure.Of(caption, pool.call(photograph.Rgb));
        }
    }

    /// <summary>Trained on the photograph to give the maximum of light windows and the mean of dark ones.</summary>
    private static SKBitmap Gated(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new GatedPool2d(8);
        var x = photograph.Grey - 0.5;
        var (max, mean) = (nn.functional.max_pool2d(x, 8), nn.functional.avg_pool2d(x, 8));
        var wanted = where(mean > 0, max, mean);
        Training.Run(pool, 0.1, 150, () => nn.functional.mse_loss(pool.call(x), wanted));
        using var frozen = no_grad();
        var pooled = pool.call(x);
        var gates = (pooled - mean) / (max - mean).clamp_min(1e-3);
        return Panel.Draw(
            "new GatedPool2d(8)", Figure.Of("the photograph, in windows of 8×8", photograph.Rgb).Grid(8, 0.3f),
            Figure.Of("the gates, trained to take the maxima of light windows (red)", Pixels.Heat(gates[0, 0], 1)),
            Figure.Of("pooled: maxima where the gates are 1, means where they are 0", pooled + 0.5));
    }

    /// <summary>Trained on the photograph to give the maximum.</summary>
    private static SKBitmap Tree(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new TreePool2d(8, levels: 3);
        var x = photograph.Rgb - 0.5;
        var wanted = nn.functional.max_pool2d(x, 8);
        Training.Run(pool, 0.04, 150, () => nn.functional.mse_loss(pool.call(x), wanted));
        using var frozen = no_grad();
        var state = pool.state_dict();
        var tree = Figure.Blank("its filters now: 3 gates, root above, and 4 leaves (red: above 0)");
        Nodes("gates", 0, 1, 0);
        Nodes("gates", 1, 2, 1);
        Nodes("leaves", 0, 4, 2);
        return Panel.Draw(
            "new TreePool2d(8, levels: 3)", Figure.Of("pooled as it starts: nearly the mean", new TreePool2d(8, levels: 3).call(photograph.Rgb)),
            Figure.Of("after it was trained to give the maximum of each window", pool.call(x) + 0.5), tree);

        void Nodes(string name, int first, int count, int row)
        {
            var most = state[name].abs().max().ToDouble();
            for (var i = 0; i < count; i++)
            {
                var target = SKRect.Create(((i + 0.5f) * Figure.Width / count) - 24, row * 56, 48, 48);
                tree.Place(Pixels.Heat(state[name][first + i, 0], most), target).Outline(target);
            }
        }
    }
}
