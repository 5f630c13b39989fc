using Stability.Measures;
using Stability.Model;
using static TorchSharp.torch;

namespace Stability.Training;

/// <summary>A network of the comparison, before and after training.</summary>
/// <param name="FiltersBefore">Of the first convolution, (C, 1, 3, 3), on the CPU.</param>
internal sealed record TrainedNetwork(
    PoolingKind Pooling, Start Start, int Seed, long Parameters, Snapshot Before, Snapshot After, TrainingCurve Curve, Tensor FiltersBefore, Tensor FiltersAfter) : IDisposable
{
    /// <summary>Pooling and start.</summary>
    public string Name => NameOf(Pooling, Start);

    public static string NameOf(PoolingKind pooling, Start start) => start == Start.White ? pooling.Name : $"{pooling.Name}, {start.Name}";

    public Snapshot At(bool trained) => trained ? After : Before;

    public void Dispose()
    {
        FiltersBefore.Dispose();
        FiltersAfter.Dispose();
    }
}
