using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Takes TorchSharp models out of .NET: files that PyTorch, C++ libtorch and TorchSharp load, run and train.</summary>
public static partial class torchscript
{
    private static readonly Lock OneAtATime = new();   // modes, buffers and random numbers of a model may be shared with another

    /// <summary>Writes <paramref name="module"/> as a TorchScript file that proved to compute the same.</summary>
    /// <remarks>
    /// <para>Modules of this library, those of TorchSharp, every module that implements <see cref="IScriptable"/> and those
    /// whose form was given to <see cref="register"/> can be exported. Parameters stay trainable under their state_dict
    /// names, shared ones stay shared, buffers, dtypes and the training mode are kept; a model on another device is written
    /// as CPU tensors, and stays where it is. A name that TorchScript cannot carry is written in a way that it can:
    /// <c>lambda_</c> for lambda, <c>gr_u00f6_u00dfe</c> for größe.</para>
    /// <para>The file is loaded again and compared with the C# forward: in eval mode on the example, on one row more, and on a
    /// larger image, if the model takes them; in training mode with its buffers after the step. What is random is compared
    /// where both draw the same numbers; where not, only its shapes are, and that both are random. The file appears under <paramref name="path"/> only if all agree to the rounding of
    /// the dtype, whole or not at all. What the example does not reach, a branch for another mask say, and gradients are not
    /// compared. The C# forward runs about five times on copies of the example, in the caller's gradient mode. Random
    /// numbers, buffers and modes are left as they were (rows that an Embedding with max_norm looks up become bounded, as in
    /// every forward); nothing else may use the model meanwhile, and no forward may wait for its backward.</para>
    /// <para>A forward may take and give tensors, numbers, None, and tuples and lists of them. TorchSharp cannot pass tuples to
    /// TorchScript: where the example has one, the file has a method <c>forward_flat</c>, too, that takes their items.</para>
    /// </remarks>
    /// <param name="module">The model.</param>
    /// <param name="path">The file to write; an existing one is replaced at the end.</param>
    /// <param name="example">An input of the model, on its device; a small one is enough.</param>
    /// <returns>The largest absolute difference of all outputs that were compared.</returns>
    /// <exception cref="ArgumentException">The model does not take <paramref name="example"/>, or turns it into nothing, NaN or infinity.</exception>
    /// <exception cref="NotSupportedException">A module in it has no TorchScript form; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The TorchScript form does not compile, fails, or computes something else.</exception>
    /// <exception cref="IOException">The file cannot be written, for instance on a full disk.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static double save<T, TResult>(nn.Module<T, TResult> module, string path, T example) =>
        Save(module, path, [example], x => module.call((T)x[0]!));

    /// <inheritdoc cref="save{T, TResult}"/>
    public static double save<T1, T2, TResult>(nn.Module<T1, T2, TResult> module, string path, T1 example1, T2 example2) =>
        Save(module, path, [example1, example2], x => module.call((T1)x[0]!, (T2)x[1]!));

    /// <inheritdoc cref="save{T, TResult}"/>
    public static double save<T1, T2, T3, TResult>(nn.Module<T1, T2, T3, TResult> module, string path, T1 example1, T2 example2, T3 example3) =>
        Save(module, path, [example1, example2, example3], x => module.call((T1)x[0]!, (T2)x[1]!, (T3)x[2]!));

    /// <inheritdoc cref="save{T, TResult}"/>
    public static double save<T1, T2, T3, T4, TResult>(
        nn.Module<T1, T2, T3, T4, TResult> module, string path, T1 example1, T2 example2, T3 example3, T4 example4) =>
        Save(module, path, [example1, example2, example3, example4], x => module.call((T1)x[0]!, (T2)x[1]!, (T3)x[2]!, (T4)x[3]!));

    /// <inheritdoc cref="save{T, TResult}"/>
    public static double save<T1, T2, T3, T4, T5, TResult>(
        nn.Module<T1, T2, T3, T4, T5, TResult> module, string path, T1 example1, T2 example2, T3 example3, T4 example4, T5 example5) =>
        Save(
            module, path, [example1, example2, example3, example4, example5],
            x => module.call((T1)x[0]!, (T2)x[1]!, (T3)x[2]!, (T4)x[3]!, (T5)x[4]!));

    /// <inheritdoc cref="save{T, TResult}"/>
    public static double save<T1, T2, T3, T4, T5, T6, TResult>(
        nn.Module<T1, T2, T3, T4, T5, T6, TResult> module, string path, T1 example1, T2 example2, T3 example3, T4 example4, T5 example5, T6 example6) =>
        Save(
            module, path, [example1, example2, example3, example4, example5, example6],
            x => module.call((T1)x[0]!, (T2)x[1]!, (T3)x[2]!, (T4)x[3]!, (T5)x[4]!, (T6)x[5]!));

    private static double Save(nn.Module module, string path, object?[] example, Func<object?[], object?> forward)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (ScriptCall.Leaves(example).All(leaf => leaf is null))
        {
            throw new ArgumentNullException(nameof(example));
        }

        foreach (var tensor in ScriptCall.Leaves(example).OfType<Tensor>())
        {
            Check.Dense(tensor, nameof(example));
        }

        var folder = Check.FolderOf(path);
        lock (OneAtATime)
        {
            using var scope = NewDisposeScope();
            var call = new ScriptCall(example);
            var classes = new ScriptClasses(module, call.Methods);
            var draft = Path.Combine(folder, $".torchscript-{Path.GetRandomFileName()}");
            jit.ScriptModule? script = null;
            try
            {
                ScriptArchive.Write(draft, classes);
                script = Load(draft, classes, ScriptCall.Leaves(example).OfType<Tensor>().FirstOrDefault()?.device ?? CPU);
                var difference = new ScriptProof(module, forward, script, call, classes.OwnForms).Run(example);
                File.Move(draft, path, overwrite: true);
                return difference;
            }
            finally
            {
                if (script is not null)
                {
                    ScriptLoader.Release(script);
                }

                File.Delete(draft);
            }
        }
    }

    /// <summary>The draft on the device of the example: the model's own kernels round the same.</summary>
    private static jit.ScriptModule Load(string draft, ScriptClasses classes, Device device)
    {
        try
        {
            return ScriptLoader.Guard(() => jit.load(draft, device));
        }
        catch (ExternalException e)
        {
            throw CompileError.Of(e, classes);
        }
    }
}
