using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Takes TorchSharp models out of .NET: files that PyTorch, C++ libtorch and TorchSharp load, run and train.</summary>
public static class torchscript
{
    /// <summary>Writes <paramref name="module"/> as a TorchScript file that proved to compute the same.</summary>
    /// <remarks>
    /// <para>Modules of this library, the layers of TorchSharp that backbones and heads are made of, and every module that
    /// implements <see cref="IScriptable"/> can be exported. Parameters stay trainable under their state_dict names;
    /// a model on another device is written as CPU tensors, and stays where it is.</para>
    /// <para>The file is loaded again and its output compared with the C# forward on <paramref name="example"/>, both in eval
    /// mode; it appears under <paramref name="path"/> only if they agree to the rounding of the dtype.</para>
    /// </remarks>
    /// <param name="module">The model; its training mode is kept in the file.</param>
    /// <param name="path">The file to write; an existing one is replaced at the end.</param>
    /// <param name="example">An input of the model, on its device.</param>
    /// <returns>The largest absolute difference of the two outputs.</returns>
    /// <exception cref="NotSupportedException">A module in it has no TorchScript form; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The TorchScript form is no valid source, or computes something else.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static double save(nn.Module<Tensor, Tensor> module, string path, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(example);
        var draft = $"{path}.{Guid.NewGuid():N}.draft";
        var written = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            ScriptArchive.Write(draft, module);
            Rewrite(draft, written);
            var difference = Compare(module, written, example);
            File.Move(written, path, overwrite: true);
            return difference;
        }
        finally
        {
            File.Delete(draft);
            File.Delete(written);
        }
    }

    /// <summary>libtorch reads the draft and writes it in its own form, which every later version reads.</summary>
    private static void Rewrite(string draft, string path)
    {
        try
        {
            using var script = ScriptLoader.Load(draft);
            jit.save(script, path);
        }
        catch (ExternalException e)
        {
            throw new InvalidOperationException($"the TorchScript source of a module does not compile: {e.Message.Split("\nException raised from")[0].Trim()}", e);
        }
    }

    private static double Compare(nn.Module<Tensor, Tensor> module, string path, Tensor example)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var script = jit.load<Tensor, Tensor>(path);
        script.eval();
        var expected = InEval(module, () => module.call(example)).cpu();
        var actual = script.call(example.cpu());
        if (!expected.shape.SequenceEqual(actual.shape) || expected.dtype != actual.dtype)
        {
            throw new InvalidOperationException(
                $"the TorchScript form computes {actual.dtype} {Check.Shape(actual)}, the C# forward {expected.dtype} {Check.Shape(expected)}");
        }

        if (expected.numel() == 0)
        {
            return 0;
        }

        var gap = (expected - actual).abs().to(ScalarType.Float64);
        gap = where(expected.isnan().logical_and(actual.isnan()).logical_or(expected == actual), zeros_like(gap), gap);
        var difference = gap.max().ToDouble();
        var allowed = Tolerance(expected.dtype) * Math.Max(1, expected.nan_to_num(0, 0, 0).abs().max().to(ScalarType.Float64).ToDouble());
        if (!(difference <= allowed))
        {
            var worst = gap.nan_to_num(double.PositiveInfinity).argmax();
            throw new InvalidOperationException(
                $"the TorchScript form computes something else: {Value(actual, worst)} where the C# forward gives {Value(expected, worst)} "
                + $"(difference {difference:G3}, allowed {allowed:G3})");
        }

        return difference;
    }

    private static double Value(Tensor values, Tensor index) =>
        values.flatten()[index].to(ScalarType.Float64).ToDouble();

    /// <summary>Rounding of a deep network's output, relative to its largest value.</summary>
    private static double Tolerance(ScalarType dtype) => dtype switch
    {
        ScalarType.Float64 => 1e-10,
        ScalarType.Float32 => 1e-4,
        ScalarType.Float16 => 1e-2,
        ScalarType.BFloat16 => 5e-2,
        _ => 0,
    };

    private static T InEval<T>(nn.Module module, Func<T> body)
    {
        var modes = module.modules().Select(m => (m, m.training)).ToList();   // parents come before their children
        try
        {
            module.eval();
            return body();
        }
        finally
        {
            foreach (var (part, training) in modes)
            {
                part.train(training);
            }
        }
    }
}
