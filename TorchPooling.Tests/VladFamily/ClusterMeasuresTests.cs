using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

public class ClusterMeasuresTests
{
    [Fact]
    public void By_distance_by_hand()
    {
        using var scope = NewDisposeScope();
        var points = tensor(new double[,] { { 0, 0 }, { 1, 0 }, { 4, 0 }, { 5, 0 } });
        var centers = tensor(new[,] { { 0.5, 0 }, { 4.5, 0 }, { 100, 0 } });
        var measured = ClusterMeasures.Of(points, centers, byDistance: true);
        Assert.Equal((20 + 12 + 12 + 20) / 4.0, measured.Gap, 1e-12);   // 4.5² − 0.5², 3.5² − 0.5²
        Assert.Equal(0.25, measured.QuantizationError, 1e-12);
        Assert.Equal(2 / 3.0, measured.UsedClusters, 1e-12);
    }

    [Fact]
    public void By_scalar_products_by_hand()
    {
        using var scope = NewDisposeScope();
        var points = tensor(new[,] { { 1, 0 }, { 0, 1 }, { 0.6, 0.8 } });
        var measured = ClusterMeasures.Of(points, tensor(new double[,] { { 2, 0 }, { 0, 3 } }), byDistance: false);
        Assert.Equal((1 + 1 + 0.2) / 3, measured.Gap, 1e-12);
        Assert.Equal((1 + 4 + (1.4 * 1.4 + 0.8 * 0.8)) / 3, measured.QuantizationError, 1e-12);
    }

    [Fact]
    public void Entropy_and_contrast_of_an_assignment_by_hand()
    {
        using var scope = NewDisposeScope();
        var points = tensor(new double[] { 0, 1 }).unsqueeze(1);
        Assert.Equal(-(0.6 * Math.Log(0.6) + 0.4 * Math.Log(0.4)) / Math.Log(2), ClusterMeasures.Entropy(points, 2, Assign), 1e-12);
        Assert.Equal(Math.Sqrt(4 * 1.5), ClusterMeasures.RatioOfWeights(points, 2, Assign), 1e-12);

        // Shares 0.8 and 0.2 of the point 0, 0.4 and 0.6 of the point 1.
        static Tensor Assign(Tensor x) => cat([0.8 - 0.4 * x, 0.2 + 0.4 * x], 1);
    }

    [Fact]
    public void A_second_weight_may_be_smaller_than_single_precision_holds()
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(2, 1, normalize_input: false, bias: true);
        var points = tensor(new float[] { 0, 1 }).unsqueeze(1);
        layer.set_centroids(points, 200);   // the second weighs e⁻²⁰⁰
        var state = layer.state_dict();
        var ratio = ClusterMeasures.RatioOfWeights(points, 2, x => pooling.soft_assignment(x, state["conv.weight"], state["conv.bias"], false, null).share);
        Assert.Equal(200, Math.Log(ratio), 1e-9);
    }
}
