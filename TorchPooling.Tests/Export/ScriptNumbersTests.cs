using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

[Collection(nameof(AloneCollection))]
public class ScriptNumbersTests
{
    [Fact]
    public void Numbers_live_until_the_call_is_over_whatever_the_garbage_collector_does()
    {
        var unit = jit.compile("def sum(a: int, b: float, c: int, d: float) -> Tensor:\n    return torch.full([1], a + b + c + d)\n");
        using var collector = new GarbageCollector();
        for (var i = 0L; i < 20_000; i++)
        {
            using var y = ScriptNumbers.Held([i, 0.5, 2 * i, 0.25], held => (Tensor)unit.invoke("sum", held));
            Assert.Equal((3 * i) + 0.75, y.ToSingle(), 0.1);
        }
    }
}
