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
/// <param name="own">What messages end with: which modules have a form that is not of these libraries.</param>
internal sealed class ScriptProof(nn.Module module, Func<object?[], object?> forward, jit.ScriptModule script, ScriptCall call, string own)
{
    private readonly Tensor random = get_rng_state();
    private List<Tensor> initial = [];
    private readonly List<ModuleTensor> buffers = [.. ModuleTensors.All(module).Where(tensor => !tensor.IsParameter)];

    /// <returns>The largest absolute difference.</returns>
    /// <exception cref="ArgumentException">The model does not take the example, or the example shows nothing.</exception>
    /// <exception cref="InvalidOperationException">The two differ.</exception>
    public double Run(object?[] example)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var modes = Modes();
        initial = Values();
        try
        {
            module.eval();
            script.eval();
            var difference = Compare(example, "on the example", isExample: true)!.Value;
            var (batch, size) = (ScriptExample.OtherBatch(example), ScriptExample.OtherSize(example));
            var withBatch = batch is null ? null : Compare(batch, $"on one row more than the example, {ScriptExample.Describe(batch)}");
            var withSize = size is null ? null : Compare(size, $"on a larger image made of the example, {ScriptExample.Describe(size)}");
            module.train();
            script.train();
            var inTraining = (withBatch is null ? null : Compare(batch!, $"in training mode, {Inputs(batch!)}"))   // batch norm refuses a batch of one
                ?? Compare(example, $"in training mode, {Inputs(example)}");
            return new[] { difference, withBatch, withSize, inTraining }.Max()!.Value;
        }
        finally
        {
            modes.ForEach(part => part.module.train(part.training));   // parents come before their children
            Restore();
            set_rng_state(random);
        }
    }

    /// <summary>The largest difference, or null where the model does not take the input, which is no fault of the form.</summary>
    private double? Compare(object?[] input, string where, bool isExample = false)
    {
        set_rng_state(random);
        List<ScriptResult> actual;
        try
        {
            actual = Script(input);
        }
        catch (Exception e) when (e is ExternalException or NotImplementedException)
        {
            return Refuses(input, isExample)
                ? null
                : throw new InvalidOperationException($"the TorchScript form fails {where}: {ScriptLoader.Message(e)}{own}", e);
        }

        set_rng_state(random);   // so dropout drops the same
        if (Accepted(input, isExample) is not { } expected)
        {
            return null;
        }

        if (isExample)
        {
            CheckShown(expected);
        }

        var difference = ScriptResult.Difference(expected, actual, where);
        return difference.Error is null ? difference.Largest
            : difference.InValuesOnly && IsRandom(input, expected, where) ? 0
            : throw new InvalidOperationException(difference.Error + own);
    }

    /// <summary>Only values of a model that gives others each time may differ.</summary>
    private bool IsRandom(object?[] input, IReadOnlyList<ScriptResult> expected, string where) =>
        Enumerable.Range(0, 8).Any(_ => ScriptResult.Difference(expected, Model(input), where).Error is not null);

    /// <summary>Whether the C# forward refuses what the script refused. TorchSharp lets some C++ exceptions through, which end the
    /// process, so it runs where the loader runs.</summary>
    private bool Refuses(object?[] input, bool isExample)
    {
        try
        {
            ScriptLoader.Guard(() =>
            {
                using var scope = NewDisposeScope();
                using var gradients = no_grad();
                return Model(input).Count;
            });
            return false;
        }
        catch (Exception e) when (e is not OutOfMemoryException)   // the input is our idea, and what a model refuses is its own
        {
            Restore();   // the thread may have stopped in the middle
            return isExample ? throw NotTaken(input, e) : true;
        }
    }

    private List<ScriptResult>? Accepted(object?[] input, bool isExample)
    {
        try
        {
            return Model(input);
        }
        catch (ExternalException e) when (isExample)
        {
            throw NotTaken(input, e);
        }
        catch (Exception e) when (!isExample && e is not OutOfMemoryException)
        {
            return null;
        }
    }

    private static ArgumentException NotTaken(object?[] input, Exception e) =>
        new($"the C# forward does not take the example, {Inputs(input)}: {ScriptLoader.Message(e)}", "example", e);

    private static string Inputs(object?[] input) => $"on {ScriptExample.Describe(input)}";

    private List<ScriptResult> Model(object?[] input)
    {
        try
        {
            var outputs = ScriptResult.Outputs(forward(ScriptExample.Copy(input)));
            return [.. outputs, .. Changed(buffers.Select(buffer => (buffer.ScriptName, buffer.Value)))];
        }
        finally
        {
            Restore();
        }
    }

    private List<ScriptResult> Script(object?[] input)
    {
        var saved = script.named_buffers().Select(buffer => (buffer.buffer, value: buffer.buffer.clone())).ToList();
        try
        {
            var outputs = ScriptResult.Outputs(call.Invoke(script, ScriptExample.Copy(input)));
            return [.. outputs, .. Changed(script.named_buffers())];
        }
        finally
        {
            saved.ForEach(buffer => buffer.buffer.copy_(buffer.value));
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

    private void Restore()
    {
        foreach (var (buffer, value) in buffers.Zip(initial))
        {
            buffer.Value.copy_(value);
        }
    }
}
