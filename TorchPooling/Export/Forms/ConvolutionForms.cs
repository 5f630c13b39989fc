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
        (string, object?)[] attributes =
        [
            .. Absent(("bias", conv.bias)), ("stride", Each(conv.stride, dimensions)), ("dilation", Each(conv.dilation, dimensions)),
            ("groups", conv.groups),
        ];
        if (conv.padding_mode != PaddingModes.Zeros)
        {
            return new(
                $"""
                def forward(self, x: Tensor) -> Tensor:
                    x = torch.pad(x, self.padding, self.padding_mode)
                    return torch.conv{dimensions}d(x, self.weight, self.bias, self.stride, {Zeros(dimensions)}, self.dilation, self.groups)
                """,
                [.. attributes, ("padding", Around(conv, dimensions)), ("padding_mode", ShapeForms.Mode(conv.padding_mode))]);
        }

        object padding = conv.padding_type is { } type ? type.ToString().ToLowerInvariant() : Each(conv.padding, dimensions);
        return Line(
            $"torch.conv{dimensions}d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)",
            [.. attributes, ("padding", padding)]);
    }

    private static ScriptDefinition Transposed(ConvolutionTranspose conv, int dimensions) => Line(
        $"torch.conv_transpose{dimensions}d(x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation)",
        [
            .. Absent(("bias", conv.bias)), ("stride", Each(conv.stride, dimensions)), ("padding", Each(conv.padding, dimensions)),
            ("output_padding", Each([conv.output_padding[0]], dimensions)),   // TorchSharp's forward reads the first alone
            ("groups", conv.groups), ("dilation", Each(conv.dilation, dimensions)),
        ]);

    /// <summary>Padding before and after each dimension, the last dimension first, as torch.pad takes it; that of "same" the
    /// first first, as TorchSharp has it.</summary>
    private static long[] Around(Convolution conv, int dimensions)
    {
        var (kernel, dilation, given) = (Each(conv.kernel_size, dimensions), Each(conv.dilation, dimensions), Each(conv.padding, dimensions));
        var each = Enumerable.Range(0, dimensions);
        return conv.padding_type switch
        {
            null => [.. each.Reverse().SelectMany(d => new[] { given[d], given[d] })],
            Padding.Same => [.. each.SelectMany(d => new[] { dilation[d] * (kernel[d] - 1) / 2, (dilation[d] * (kernel[d] - 1) + 1) / 2 })],
            _ => [.. each.SelectMany(_ => new long[] { 0, 0 })],
        };
    }

    private static string Zeros(int dimensions) => $"[{string.Join(", ", Enumerable.Repeat(0, dimensions))}]";
}
