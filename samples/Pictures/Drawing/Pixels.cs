using SkiaSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Drawing;

/// <summary>Bitmaps from tensors, and tensors from bitmaps.</summary>
internal static class Pixels
{
    /// <summary>(1, 3, H, W), 0 … 1, of an RGBA8888 bitmap.</summary>
    public static Tensor Tensor(SKBitmap bitmap)
    {
        using var scope = NewDisposeScope();
        var rgba = tensor(bitmap.Bytes, ScalarType.Float32).reshape(1, bitmap.Height, bitmap.Width, 4);
        return rgba.narrow(3, 0, 3).permute(0, 3, 1, 2).div(255).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>An RGBA8888 bitmap of (1, 3, H, W), or of (1, 1, H, W) in grey; values beyond 0 … 1 are cut off.</summary>
    public static SKBitmap Bitmap(Tensor x)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var rgb = x[0].expand(3, -1, -1).detach().clamp(0, 1).mul(255).round().to(ScalarType.Byte);
        var rgba = cat([rgb, full_like(rgb[0..1], 255)]).permute(1, 2, 0).contiguous();
        var bitmap = new SKBitmap(new SKImageInfo((int)x.size(3), (int)x.size(2), SKColorType.Rgba8888, SKAlphaType.Opaque));
        rgba.bytes.CopyTo(bitmap.GetPixelSpan());
        return bitmap;
    }

    /// <summary>Values (H, W) as colours (1, 3, H, W): white for 0, dark red for <paramref name="most"/>, blue for what is below 0.</summary>
    public static Tensor Heat(Tensor values, double most)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var t = (values.detach() / Math.Max(most, 1e-12)).clamp(-1, 1).unsqueeze(0);
        var (above, below) = (t.clamp_min(0), t.neg().clamp_min(0));
        var (warm, cold) = (tensor(new float[] { 0.3f, 1, 1.15f }).reshape(3, 1, 1), tensor(new float[] { 1.1f, 0.75f, 0.3f }).reshape(3, 1, 1));
        return (1 - (above * warm) - (below * cold)).clamp(0, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>A grey picture (1, 1, H, W), pale, under orange as strong as the weights (H, W) are of <paramref name="most"/>.</summary>
    public static Tensor Weighted(Tensor grey, Tensor weights, double most)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var strength = (weights.detach() / Math.Max(most, 1e-12)).clamp(0, 1).mul(0.9).reshape(1, 1, weights.size(0), weights.size(1));
        var pale = 0.55 + (0.45 * grey);
        var orange = tensor(new float[] { 0.86f, 0.28f, 0 }).reshape(1, 3, 1, 1);
        return (pale * (1 - strength) + orange * strength).MoveToOuterDisposeScope();
    }
}
