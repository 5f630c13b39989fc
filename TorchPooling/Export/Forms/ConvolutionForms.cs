using TorchSharp;
using TorchSharp.Modules;
using static TorchPooling.ScriptForms;

namespace TorchPooling;

internal static class ConvolutionForms
{
    public static void Add()
    {
        ScriptForms.Add<Conv1d>(m => Convolve(m, 1));
        ScriptForms.Add<Conv2d>(m => Convolve(m, 2));
        ScriptForms.Add<Conv3d>(m => Convolve(m, 3));
        ScriptForms.Add<ConvTranspose1d>(m => Transposed(m, 1));
        ScriptForms.Add<ConvTranspose2d>(m => Transposed(m, 2));
        ScriptForms.Add<ConvTranspose3d>(m => Transposed(m, 3));
    }

    private static ScriptDefinition Convolve(Convolution conv, int dimensions)
    {
        var around = Around(conv, dimensions);
        var even = Enumerable.Range(0, dimensions).All(d => around[2 * d] == around[2 * d + 1]);
        (string, object?)[] attributes =
        [
            .. Absent(("bias", conv.bias)), ("stride", Each(conv.stride, dimensions)), ("dilation", Each(conv.dilation, dimensions)),
            ("groups", conv.groups),
        ];
        if (conv.padding_mode == PaddingModes.Zeros && even)
        {
            return Line(
                $"torch.conv{dimensions}d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)",
                [.. attributes, ("padding", Enumerable.Range(0, dimensions).Reverse().Select(d => around[2 * d]).ToArray())]);
        }

        return new(
            $"""
            def forward(self, x: Tensor) -> Tensor:
                x = torch.{(conv.padding_mode == PaddingModes.Zeros ? "constant_pad_nd(x, self.padding)" : "pad(x, self.padding, self.padding_mode)")}
                return torch.conv{dimensions}d(x, self.weight, self.bias, self.stride, [{string.Join(", ", Enumerable.Repeat(0, dimensions))}], self.dilation, self.groups)
            """,
            [.. attributes, ("padding", around), ("padding_mode", ShapeForms.Mode(conv.padding_mode))]);
    }

    private static ScriptDefinition Transposed(ConvolutionTranspose conv, int dimensions) => Line(
        $"torch.conv_transpose{dimensions}d(x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation)",
        [
            .. Absent(("bias", conv.bias)), ("stride", Each(conv.stride, dimensions)), ("padding", Each(conv.padding, dimensions)),
            ("output_padding", Each([conv.output_padding[0]], dimensions)),   // TorchSharp's forward reads the first alone
            ("groups", conv.groups), ("dilation", Each(conv.dilation, dimensions)),
        ]);

    /// <summary>Padding before and after each dimension, the last dimension first, as torch.pad takes it.</summary>
    private static long[] Around(Convolution conv, int dimensions)
    {
        var (kernel, dilation, given) = (Each(conv.kernel_size, dimensions), Each(conv.dilation, dimensions), Each(conv.padding, dimensions));
        var each = Enumerable.Range(0, dimensions);
        var firstFirst = conv.padding_type == Padding.Same && conv.padding_mode != PaddingModes.Zeros;   // as TorchSharp pads there
        return
        [
            .. (firstFirst ? each : each.Reverse()).SelectMany(d => conv.padding_type switch
            {
                null => [given[d], given[d]],
                Padding.Same => [dilation[d] * (kernel[d] - 1) / 2, (dilation[d] * (kernel[d] - 1) + 1) / 2],
                _ => new long[] { 0, 0 },
            }),
        ];
    }
}
