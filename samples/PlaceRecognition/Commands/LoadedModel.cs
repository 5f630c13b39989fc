using PlaceRecognition.Data;
using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Commands;

/// <summary>An exported model: pictures in, descriptors out.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly jit.ScriptModule<Tensor, Tensor> script;

    public LoadedModel(string path)
    {
        try
        {
            script = torchscript.load<Tensor, Tensor>(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserException($"--model: no file {path}", e);
        }
        catch (Exception e) when (e is InvalidDataException or UnauthorizedAccessException)
        {
            throw new UserException($"--model: {e.Message}", e);
        }

        script.eval();
        using var scope = NewDisposeScope();
        var size = script.named_buffers().FirstOrDefault(buffer => buffer.name == "image_size").buffer
            ?? throw new UserException($"--model: {path} has no buffer image_size: it is no model of this sample");
        ImageSize = (size.dtype == ScalarType.Int64 ? ImageSize.Of(size.cpu().contiguous().data<long>().ToArray()) : null)
            ?? throw new UserException(
                $"--model: {path}: expected an image_size of height and width in Int64, got {size.dtype} [{string.Join(", ", size.cpu().to(ScalarType.Float64).flatten().data<double>())}]");
    }

    /// <summary>The size that it was trained at.</summary>
    public ImageSize ImageSize { get; }

    public Tensor Describe(Tensor pictures) => script.call(pictures);

    public void Dispose() => script.Dispose();
}
