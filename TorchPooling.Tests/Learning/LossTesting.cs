using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Learning;

/// <summary>What the tests of all losses share: random batches, scalar distances, and checks of gradients and leaks.</summary>
internal static class LossTesting
{
    public static Tensor Random(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return randn(shape, dtype: ScalarType.Float64, generator: generator);
    }

    /// <summary>A mask of about this share of ones.</summary>
    public static Tensor Mask(int seed, double share, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return rand(shape, generator: generator) < share;
    }

    public static double[][] Rows(Tensor x) =>
        [.. Enumerable.Range(0, (int)x.size(0)).Select(i => x[i].to(ScalarType.Float64).contiguous().data<double>().ToArray())];

    public static bool[][] Marks(Tensor mask) =>
        [.. Enumerable.Range(0, (int)mask.size(0)).Select(i => mask[i].contiguous().data<bool>().ToArray())];

    public static double Squared(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();

    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    /// <summary>Compares the gradient of each input with central differences, in float64.</summary>
    public static void AssertGradients(Func<Tensor[], Tensor> loss, params Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        var leaves = Array.ConvertAll(inputs, x => x.detach().clone().requires_grad_());
        loss(leaves).backward();
        foreach (var leaf in leaves)
        {
            Tolerance.AssertClose(CentralDifferences.Of(leaf, () => loss(leaves)), leaf.grad!, 1e-6);
        }
    }

    /// <summary>The loss, after its gradients were found finite in every input.</summary>
    public static double Finite(Func<Tensor[], Tensor> loss, params Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        var leaves = Array.ConvertAll(inputs, x => x.detach().clone().requires_grad_());
        var value = loss(leaves);
        value.backward();
        Assert.All(leaves, leaf => Assert.True(leaf.grad!.isfinite().all().ToBoolean(), $"{leaf.grad!.cstr()}"));
        return value.ToDouble();
    }

    /// <summary>A loss computed and derived leaves no tensor but the gradients of its inputs; its result outlives a scope inside.</summary>
    public static void AssertNoLeak(Func<Tensor[], Tensor> loss, params Tensor[] inputs)
    {
        using var outer = NewDisposeScope();
        var leaves = Array.ConvertAll(inputs, x => x.detach().clone().requires_grad_());
        for (var i = 0; i < 3; i++)
        {
            var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            using var value = loss(leaves);
            Assert.Equal(before + 1, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
            value.backward();
        }
    }

    public static void Refused<T>(string message, Action action)
        where T : Exception =>
        Assert.Contains(message, Assert.Throws<T>(action).Message, StringComparison.Ordinal);
}
