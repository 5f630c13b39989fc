using static TorchSharp.torch;

namespace PlaceRecognition.Commands;

internal static class Devices
{
    /// <summary>cpu, cuda or cuda:N, checked.</summary>
    public static Device Find(string name)
    {
        if (name == "cpu")
        {
            return CPU;
        }

        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name[5..], out _)))
        {
            throw new UserException($"--device: expected cpu, cuda or cuda:N, got '{name}'");
        }

        return cuda.is_available()
            ? device(name)
            : throw new UserException($"--device {name}: no CUDA device is available (was it built with -p:TorchBackend=cuda-linux or cuda-windows?)");
    }
}
