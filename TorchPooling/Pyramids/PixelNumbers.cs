using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Room for the number of the largest pixel, which takes the gradient.</summary>
/// <remarks>On a CPU libtorch 2.10's adaptive maximum pooling notes that number in the map's dtype, unless the map is channels-last:
/// bfloat16 rounds numbers beyond 2⁸, float16 beyond 2¹¹, float32 beyond 2²⁴.</remarks>
internal static class PixelNumbers
{
    public const string Script =
        """

        def numbered(self, x: Tensor) -> Tensor:
            if not x.requires_grad or not x.device == torch.device("cpu"):
                return x
            pixels = 1
            for side in x.size()[2:]:
                pixels = pixels * side
            if pixels > 16777216:
                return x.double()
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                return x.float()
            return x

        """;

    /// <summary><paramref name="x"/>, where it takes a gradient in a dtype that holds the numbers of its pixels.</summary>
    public static Tensor Numbered(Tensor x)
    {
        if (!x.requires_grad || x.device_type != DeviceType.CPU)
        {
            return x;
        }

        var pixels = x.shape.Skip(2).Aggregate(1L, (product, side) => product * side);
        return x.to(pixels > 1 << 24 ? ScalarType.Float64 : Check.AtLeastFloat32(x.dtype));
    }
}
