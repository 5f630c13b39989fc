using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Poolings by filters, and learned mixtures.</summary>
internal static class Filters
{
    private static readonly SKRect Car = new(98, 93, 188, 132);

    public static IEnumerable<Illustration> All =>
    [
        new("BlurPool2d", photograph =>
        {
            using var pool = new BlurPool2d(7, stride: 4);
            return Shifted(photograph, "new BlurPool2d(7, stride: 4)", pool.call, "every fourth pixel", Subsampled);
        }),
        new("MaxBlurPool2d", photograph =>
        {
            using var pool = new MaxBlurPool2d(kernel_size: 4, filter_size: 7, stride: 4);
            using var max = nn.MaxPool2d(4);
            return Shifted(photograph, "new MaxBlurPool2d(kernel_size: 4, filter_size: 7, stride: 4)", pool.call, "nn.MaxPool2d(4)", max.call);
        }),
        new("StripPool2d", Strips),
        new("AttentionPool2d", Attention),
        new("MixedPool2d", Mixed),
        new("GatedPool2d", Gated),
        new("TreePool2d", Tree),
    ];

    /// <summary>What a shift of the photograph by one pixel changes, with the filter and without.</summary>
    private static SKBitmap Shifted(Photograph photograph, string call, Func<Tensor, Tensor> pool, string plainName, Func<Tensor, Tensor> plain)
    {
        using var scope = NewDisposeScope();
        var pooled = pool(photograph.Rgb);
        var (with, without) = (Change(pool), Change(plain));
        return Panel.Draw(
            call, Figure.Of($"pooled, {pooled.size(3)}×{pooled.size(2)}", pooled),
            Figure.Of($"{plainName}: a shift by one pixel changes {Percent(without)}", Pixels.Heat(without, 0.3)),
            Figure.Of($"this pooling: the same shift changes {Percent(with)}", Pixels.Heat(with, 0.3)));

        Tensor Change(Func<Tensor, Tensor> down) =>
            (down(photograph.Rgb.narrow(3, 0, Figure.Width - 4)) - down(photograph.Rgb.narrow(3, 1, Figure.Width - 4))).abs().mean([1])[0];
    }

    private static string Percent(Tensor change) => FormattableString.Invariant($"{100 * change.mean().ToDouble():0.0} %");

    private static Tensor Subsampled(Tensor x) => x.slice(2, 0, x.size(2), 4).slice(3, 0, x.size(3), 4);

    /// <summary>Trained on the photograph to let the car's positions through.</summary>
    private static SKBitmap Strips(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var map = Features.Of(photograph.Rgb);
        var kept = OfCar();
        using var pool = new StripPool2d(Features.Channels);
        Train(pool, 0.03, 150, () => nn.functional.mse_loss(pool.call(map), map * kept));
        using var frozen = no_grad();
        var gate = pool.call(map).sum(1)[0] / map.sum(1)[0].clamp_min(1e-6);
        var (rows, columns) = (map.mean([1, 3]).reshape(1, 1, -1, 1), map.mean([1, 2]).reshape(1, 1, 1, -1));
        var shown = Figure.Of("the photograph, and the means of its map's rows and columns", photograph.Rgb)
            .Place(rows / rows.max(), SKRect.Create(228, 0, 12, 160)).Place(columns / columns.max(), SKRect.Create(0, 148, 240, 12)).Box(Car, Figure.Orange);
        return Panel.Draw(
            "new StripPool2d(channels: 8)", shown,
            Figure.Of("the gates, after training to let the car's place through (dark red: 1)", Pixels.Heat(gate, 1)),
            Figure.Of("what the gates leave of the photograph", photograph.Rgb * Enlarged(gate)));
    }

    /// <summary>Trained on the photograph to give the mean descriptor of the car, with the values as they are.</summary>
    private static SKBitmap Attention(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var map = Features.Of(photograph.Rgb);
        var wanted = (map * OfCar()).sum([2, 3]) / OfCar().sum();
        using var pool = new AttentionPool2d((40, 60), embed_dim: 8, num_heads: 1);
        var state = pool.state_dict();
        using (no_grad())
        {
            foreach (var name in new[] { "positional_embedding", "v_proj.bias", "c_proj.bias" })
            {
                state[name].zero_();
            }

            state["v_proj.weight"].copy_(eye(8));
            state["c_proj.weight"].copy_(eye(8));
        }

        var before = Weights();
        var asked = pool.named_parameters().Where(item => item.name.StartsWith("q_", StringComparison.Ordinal) || item.name.StartsWith("k_", StringComparison.Ordinal));
        Train(asked.Select(item => item.parameter), 0.2, 150, () => nn.functional.mse_loss(pool.call(map), wanted));
        var after = Weights();
        return Panel.Draw(
            "new AttentionPool2d((40, 60), embed_dim: 8, num_heads: 1)", Figure.Of("the photograph; its map has 8 channels and 60×40 positions", photograph.Rgb).Box(Car, Figure.Orange),
            Figure.Of("the attention as it starts: all positions nearly alike", Weighted(before)),
            Figure.Of("after q and k were trained to give the mean descriptor of the car", Weighted(after)));

        Tensor Weights()
        {
            using var frozen = no_grad();
            var tokens = map.flatten(2)[0].transpose(0, 1);
            var q = nn.functional.linear(tokens.mean([0], keepdim: true), state["q_proj.weight"], state["q_proj.bias"]);
            var k = nn.functional.linear(tokens, state["k_proj.weight"], state["k_proj.bias"]);
            return (k.matmul(q.transpose(0, 1)).flatten() / Math.Sqrt(8)).softmax(0).reshape(40, 60);
        }

        Tensor Weighted(Tensor weights)
        {
            var large = Enlarged(weights)[0, 0];
            return Pixels.Weighted(photograph.Grey, large, large.max().ToDouble());
        }
    }

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
        Train(pool, 0.1, 150, () => nn.functional.mse_loss(pool.call(x), wanted));
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
        Train(pool, 0.04, 150, () => nn.functional.mse_loss(pool.call(x), wanted));
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

    /// <summary>1 on the car and 0 elsewhere, (1, 1, 40, 60).</summary>
    private static Tensor OfCar()
    {
        var mask = zeros(1, 1, 40, 60);
        mask.narrow(2, 23, 10).narrow(3, 25, 22).fill_(1);
        return mask;
    }

    private static Tensor Enlarged(Tensor values) => nn.functional.interpolate(values.unsqueeze(0).unsqueeze(0), [Figure.Height, Figure.Width]);

    private static void Train(nn.Module pool, double rate, int steps, Func<Tensor> loss) => Train(pool.parameters(), rate, steps, loss);

    private static void Train(IEnumerable<TorchSharp.Modules.Parameter> parameters, double rate, int steps, Func<Tensor> loss)
    {
        using var adam = optim.Adam(parameters, rate);
        for (var step = 0; step < steps; step++)
        {
            using var pass = NewDisposeScope();
            adam.zero_grad();
            loss().backward();
            adam.step();
        }
    }
}
