using System.Runtime.InteropServices;
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
    private readonly List<(ModuleTensor Buffer, Tensor Value)> saved =
        [.. ModuleTensors.All(module).Where(tensor => !tensor.IsParameter).Select(tensor => (tensor, tensor.Value.clone()))];

    /// <returns>The largest absolute difference.</returns>
    /// <exception cref="ArgumentException">The model does not take the example, or the example shows nothing.</exception>
    /// <exception cref="InvalidOperationException">The two differ.</exception>
    public double Run(object?[] example)
    {
        var modes = module.modules().Prepend(module).Select(part => (module: part, part.training)).ToList();
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
            var inTraining = (withBatch is null ? null : Compare(batch!, $"in training mode, on {ScriptExample.Describe(batch!)}"))   // batch norm refuses a batch of one
                ?? Compare(example, $"in training mode, on {ScriptExample.Describe(example)}");
            return new[] { difference, withBatch, withSize, inTraining }.Max()!.Value;
        }
        finally
        {
            modes.ForEach(part => part.module.train(part.training));   // parents come before their children
            set_rng_state(random);
        }
    }

    /// <summary>The largest difference, or null where the model does not take the input, which is no fault of the form.</summary>
    private double? Compare(object?[] input, string where, bool isExample = false)
    {
        using var scope = NewDisposeScope();
        set_rng_state(random);
        List<ScriptResult> actual;
        try
        {
            actual = Script(input);
        }
        catch (Exception e) when (e is ExternalException or NotImplementedException)   // TorchSharp's for what it cannot pass on
        {
            return Refuses(input, isExample)
                ? null
                : throw new InvalidOperationException($"the TorchScript form fails {where}: {ScriptLoader.Message(e)}{own}", e);
        }

        var drawn = get_rng_state();
        set_rng_state(random);   // so dropout drops the same
        if (Accepted(input, isExample) is not { } expected)
        {
            return null;
        }

        var drawAlike = drawn.Equals(get_rng_state()) && ScriptExample.IsOnCpu(input);
        if (isExample)
        {
            CheckShown(expected);
        }

        var difference = ScriptResult.Difference(expected, actual, where);
        return difference.Error is null ? difference.Largest
            : difference.InValuesOnly && !drawAlike && AreRandom(input, expected, actual, where) ? 0
            : throw new InvalidOperationException(difference.Error + own);
    }

    /// <summary>Only values of a model and a form that both give others each time may differ, where they did not draw the same
    /// numbers.</summary>
    private bool AreRandom(object?[] input, List<ScriptResult> expected, List<ScriptResult> actual, string where) =>
        Varies(expected, () => Model(input), where) && Varies(actual, () => Script(input), where);

    private static bool Varies(List<ScriptResult> once, Func<List<ScriptResult>> again, string where) =>
        Enumerable.Range(0, 8).Any(_ => ScriptResult.Difference(once, again(), where).Error is not null);

    /// <summary>Whether the C# forward refuses what the script refused. TorchSharp lets some C++ exceptions through, which end the
    /// process, so it runs where the loader runs.</summary>
    private bool Refuses(object?[] input, bool isExample)
    {
        try
        {
            ScriptLoader.Guard(() =>
            {
                using var scope = NewDisposeScope();
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
        new($"the C# forward does not take the example, on {ScriptExample.Describe(input)}: {ScriptLoader.Message(e)}", "example", e);

    private List<ScriptResult> Model(object?[] input)
    {
        try
        {
            return Results(() => forward(ScriptExample.Copy(input)), () => saved.Select(item => (item.Buffer.ScriptName, item.Buffer.Value)));
        }
        finally
        {
            Restore();
        }
    }

    private List<ScriptResult> Script(object?[] input)
    {
        var before = script.named_buffers().Select(item => (item.buffer, value: item.buffer.clone())).ToList();
        try
        {
            return Results(() => call.Invoke(script, ScriptExample.Copy(input)), () => script.named_buffers());
        }
        finally
        {
            using var gradients = no_grad();
            before.ForEach(item => item.buffer.copy_(item.value));
        }
    }

    /// <summary>What a forward returns, and in training mode the buffers after it; its graph and intermediate values are dropped.</summary>
    private List<ScriptResult> Results(Func<object?> run, Func<IEnumerable<(string name, Tensor value)>> buffers)
    {
        using var scope = NewDisposeScope();
        List<ScriptResult> results = [.. ScriptResult.Outputs(run())];
        if (module.training)
        {
            results.AddRange(buffers().OrderBy(item => item.name, StringComparer.Ordinal).Select(item => ScriptResult.Buffer(item.name, item.value)));
        }

        results.ForEach(result => result.Value?.MoveToOuterDisposeScope());
        return results;
    }

    private static void CheckShown(List<ScriptResult> results)
    {
        var outputs = results.Select(result => result.Value).OfType<Tensor>().ToList();
        if (outputs.Count > 0 && outputs.All(output => !output.isfinite().any().ToBoolean()))
        {
            var first = outputs[0];
            throw new ArgumentException(
                $"expected an example that shows what the model computes, got one that it turns into {(first.numel() == 0 ? "nothing" : "NaN or infinity")}: "
                + $"{first.dtype} {Check.Shape(first)}", "example");
        }
    }

    /// <summary>Copies back what changed.</summary>
    private void Restore()
    {
        using var gradients = no_grad();
        foreach (var (buffer, value) in saved)
        {
            if (buffer.Value.IsInvalid)
            {
                throw new InvalidOperationException($"the C# forward replaces the buffer {buffer.Name}: a module that is exported changes it in place, as by copy_");
            }

            if (!buffer.Value.Equals(value))
            {
                buffer.Value.copy_(value);
            }
        }
    }
}
