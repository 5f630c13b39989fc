using static TorchSharp.torch;

namespace TorchPooling.Tests.Channels;

public class MaxoutTests
{
    [Fact]
    public void Groups_are_neighbouring_channels()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1.0, 5, 2, 4, 3, 0 }).reshape(1, 6);
        Tolerance.AssertClose(tensor(new[] { 5.0, 4 }).reshape(1, 2), new Maxout(3).call(x), 0);
        Tolerance.AssertClose(x, new Maxout(1).call(x), 0);
    }

    [Fact]
    public void It_is_the_maximum_over_groups_of_maps_volumes_and_vectors_in_outputs_and_gradients()
    {
        foreach (var shape in new long[][] { [3, 8], [2, 8, 5], [2, 8, 3, 4], [1, 8, 2, 3, 2], [0, 8, 3] })
        {
            using var scope = NewDisposeScope();
            var x = (Seeded.Normal(3, shape, ScalarType.Float64) * 2).round().requires_grad_();   // with ties
            var y = pooling.maxout(x, 4);
            var (expected, _) = x.reshape([shape[0], 2, 4, .. shape[2..]]).max(2);   // max along a dimension: the first of equal ones
            Tolerance.AssertClose(expected, y, 0);
            var direction = randn_like(y);
            Tolerance.AssertClose(autograd.grad([(expected * direction).sum()], [x])[0], autograd.grad([(y * direction).sum()], [x])[0], 0);
        }
    }

    [Fact]
    public void Four_filters_learned_apart_may_hold_the_turns_of_one()
    {
        using var scope = NewDisposeScope();
        var tied = new RotationMaxConv2d(2, 3, 3, padding: 1);
        var apart = nn.Conv2d(2, 12, 3, padding: 1);
        var state = tied.state_dict();
        using (no_grad())
        {
            for (var (o, t) = (0, 0); o < 3; (o, t) = t == 3 ? (o + 1, 0) : (o, t + 1))
            {
                apart.weight[(4 * o) + t].copy_(state["weight"][o].rot90(t, (1, 2)));
                apart.bias![(4 * o) + t].copy_(state["bias"][o]);
            }
        }

        var x = randn(2, 2, 6, 7);
        Tolerance.AssertClose(nn.Sequential(apart, new Maxout(4)).call(x), tied.call(x));
    }

    [Fact]
    public void Channels_that_do_not_divide_are_refused()
    {
        using var scope = NewDisposeScope();
        Refused("expected a multiple of 3 channels, got 4 in (2, 4, 5)", () => pooling.maxout(rand(2, 4, 5), 3));
        Refused("expected 1 to 2147483647", () => new Maxout(0));
        Refused("expected 1 to 2147483647", () => new Maxout(long.MaxValue));
        Refused("expected a tensor (N, C, …) of which no dimension but N is empty, got 2 dimensions (3, 0)", () => pooling.maxout(rand(3, 0), 1));

        static void Refused(string message, Func<object> make) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
    }
}
