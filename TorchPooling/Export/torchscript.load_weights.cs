using static TorchSharp.torch;

namespace TorchPooling;

public static partial class torchscript
{
    /// <summary>Copies the parameters and buffers of a TorchScript file into <paramref name="module"/>, by name.</summary>
    /// <remarks>
    /// <para>The file may come from Python or from <see cref="save{T, TResult}"/>, from a CPU or a GPU: names, shapes and dtypes have to
    /// agree, not classes. A tensor that the module shares under several names needs to be in the file under one of them.
    /// A buffer that is not persistent is taken where the file has it, and not missed where it has not.</para>
    /// <para>Nothing else of the module changes: not its device, training mode, gradients or <c>requires_grad</c>.</para>
    /// </remarks>
    /// <param name="module">The module, on any device.</param>
    /// <param name="path">The TorchScript file.</param>
    /// <param name="strict">Whether everything has to fit: then nothing is copied where anything does not. Where false,
    /// what fits is copied.</param>
    /// <returns>A line for each tensor that was left out, with the reason; none where <paramref name="strict"/>.</returns>
    /// <exception cref="InvalidDataException">The file is no TorchScript file or, where <paramref name="strict"/>, does not fit
    /// the module; the message lists every missing and unexpected name and every difference in shape or dtype. Or nothing of it fits.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    /// <exception cref="InvalidOperationException">A tensor of the module cannot be written to, for instance an expanded one.</exception>
    public static IReadOnlyList<string> load_weights(nn.Module module, string path, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Read(path, () =>
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            var script = jit.load(path, CPU);
            try
            {
                return Copy(new WeightMatch(module, script), module, path, strict);
            }
            finally
            {
                ScriptLoader.Release(script);
            }
        });
    }

    private static IReadOnlyList<string> Copy(WeightMatch match, nn.Module module, string path, bool strict)
    {
        if (strict && match.Left.Count > 0)
        {
            throw new InvalidDataException(
                $"{path} does not fit the module {module.GetType().Name}, nothing was copied:\n  {string.Join("\n  ", match.Left)}");
        }

        if (match.NothingFits)
        {
            throw new InvalidDataException($"nothing of {path} fits the module {module.GetType().Name}:\n  {string.Join("\n  ", match.Left)}");
        }

        foreach (var (name, target, _) in match.Fitting)
        {
            if (target.shape.Zip(target.stride()).Any(d => d.First > 1 && d.Second == 0))
            {
                throw new InvalidOperationException($"{name} of the module cannot be written to, as elements of it share memory; nothing was copied");
            }
        }

        foreach (var (_, target, source) in match.Fitting)
        {
            target.copy_(source.reshape(target.shape));
        }

        GC.KeepAlive(module);   // a collected norm layer of TorchSharp 0.107 frees its weights
        return match.Left;
    }
}
