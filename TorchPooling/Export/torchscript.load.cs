using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace TorchPooling;

public static partial class torchscript
{
    /// <summary>Loads a TorchScript file: one that <see cref="save{T, TResult}"/> or PyTorch's <c>torch.jit.save</c> wrote.</summary>
    /// <remarks>
    /// <para>What TorchSharp's <c>jit.load</c> does, for files that nobody vouches for: the file is looked through before
    /// libtorch reads it, checksums, storages, shapes, classes and types included, and what libtorch throws is an exception
    /// of .NET. It costs one more pass over the file, 0.3 s for VGG-16's 550 MB. Quantized and sparse tensors, enums, classes of
    /// C++ and classes that run code while they are loaded (<c>__setstate__</c>) are refused.</para>
    /// <para>TorchScript is code. Loading calls none of it, but libtorch compiles it and evaluates its constant expressions,
    /// which source written to do harm can make endless, larger than the memory or a division of whole numbers that ends the
    /// process. Calling the module runs code that can do the same, overflow the stack, write files, or hand weights to
    /// kernels that do not check them (an LSTM with weights of size 0 ends the process). What you do not trust at all belongs
    /// into a process that may die and may not do much. Where source does not compile, a thread is lost that never ends, as
    /// libtorch cannot be left in another way.</para>
    /// <para>The module's tensors belong to no dispose scope, so it outlives the one that it is loaded in. They were made on
    /// another thread, whose statistics count them. TorchSharp frees them at once where a scope is open around Dispose, and
    /// leaves them to the garbage collector otherwise.</para>
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="device">Where its tensors go; the CPU where null, wherever they were when the file was written.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    /// <exception cref="InvalidDataException">The file is no TorchScript file, is damaged, does not compile, or holds what is
    /// refused; the message says which.</exception>
    /// <exception cref="InvalidOperationException">The device is not available.</exception>
    public static jit.ScriptModule load(string path, Device? device = null) => Load(path, device, jit.load);

    /// <inheritdoc cref="load(string, Device?)"/>
    /// <typeparam name="TResult">What <c>forward</c> returns; it takes any number of tensors.</typeparam>
    public static jit.ScriptModule<TResult> load<TResult>(string path, Device? device = null) => Load(path, device, jit.load<TResult>);

    /// <inheritdoc cref="load(string, Device?)"/>
    /// <typeparam name="T">What <c>forward</c> takes.</typeparam>
    /// <typeparam name="TResult">What <c>forward</c> returns.</typeparam>
    public static jit.ScriptModule<T, TResult> load<T, TResult>(string path, Device? device = null) => Load(path, device, jit.load<T, TResult>);

    /// <inheritdoc cref="load(string, Device?)"/>
    /// <typeparam name="T1">The first that <c>forward</c> takes.</typeparam>
    /// <typeparam name="T2">The second that <c>forward</c> takes.</typeparam>
    /// <typeparam name="TResult">What <c>forward</c> returns.</typeparam>
    public static jit.ScriptModule<T1, T2, TResult> load<T1, T2, TResult>(string path, Device? device = null) =>
        Load(path, device, jit.load<T1, T2, TResult>);

    private static T Load<T>(string path, Device? device, Func<string, Device, T> read) => Read(path, () => read(path, device ?? CPU));

    /// <summary>Reads a file that proved to be sound; what is wrong with it nevertheless is told with its path.</summary>
    private static T Read<T>(string path, Func<T> read)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            ScriptFile.Check(path);
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException)
        {
            throw new InvalidDataException($"{path} {e.Message}", e);
        }

        try
        {
            return ScriptLoader.Guard(read);
        }
        catch (ExternalException e)
        {
            var reason = e.Message.Contains("File \"code/", StringComparison.Ordinal) ? "has source that does not compile" : "is refused by libtorch";
            throw new InvalidDataException($"{path} {reason}: {Enforced().Replace(ScriptLoader.Message(e).Split("\nframe #")[0], "")}", e);
        }
    }

    /// <summary>The place in libtorch's own source that some of its messages start with.</summary>
    [GeneratedRegex(@"^\[enforce fail at [^\]]*\] \. ")]
    private static partial Regex Enforced();
}
