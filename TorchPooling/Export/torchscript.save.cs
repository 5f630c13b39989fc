using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Takes TorchSharp models out of .NET: files that PyTorch, C++ libtorch and TorchSharp load, run and train.</summary>
public static partial class torchscript
{
    private const double Smallest = 1e-6;   // an output of zeros has no size to be compared with

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
    /// <exception cref="ArgumentException">The model turns <paramref name="example"/> into nothing, or into NaN or infinity.</exception>
    /// <exception cref="NotSupportedException">A module in it has no TorchScript form; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The TorchScript form does not compile, fails, or computes something else.</exception>
    /// <exception cref="IOException">The file cannot be written, for instance on a full disk.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static double save(nn.Module<Tensor, Tensor> module, string path, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(example);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"no folder {folder} to write {path} to");
        }

        var draft = Path.Combine(folder, $".{Path.GetRandomFileName()}");
        var written = Path.Combine(folder, $".{Path.GetRandomFileName()}");
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
            ScriptLoader.Rewrite(draft, path);
        }
        catch (ExternalException e)
        {
            throw new InvalidOperationException($"the TorchScript source of a module does not compile: {FirstLines(e)}", e);
        }
    }

    private static double Compare(nn.Module<Tensor, Tensor> module, string path, Tensor example)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var expected = InEval(module, () => module.call(example.clone())).cpu();   // a layer may work in place
        var actual = RunScript(path, example.cpu());
        if (!expected.shape.SequenceEqual(actual.shape) || expected.dtype != actual.dtype)
        {
            throw new InvalidOperationException(
                $"the TorchScript form computes {actual.dtype} {Check.Shape(actual)}, the C# forward {expected.dtype} {Check.Shape(expected)}");
        }

        if (expected.numel() == 0 || !expected.isfinite().all().ToBoolean())
        {
            throw new ArgumentException(
                $"expected an example that shows what the model computes, got one that it turns into {(expected.numel() == 0 ? "nothing" : "NaN or infinity")}: "
                + $"{expected.dtype} {Check.Shape(expected)}", nameof(example));
        }

        var (ours, theirs) = (expected.to(ScalarType.Float64), actual.to(ScalarType.Float64));
        var gap = (ours - theirs).abs().nan_to_num(double.PositiveInfinity);
        var difference = gap.max().ToDouble();
        var allowed = Tolerance(expected.dtype) * Math.Max(Smallest, ours.abs().max().ToDouble());
        if (difference > allowed)
        {
            var worst = gap.argmax();
            throw new InvalidOperationException(
                $"the TorchScript form computes something else: {theirs.flatten()[worst].ToDouble()} where the C# forward gives "
                + $"{ours.flatten()[worst].ToDouble()} (difference {difference:G3}, allowed {allowed:G3})");
        }

        return difference;
    }

    private static Tensor RunScript(string path, Tensor example)
    {
        try
        {
            using var script = jit.load<Tensor, Tensor>(path);
            script.eval();
            return script.call(example);
        }
        catch (Exception e) when (e is ExternalException or InvalidCastException)
        {
            throw new InvalidOperationException($"the TorchScript form fails on the example: {FirstLines(e)}", e);
        }
    }

    /// <summary>libtorch's message without its C++ stack.</summary>
    private static string FirstLines(Exception e) => e.Message.Split("\nException raised from")[0].Trim();

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
