using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Poolings by filters, strips and attention.</summary>
internal static class Filters
{
    public static IEnumerable<Illustration> All =>
    [
        new("BlurPool2d", photograph =>
        {
            using var pool = new BlurPool2d(7, stride: 4);
            return Shifted(photograph, "new BlurPool2d(7, stride: 4)", pool.call, "every fourth pixel", Subsampled);
        }),
        new("MaxBlurPool2d", photograph =>
        {
            using var pool = new MaxBlurPool2d(4, stride: 4, filter_size: 7);
            using var max = nn.MaxPool2d(4);
            return Shifted(photograph, "new MaxBlurPool2d(4, stride: 4, filter_size: 7)", pool.call, "nn.MaxPool2d(4)", max.call);
        }),
        new("StripPool2d", Strips),
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
        Training.Run(pool, 0.03, 150, () => nn.functional.mse_loss(pool.call(map), map * kept));
        using var frozen = no_grad();
        var gate = pool.call(map).sum(1)[0] / map.sum(1)[0].clamp_min(1e-6);
        var (rows, columns) = (map.mean([1, 3]).reshape(1, 1, -1, 1), map.mean([1, 2]).reshape(1, 1, 1, -1));
        var shown = Figure.Of("the photograph, and the means of its map's rows and columns", photograph.Rgb)
            .Place(rows / rows.max(), SKRect.Create(228, 0, 12, 160)).Place(columns / columns.max(), SKRect.Create(0, 148, 240, 12)).Box(Photograph.Car, Figure.Orange);
        return Panel.Draw(
            "new StripPool2d(channels: 8)", shown,
            Figure.Of("the gates, after training to let the car's place through (dark red: 1)", Pixels.Heat(gate, 1)),
            Figure.Of("what the gates leave of the photograph", photograph.Rgb * Enlarged(gate)));
    }

    /// <summary>Trained on the photograph to give the mean descriptor of the car, with the values as they are.</summary>
    internal static SKBitmap Attention(Photograph photograph)
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
        Training.Run(asked.Select(item => item.parameter), 0.2, 150, () => nn.functional.mse_loss(pool.call(map), wanted));
        var after = Weights();
        return Panel.Draw(
            "new AttentionPool2d((40, 60), embed_dim: 8, num_heads: 1)", Figure.Of("the photograph; its map has 8 channels and 60×40 positions", photograph.Rgb).Box(Photograph.Car, Figure.Orange),
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

    /// <summary>1 on the car and 0 elsewhere, (1, 1, 40, 60).</summary>
    private static Tensor OfCar()
    {
        var mask = zeros(1, 1, 40, 60);
        mask.narrow(2, 23, 10).narrow(3, 25, 22).fill_(1);
        return mask;
    }

    private static Tensor Enlarged(Tensor values) => nn.functional.interpolate(values.unsqueeze(0).unsqueeze(0), [Figure.Height, Figure.Width]);
}
