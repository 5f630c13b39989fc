using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Compares an exported model with the C# one: in eval mode on the example, on another batch size and another image
/// size where the model takes them, and in training mode, with the buffers that it changes.</summary>
/// <param name="module">The model; its modes and buffers are left as they were.</param>
/// <param name="forward">Its C# forward.</param>
/// <param name="script">The exported one.</param>
/// <param name="call">How <paramref name="script"/> is called.</param>
internal sealed class ScriptProof(nn.Module module, Func<object?[], object?> forward, jit.ScriptModule script, ScriptCall call)
{
    private readonly List<ModuleTensor> buffers = [.. ModuleTensors.All(module).Where(tensor => !tensor.IsParameter)];

    /// <returns>The largest absolute difference.</returns>
    /// <exception cref="ArgumentException">The example shows nothing.</exception>
    /// <exception cref="InvalidOperationException">The two differ.</exception>
    public double Run(object?[] example)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (modes, saved, random) = (Modes(), Values(), get_rng_state());
        try
        {
            module.eval();
            script.eval();
            var expected = Model(example);
            CheckShown(expected);
            var difference = Compare(example, expected, "on the example", random);
            foreach (var other in new[] { ScriptExample.OtherBatch(example), ScriptExample.OtherSize(example) }.OfType<object?[]>())
            {
                if (Accepted(other) is { } result)
                {
                    difference = Math.Max(difference, Compare(other, result, $"on {ScriptExample.Describe(other)}", random));
                }
            }

            return Math.Max(difference, InTraining(example, random));
        }
        finally
        {
            modes.ForEach(part => part.module.train(part.training));   // parents come before their children
            Restore(saved);
            set_rng_state(random);
        }
    }

    /// <summary>Batch norm refuses a batch of one, so the larger batch comes first.</summary>
    private double InTraining(object?[] example, Tensor random)
    {
        module.train();
        script.train();
        foreach (var input in new[] { ScriptExample.OtherBatch(example), example }.OfType<object?[]>())
        {
            set_rng_state(random);
            if (Accepted(input) is { } expected)
            {
                return Compare(input, expected, $"on {ScriptExample.Describe(input)} in training mode", random);
            }
        }

        return 0;
    }

    private double Compare(object?[] input, IReadOnlyList<ScriptResult> expected, string where, Tensor random)
    {
        set_rng_state(random);   // so dropout drops the same
        var actual = Script(input, where);
        var difference = ScriptResult.Difference(expected, actual, where);
        if (difference.Error is null)
        {
            return difference.Largest;
        }

        // Only values of a model that gives others each time may differ.
        return difference.InValuesOnly && IsRandom(input, expected, where) ? 0 : throw new InvalidOperationException(difference.Error);
    }

    private bool IsRandom(object?[] input, IReadOnlyList<ScriptResult> expected, string where) =>
        Enumerable.Range(0, 8).Any(_ => ScriptResult.Difference(expected, Model(input), where).Error is not null);

    /// <summary>What the model computes, or null where it does not take this input.</summary>
    private IReadOnlyList<ScriptResult>? Accepted(object?[] input)
    {
        try
        {
            return Model(input);
        }
        catch (Exception e) when (e is not OutOfMemoryException)   // the input is our idea, and what a model refuses is its own
        {
            return null;
        }
    }

    private List<ScriptResult> Model(object?[] input)
    {
        var saved = Values();
        try
        {
            var outputs = ScriptResult.Outputs(forward(ScriptExample.Copy(input)));
            return [.. outputs, .. Changed(buffers.Select(buffer => (buffer.ScriptName, buffer.Value)))];
        }
        finally
        {
            Restore(saved);
        }
    }

    private List<ScriptResult> Script(object?[] input, string where)
    {
        try
        {
            var outputs = ScriptResult.Outputs(call.Invoke(script, ScriptExample.Copy(input)));
            return [.. outputs, .. Changed(script.named_buffers())];
        }
        catch (Exception e) when (e is ExternalException or NotImplementedException)
        {
            throw new InvalidOperationException($"the TorchScript form fails {where}: {ScriptLoader.Message(e)}", e);
        }
    }

    private IEnumerable<ScriptResult> Changed(IEnumerable<(string name, Tensor value)> all) =>
        module.training ? all.OrderBy(buffer => buffer.name, StringComparer.Ordinal).Select(buffer => ScriptResult.Buffer(buffer.name, buffer.value)) : [];

    private static void CheckShown(List<ScriptResult> results)
    {
        foreach (var output in results.Select(result => result.Value).OfType<Tensor>())
        {
            if (output.numel() == 0 || !output.isfinite().all().ToBoolean())
            {
                throw new ArgumentException(
                    $"expected an example that shows what the model computes, got one that it turns into {(output.numel() == 0 ? "nothing" : "NaN or infinity")}: "
                    + $"{output.dtype} {Check.Shape(output)}", "example");
            }
        }
    }

    private List<(nn.Module module, bool training)> Modes() => [.. module.modules().Prepend(module).Select(part => (part, part.training))];

    private List<Tensor> Values() => [.. buffers.Select(buffer => buffer.Value.clone())];

    private void Restore(List<Tensor> values)
    {
        foreach (var (buffer, value) in buffers.Zip(values))
        {
            buffer.Value.copy_(value);
        }
    }
}
