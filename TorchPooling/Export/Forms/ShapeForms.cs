using TorchSharp;
using TorchSharp.Modules;
using static TorchPooling.ScriptForms;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Modules that rearrange, pad or resize.</summary>
internal static class ShapeForms
{
    public static void Add()
    {
        ScriptForms.Add<Flatten>(m => Line("x.flatten(self.start_dim, self.end_dim)", ("start_dim", m.start_dim), ("end_dim", m.end_dim)));
        ScriptForms.Add<Unflatten>(m => Line("x.unflatten(self.dim, self.unflattened_size)", ("dim", m.dim), ("unflattened_size", m.unflattened_size)));
        ScriptForms.Add<PixelShuffle>(m => Line("torch.pixel_shuffle(x, self.upscale_factor)", ("upscale_factor", m.upscale_factor)));
        ScriptForms.Add<PixelUnshuffle>(m => Line("torch.pixel_unshuffle(x, self.downscale_factor)", ("downscale_factor", m.downscale_factor)));
        ScriptForms.Add<ChannelShuffle>(m => Line(
            "x.reshape([x.size(0), self.groups, x.size(1) // self.groups, -1]).transpose(1, 2).reshape(x.size())", ("groups", m.groups)));
        ScriptForms.Add<Unfold>(m => Line(
            "torch.im2col(x, self.kernel_size, self.dilation, self.padding, self.stride)",
            ("kernel_size", Pair(m.kernel_size)), ("dilation", Pair(m.dilation)), ("padding", Pair(m.padding)), ("stride", Pair(m.stride))));
        ScriptForms.Add<Fold>(m => Line(
            "torch.col2im(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)",
            ("output_size", Pair(m.output_size)), ("kernel_size", Pair(m.kernel_size)), ("dilation", Pair(m.dilation)),
            ("padding", Pair(m.padding)), ("stride", Pair(m.stride))));
        ScriptForms.Add<ConstantPad1d>(Around);
        ScriptForms.Add<ConstantPad2d>(Around);
        ScriptForms.Add<ConstantPad3d>(Around);
        ScriptForms.Add<ZeroPad2d>(Around);
        ScriptForms.Add<ReflectionPad1d>(Around);
        ScriptForms.Add<ReflectionPad2d>(Around);
        ScriptForms.Add<ReflectionPad3d>(Around);
        ScriptForms.Add<ReplicationPad1d>(Around);
        ScriptForms.Add<ReplicationPad2d>(Around);
        ScriptForms.Add<ReplicationPad3d>(Around);
        ScriptForms.Add<Upsample>(Resize);
    }

    /// <summary>PyTorch's name of a padding mode.</summary>
    public static string Mode(PaddingModes mode) => mode switch
    {
        PaddingModes.Reflect => "reflect",
        PaddingModes.Replicate => "replicate",
        PaddingModes.Circular => "circular",
        _ => "constant",
    };

    private static ScriptDefinition Around(PadBase pad) => pad switch
    {
        ConstantPad1d or ConstantPad2d or ConstantPad3d or ZeroPad2d => Line(
            "torch.constant_pad_nd(x, self.padding, self.value)", ("padding", pad.padding), ("value", pad.value)),
        ReflectionPad1d or ReflectionPad2d or ReflectionPad3d => Line("torch.pad(x, self.padding, \"reflect\")", ("padding", pad.padding)),
        _ => Line("torch.pad(x, self.padding, \"replicate\")", ("padding", pad.padding)),
    };

    private static ScriptDefinition Resize(Upsample upsample)
    {
        long[]? size = upsample.size.Length == 0 ? null : upsample.size.ToArray();
        double[]? scale = upsample.scale_factor.Length == 0 ? null : upsample.scale_factor.ToArray();
        var d = size?.Length ?? scale!.Length;
        var align = upsample.mode == UpsampleMode.Nearest ? "" : "self.align_corners, ";
        var mode = upsample.mode.ToString().ToLowerInvariant();
        (string, object?)[] attributes =
        [
            ("size", size), ("scale_factor", scale),
            .. align.Length == 0 ? Array.Empty<(string, object?)>() : [("align_corners", upsample.align_corners == true)],
        ];
        if (size is null && upsample.recompute_scale_factor == true)
        {
            var scaled = string.Join(", ", Enumerable.Range(0, d).Select(i => $"int(x.size({i + 2}) * self.scale_factor[{i}])"));
            return Line($"torch.upsample_{mode}{d}d(x, [{scaled}], {align}None)", attributes);
        }

        return Line($"torch.upsample_{mode}{d}d(x, self.size, {align}self.scale_factor)", attributes);
    }

    private static long[] Pair((long, long) size) => [size.Item1, size.Item2];
}
