using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchPooling;

public static partial class torchscript
{
    /// <summary>Loads a TorchScript file: one that <see cref="save{T, TResult}"/> or PyTorch's <c>torch.jit.save</c> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <param name="device">Where its tensors go; the CPU where null, wherever they were when the file was written.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    /// <exception cref="InvalidDataException">The file is no TorchScript file, or a damaged one.</exception>
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

    private static T Load<T>(string path, Device? device, Func<string, Device, T> read) => Load(path, () => read(path, device ?? CPU));

    private static T Load<T>(string path, Func<T> read)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using (File.OpenRead(path))
        {
        }

        try
        {
            return ScriptLoader.Guard(read);
        }
        catch (ExternalException e)
        {
            throw new InvalidDataException($"{path} is no TorchScript file that libtorch reads: {ScriptLoader.Message(e)}", e);
        }
    }
}
