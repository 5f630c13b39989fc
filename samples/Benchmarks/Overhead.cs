using System.Diagnostics;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>What a module's call costs beyond its libtorch calls: the same calls, written plainly in one dispose scope, run in turns
/// with it on a map so small that little else counts.</summary>
internal static class Overhead
{
    private const int Calls = 200;   // of a batch
    private const int WarmUp = 5;

    /// <param name="Name">The module.</param>
    /// <param name="Microseconds">By how much a call takes longer: the median over pairs of batches.</param>
    /// <param name="Bytes">How much more managed memory it allocates.</param>
    /// <param name="Plain">Microseconds of the plain calls.</param>
    internal sealed record Cost(string Name, double Microseconds, long Bytes, double Plain);

    public static IReadOnlyList<Cost> Measure(int batches = 51)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var threads = get_num_threads();
        set_num_threads(1);   // no time for handing out work that is none
        var x = rand(1, 8, 4, 4);
        var vlad = new NetVLAD(4, 8);
        var parameters = vlad.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        var (w, c) = (parameters["conv.weight"], parameters["centroids"]);
        var gem = new GeM2d();
        var p = gem.parameters().Single();
        var unit = new L2Normalize();
        var costs = new[]
        {
            Between(nameof(NetVLAD), batches, () => vlad.call(x), () => PlainNetVLAD(x, w, c)),
            Between(nameof(GeM2d), batches, () => gem.call(x), () => PlainGeM(x, p)),
            Between(nameof(L2Normalize), batches, () => unit.call(x), () => PlainUnit(x)),
        };
        set_num_threads(threads);
        return costs;
    }

    private static Cost Between(string name, int batches, Func<Tensor> ours, Func<Tensor> plain)
    {
        var (differences, bytes, plains) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = -WarmUp; i < batches; i++)
        {
            var (first, second) = i % 2 == 0 ? (ours, plain) : (plain, ours);   // who goes first takes turns
            var (a, b) = (Run(first), Run(second));
            var (own, other) = i % 2 == 0 ? (a, b) : (b, a);
            if (i >= 0)
            {
                differences.Add(own.Microseconds - other.Microseconds);
                bytes.Add(own.Bytes - other.Bytes);
                plains.Add(other.Microseconds);
            }
        }

        return new(name, Median(differences), (long)Median(bytes), Median(plains));
    }

    private static (double Microseconds, double Bytes) Run(Func<Tensor> call)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Calls; i++)
        {
            call().Dispose();
        }

        var time = watch.Elapsed.TotalMicroseconds;
        return (time / Calls, (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Calls);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static Tensor PlainNetVLAD(Tensor x, Tensor w, Tensor c)
    {
        using var scope = NewDisposeScope();
        var points = x.flatten(2);
        var squares = Squares(points, 1);
        _ = (squares > 1e24).any().ToBoolean();
        var scale = InverseRoot(squares);
        var share = (nn.functional.conv2d(points.unsqueeze(2), w.flatten(1).unsqueeze(2).unsqueeze(3)).flatten(2) * scale).softmax(1);
        var sums = (share * scale).bmm(points.transpose(1, 2)).addcmul_(share.sum(2, keepdim: true), c, -1);
        var lengths = Squares(sums, 2);
        _ = (lengths > 1e24).any().ToBoolean();
        var total = (lengths * 1e24).clamp_max(1).sum(1, keepdim: true);
        return (sums * (InverseRoot(lengths) * InverseRoot(total))).flatten(1).MoveToOuterDisposeScope();
    }

    private static Tensor PlainUnit(Tensor x)
    {
        using var scope = NewDisposeScope();
        var squares = Squares(x, 1);
        _ = (squares > 1e24).any().ToBoolean();
        return (x * InverseRoot(squares)).MoveToOuterDisposeScope();
    }

    private static Tensor Squares(Tensor x, long dim) =>
        nn.functional.mse_loss(x, x.new_zeros([1]).expand_as(x), nn.Reduction.None).sum(dim, keepdim: true);

    private static Tensor InverseRoot(Tensor squares) => squares.clamp_min(1e-24).rsqrt().masked_fill(squares == 0, 0);

    private static Tensor PlainGeM(Tensor x, Tensor p)
    {
        using var scope = NewDisposeScope();
        var floored = x.clamp_min(1e-6);
        var largest = floored.detach().amax([2, 3], keepdim: true);
        var powers = floored.div_(largest).pow(p);
        return (powers.mean([2, 3], keepdim: true).pow(p.reciprocal()) * largest).MoveToOuterDisposeScope();
    }
}
