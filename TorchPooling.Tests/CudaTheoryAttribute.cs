using TorchSharp;

namespace TorchPooling.Tests;

/// <summary>A theory that needs a GPU; shown as skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CudaTheoryAttribute : TheoryAttribute
{
    public CudaTheoryAttribute() => Skip = torch.cuda.is_available() ? null : "no CUDA device (build with -p:TorchBackend=cuda-linux or cuda-windows)";
}
