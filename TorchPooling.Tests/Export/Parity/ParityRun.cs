using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

/// <summary>All numbers that a forward and a backward leave: outputs, inputs after it, gradients, buffers, as float64.</summary>
internal static class ParityRun
{
    /// <param name="forward">The C# module's or the script's.</param>
    /// <param name="parameters">By name, in the module's order.</param>
    /// <param name="buffers">By name.</param>
    /// <param name="inputs">Left as they are.</param>
    /// <param name="item">What has no gradient.</param>
    public static List<(string Name, Tensor Value)> Of(
        Func<object?[], object?> forward, IEnumerable<(string name, Tensor tensor)> parameters, Func<IEnumerable<(string name, Tensor tensor)>> buffers, object?[] inputs, ParityCase item)
    {
        var weights = parameters.ToList();
        weights.ForEach(weight => weight.tensor.grad = null);
        var leaves = new List<Tensor>();
        var given = inputs.Select(input => Values.Map(input, tensor =>
        {
            leaves.Add(tensor.detach().clone().requires_grad_(tensor.is_floating_point() && leaves.Count < item.Differentiable));
            return leaves[^1].clone();   // a leaf may not be changed in place
        })).ToArray();
        if (item.Random)
        {
            random.manual_seed(5);   // others run beside tests that draw
        }

        var result = forward(given);
        var outputs = Values.Tensors(result).ToList();
        var results = outputs.Select((output, i) => ($"output {i}", output.detach().clone())).ToList();
        results.AddRange(Values.Tensors(given).Select((input, i) => ($"input {i} after", input.detach().clone())));
        var total = outputs.Where(output => output.requires_grad).Select(output => (output * Direction(output)).sum()).ToList();
        if (total.Count > 0 && !item.NoGradient)
        {
            stack(total).sum().backward();
        }

        results.AddRange(leaves.Select((leaf, i) => ($"gradient of input {i}", Dense(leaf))));
        results.AddRange(weights.Select(weight => ($"gradient of {weight.name}", Dense(weight.tensor))));
        results.AddRange(buffers().OrderBy(buffer => buffer.name, StringComparer.Ordinal).Select(buffer => (buffer.name, buffer.tensor.clone())));
        return results;
    }

    /// <summary>Gradients that differ from place to place, the same in Python.</summary>
    private static Tensor Direction(Tensor output) => arange(output.numel(), dtype: ScalarType.Float64).cos().reshape(output.shape).to(output.dtype);

    private static Tensor Dense(Tensor leaf) => leaf.grad is not { } gradient ? zeros(0, dtype: ScalarType.Float64)
        : gradient.is_sparse ? gradient.to_dense() : gradient.clone();
}
