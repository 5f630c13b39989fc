using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class MACTests
{
    [Fact]
    public void It_is_the_maximum_and_the_first_of_equal_ones_takes_the_gradient()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 5, 5, -2, -3, -4, -3, -9 }).reshape(1, 2, 2, 2).requires_grad_();
        var y = new MAC().call(x);
        y.sum().backward();
        Assert.Equal([1, 2, 1, 1], y.shape);
        Assert.Equal([5f, -3], y.data<float>().ToArray());
        Assert.Equal([0f, 1, 0, 0, 1, 0, 0, 0], x.grad!.data<float>().ToArray());
    }
}
