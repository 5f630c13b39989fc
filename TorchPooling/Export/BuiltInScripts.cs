using System.Runtime.CompilerServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The TorchScript forms of TorchSharp's own modules.</summary>
internal static class BuiltInScripts
{
    /// <summary>The form of <paramref name="module"/>, or null where it is none of the known modules.</summary>
    /// <exception cref="NotSupportedException">The module is known, but not with its settings.</exception>
    public static ScriptDefinition? Find(nn.Module module) => module switch
    {
        _ when module.GetType().Assembly != typeof(Sequential).Assembly => null,   // a subclass may compute anything
        Sequential sequential => Chain(sequential),
        Conv2d conv => Convolution(conv),
        Linear linear => OneLine("torch.linear(x, self.weight, self.bias)", Absent(linear.bias)),
        BatchNorm1d or BatchNorm2d or BatchNorm3d => Normalization((BatchNorm)module),
        ReLU => OneLine("torch.relu(x)"),
        Sigmoid => OneLine("torch.sigmoid(x)"),
        Tanh => OneLine("torch.tanh(x)"),
        Dropout dropout => OneLine("torch.dropout(x, self.p, self.training)", ("p", dropout.p)),
        Identity => OneLine("x"),
        Flatten flatten => OneLine(
            "x.flatten(self.start_dim, self.end_dim)", ("start_dim", flatten.start_dim), ("end_dim", flatten.end_dim)),
        MaxPool2d pool => OneLine(
            "torch.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)",
            ("kernel_size", Pair(pool.kernel_size)), ("stride", Pair(pool.stride ?? pool.kernel_size)),
            ("padding", Pair(pool.padding ?? [0])), ("dilation", Pair(pool.dilation ?? [1])), ("ceil_mode", pool.ceil_mode)),
        AvgPool2d pool => OneLine(
            "torch.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)",
            ("kernel_size", Pair(pool.kernel_size)), ("stride", Pair(pool.stride ?? pool.kernel_size)), ("padding", Pair(pool.padding ?? [0])),
            ("ceil_mode", pool.ceil_mode), ("count_include_pad", pool.count_include_pad), ("divisor_override", pool.divisor_override)),
        AdaptiveAvgPool2d pool => OneLine("torch.adaptive_avg_pool2d(x, self.output_size)", ("output_size", Pair(pool.output_size))),
        AdaptiveMaxPool2d pool => OneLine("torch.adaptive_max_pool2d(x, self.output_size)[0]", ("output_size", Pair(pool.output_size))),
        _ => null,
    };

    private static ScriptDefinition OneLine(string expression, params (string, object?)[] attributes) =>
        new($"def forward(self, x: Tensor) -> Tensor:\n    return {expression}", attributes);

    private static ScriptDefinition Chain(Sequential sequential)
    {
        var calls = sequential.named_children().Select(child => $"    x = {ScriptClasses.Reach(child.name)}.forward(x)");
        return new("def forward(self, x: Tensor) -> Tensor:\n" + string.Join("\n", calls.Append("    return x")));
    }

    private static ScriptDefinition Convolution(Conv2d conv)
    {
        if (conv.padding_mode != PaddingModes.Zeros || conv.padding_type is not null)
        {
            throw new NotSupportedException("only numeric zero padding of a Conv2d can be exported");
        }

        return OneLine(
            "torch.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)",
            [
                .. Absent(conv.bias), ("stride", Pair(conv.stride)), ("padding", Pair(conv.padding ?? [0])),
                ("dilation", Pair(conv.dilation)), ("groups", conv.groups),
            ]);
    }

    private static ScriptDefinition Normalization(BatchNorm norm)
    {
        if (norm.track_running_stats && norm.momentum is null)
        {
            throw new NotSupportedException("a batch norm with a cumulative average (momentum null) cannot be exported");
        }

        var count = norm.track_running_stats ? "    if self.training:\n        self.num_batches_tracked.add_(1)\n" : "";
        var batch = norm.track_running_stats ? "self.training" : "True";
        return new(
            "def forward(self, x: Tensor) -> Tensor:\n" + count
            + $"    return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, {batch}, self.momentum, self.eps, True)",
            [
                .. Absent(norm.weight), .. Absent(norm.bias), .. Absent(norm.running_mean), .. Absent(norm.running_var),
                ("momentum", norm.momentum ?? 0.0), ("eps", norm.eps),
            ]);
    }

    /// <summary>A parameter or buffer that this instance does not have reads as None.</summary>
    private static (string, object?)[] Absent(Tensor? value, [CallerArgumentExpression(nameof(value))] string expression = "") =>
        value is null ? [(expression[(expression.LastIndexOf('.') + 1)..], null)] : [];

    private static long[] Pair(long[] size) => size.Length == 1 ? [size[0], size[0]] : size;
}
