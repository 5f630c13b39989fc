using static TorchSharp.torch;

namespace Distributed.Commands;

internal static class Devices
{
    /// <summary>cpu or cuda; the ranks of finetune.py look for their own GPUs.</summary>
    public static Device Find(string name, bool here) => name switch
    {
        "cpu" => CPU,
        "cuda" when !here => CPU,
        "cuda" when cuda.is_available() => CUDA,
        "cuda" => throw new UserException("--device cuda: no CUDA device is available (was it built with -p:TorchBackend=cuda-linux or cuda-windows?)"),
        _ => throw new UserException($"--device: expected cpu or cuda, got '{name}'"),
    };
}
