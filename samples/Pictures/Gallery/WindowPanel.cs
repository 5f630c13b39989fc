using System.Runtime.CompilerServices;
using OperatorPictures.Drawing;
using SkiaSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>A pooling of windows: the photograph under its windows, the pooled photograph, and what the pixels of a detail count.</summary>
internal static class WindowPanel
{
    /// <param name="make">Makes the module; its text is the panel's title.</param>
    /// <param name="kernel">Side of the windows, for the drawn grid.</param>
    /// <param name="brightness">What white is for the module: an operator of exponentials tells little from 0 … 1.</param>
    /// <param name="shown">What white is in the drawn output, where that is not the input's.</param>
    /// <param name="said">What the third figure shows, where it is not the gradient's usual meaning.</param>
    /// <param name="call">What <paramref name="make"/> says.</param>
    public static SKBitmap Draw(
        Photograph photograph, Func<nn.Module<Tensor, Tensor>> make, int kernel = 8, double brightness = 1, double shown = 1, string said = "what each pixel of a window counts (its gradient), in the frame",
        [CallerArgumentExpression(nameof(make))] string call = "")
    {
        using var scope = NewDisposeScope();
        using var module = make();
        module.eval();
        var pooled = module.call(photograph.Rgb * brightness) / (brightness * shown);
        var stride = (int)Math.Round((double)Figure.Width / pooled.size(3));
        return Panel.Draw(
            Illustration.Code(call),
            WithWindows(photograph, kernel, stride),
            Figure.Of($"pooled, {pooled.size(3)}×{pooled.size(2)}{Scale(brightness, shown)}", pooled),
            Detailed(photograph, Counts(module, photograph.Grey * brightness), kernel, stride, said));
    }

    /// <summary>∂ Σ y / ∂ x of a grey picture, (H, W).</summary>
    public static Tensor Counts(nn.Module<Tensor, Tensor> module, Tensor grey)
    {
        using var x = grey.detach().clone().requires_grad_();
        using var y = module.call(x).sum();
        return autograd.grad([y], [x])[0][0, 0];
    }

    public static Figure WithWindows(Photograph photograph, int kernel, int stride) =>
        Figure.Of($"{Figure.Width}×{Figure.Height}, in windows of {kernel}×{kernel}", photograph.Rgb)
            .Grid(stride, 0.3f)
            .Box(Detail.Frame, Figure.Orange);

    public static Figure Detailed(Photograph photograph, Tensor counts, int kernel, int stride, string said)
    {
        var (grey, weights) = (Detail.Of(photograph.Grey), Detail.Of(counts.reshape(1, 1, Figure.Height, Figure.Width)));
        var most = nn.functional.interpolate(nn.functional.max_pool2d(weights, stride, ceil_mode: true), scale_factor: [stride, stride]);
        var shares = weights / most.narrow(2, 0, weights.size(2)).narrow(3, 0, weights.size(3)).clamp_min(1e-12);
        var figure = Figure.Of(said, Pixels.Weighted(grey, shares[0, 0], 1)).Grid(stride * Detail.Zoom, 0.9f);
        var around = (kernel - stride) / 2;
        return around == 0 ? figure : figure.Box(
            SKRect.Create(((2 * stride) - around) * Detail.Zoom, (stride - around) * Detail.Zoom, kernel * Detail.Zoom, kernel * Detail.Zoom), Figure.Ink);
    }

    private static string Scale(double brightness, double shown) =>
        (brightness, shown) switch
        {
            (1, 1) => "",
            (1, _) => $" (values divided by {shown:0.#})",
            _ => $", where white is {brightness}",
        };
}
