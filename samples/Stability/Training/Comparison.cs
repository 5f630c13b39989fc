using Stability.Data;
using Stability.Measures;
using Stability.Model;
using static TorchSharp.torch;

namespace Stability.Training;

/// <summary>The networks of the comparison: every pooling, and smooth starts of two.</summary>
internal sealed class Comparison(Source source, Laboratory laboratory, Learner learner, Device device)
{
    public static IReadOnlyList<double> Sigmas { get; } = [0.5, 1, 2];

    public static IReadOnlyList<(PoolingKind Pooling, Start Start)> Kinds { get; } =
    [
        .. PoolingKind.All.Select(pooling => (pooling, Start.White)),
        .. from pooling in new[] { PoolingKind.Max, PoolingKind.Strided } from sigma in Sigmas select (pooling, new Start(sigma)),
    ];

    /// <param name="advance">Takes the share of one network that was just done.</param>
    /// <returns>What was measured, and the network itself, which the caller disposes.</returns>
    public (TrainedNetwork Result, Network Network) Run(PoolingKind pooling, Start start, int seed, Action<double> advance)
    {
        var network = new Network(pooling, start, seed, source.Side, source.Train.Classes.Count, device);
        try
        {
            var before = laboratory.Measure(network.Module);
            var filtersBefore = Copy(network);
            var curve = learner.Train(network.Module, seed, advance);
            return (new(pooling, start, seed, network.Parameters, before, laboratory.Measure(network.Module), curve, filtersBefore, Copy(network)), network);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static Tensor Copy(Network network)
    {
        using var scope = NewDisposeScope();
        return Network.Filters(network.Module, 0).detach().to(CPU, copy: true).DetachFromDisposeScope();
    }
}
