using Stability.Data;
using Stability.Measures;
using Stability.Model;
using Stability.Training;
using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>Parameters and accuracy of a network with and without pooling before its linear layer.</summary>
/// <param name="Linear">Parameters of the linear layer.</param>
/// <param name="Runs">Seed by seed.</param>
internal sealed record Heads(string Name, long Parameters, long Linear, IReadOnlyList<Heads.Run> Runs)
{
    /// <param name="Test">Share of right answers to pictures that no training saw.</param>
    /// <param name="Train">Share of right answers to pictures that it learned from.</param>
    /// <param name="Seconds">Of the training.</param>
    internal sealed record Run(double Test, double Train, double Seconds)
    {
        public double Gap => Train - Test;
    }

    public const string Flat = "no pooling, the map flattened";
    public const string Pooled = "three max poolings, flattened";
    public const string Global = "three max poolings, then the mean of the map";

    public Estimate Of(Func<Run, double> value) => Estimate.Of(Runs.Select(value));

    /// <param name="pooled">The max-pooling networks of the comparison, seed by seed.</param>
    /// <param name="advance">Takes the share that was just done.</param>
    public static List<Heads> Measure(
        Source source, Learner learner, IReadOnlyList<(TrainedNetwork Result, Network Network)> pooled, Device device, Action<double> advance)
    {
        return
        [
            Trained(Flat, PoolingKind.None, global: false),
            new(Pooled, pooled[0].Network.Parameters, LinearOf(pooled[0].Network), [.. pooled.Select(one => RunOf(one.Network, one.Result.Curve))]),
            Trained(Global, PoolingKind.Max, global: true),
        ];

        Heads Trained(string name, PoolingKind pooling, bool global)
        {
            var (parameters, linear, runs) = (0L, 0L, new List<Run>());
            foreach (var (result, _) in pooled)
            {
                using var network = new Network(pooling, Start.White, result.Seed, source.Side, source.Train.Classes.Count, device, global);
                var curve = learner.Train(network.Module, result.Seed, share => advance(share / 2 / pooled.Count));
                runs.Add(RunOf(network, curve));
                (parameters, linear) = (network.Parameters, LinearOf(network));
            }

            return new(name, parameters, linear, runs);
        }

        Run RunOf(Network network, TrainingCurve curve) => new(learner.TestAccuracy(network.Module), learner.TrainAccuracy(network.Module), curve.Seconds);
    }

    private static long LinearOf(Network network) =>
        network.Module.named_parameters().Where(item => item.name.StartsWith("scores.", StringComparison.Ordinal)).Sum(item => item.parameter.numel());
}
