using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class GeM2dTests
{
    [Fact]
    public void With_p_1_it_is_the_mean_and_with_large_p_the_maximum()
    {
        using var scope = NewDisposeScope();
        var x = rand(2, 3, 5, 4, dtype: ScalarType.Float64) + 0.1;
        Tolerance.AssertClose(x.mean([2, 3], keepdim: true), new GeM2d(1, dtype: ScalarType.Float64).call(x));
        Tolerance.AssertClose(x.amax([2, 3], keepdim: true), new GeM2d(2000, dtype: ScalarType.Float64).call(x), 0.01);
    }

    [Fact]
    public void A_known_mean_of_cubes()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2, 3, 4 }).reshape(1, 1, 2, 2);   // (1 + 8 + 27 + 64) / 4 = 25
        Assert.Equal(Math.Cbrt(25), new GeM2d().call(x).ToDouble(), 1e-6);
    }

    [Fact]
    public void The_exponent_is_learned_under_the_name_p()
    {
        using var scope = NewDisposeScope();
        var module = new GeM2d();
        module.call(rand(1, 2, 3, 3)).sum().backward();
        Assert.Equal(["p"], module.state_dict().Keys);
        Assert.NotEqual(0, module.parameters().Single().grad!.ToDouble());
    }

    [Fact]
    public void An_exponent_or_floor_that_is_not_positive_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("p", () => new GeM2d(0));
        Assert.Throws<ArgumentOutOfRangeException>("eps", () => new GeM2d(3, -1));
    }
}
