using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>Gradients without autograd.</summary>
internal static class CentralDifferences
{
    /// <summary>The slope of <paramref name="loss"/> along each entry of <paramref name="value"/>, which is moved in place.</summary>
    public static Tensor Of(Tensor value, Func<Tensor> loss)
    {
        const double step = 1e-6;
        using var gradients = no_grad();
        var gradient = zeros_like(value);
        var (flat, result) = (value.view(-1), gradient.view(-1));
        for (var i = 0; i < flat.numel(); i++)
        {
            using var scope = NewDisposeScope();
            var kept = flat[i].clone();
            flat[i] = kept + step;
            var above = loss();
            flat[i] = kept - step;
            var below = loss();
            flat[i] = kept;
            result[i] = (above - below) / (2 * step);
        }

        return gradient;
    }
}
