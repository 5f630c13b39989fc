using TorchSharp.Modules;
using static TorchPooling.ScriptForms;

namespace TorchPooling;

/// <summary>Pools and their inverses. Where TorchSharp has forward_with_indices, so has the form, for an unpooling elsewhere in the model.</summary>
internal static class PoolingForms
{
    public static void Add()
    {
        ScriptForms.Add<MaxPool1d>(m => Max(1, [m.kernel_size], Array(m.stride), Array(m.padding), Array(m.dilation), m.ceil_mode));
        ScriptForms.Add<MaxPool2d>(m => Max(2, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode));
        ScriptForms.Add<MaxPool3d>(m => Max(3, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode));
        ScriptForms.Add<AvgPool1d>(m => Line(
            "torch.avg_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)",
            Average(1, [m.kernel_size], Array(m.stride), Array(m.padding), m.ceil_mode, m.count_include_pad)));
        ScriptForms.Add<AvgPool2d>(m => Line(
            "torch.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)",
            [.. Average(2, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad), ("divisor_override", Divisor(m.divisor_override))]));
        ScriptForms.Add<AvgPool3d>(m => Line(
            "torch.avg_pool3d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)",
            [.. Average(3, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad), ("divisor_override", Divisor(m.divisor_override))]));
        ScriptForms.Add<AdaptiveAvgPool1d>(m => Adaptive("avg_pool1d", [m.output_size], 1));
        ScriptForms.Add<AdaptiveAvgPool2d>(m => Adaptive("avg_pool2d", m.output_size, 2));
        ScriptForms.Add<AdaptiveAvgPool3d>(m => Adaptive("avg_pool3d", m.output_size, 3));
        ScriptForms.Add<AdaptiveMaxPool1d>(m => AdaptiveMax([m.output_size], 1));
        ScriptForms.Add<AdaptiveMaxPool2d>(m => AdaptiveMax(m.output_size, 2));
        ScriptForms.Add<AdaptiveMaxPool3d>(m => m.output_size is null
            ? throw new NotSupportedException("its output_size is not set: TorchSharp's constructor forgets it, set the property")
            : AdaptiveMax(m.output_size, 3));
        ScriptForms.Add<LPPool1d>(m => PowerMean(1, m.norm_type, [m.kernel_size], Array(m.stride), m.ceil_mode));
        ScriptForms.Add<LPPool2d>(m => PowerMean(2, m.norm_type, m.kernel_size, m.stride, m.ceil_mode));
        ScriptForms.Add<FractionalMaxPool2d>(m => Fractional(2, m.kernel_size, m.output_size, m.output_ratio));
        ScriptForms.Add<FractionalMaxPool3d>(m => Fractional(3, m.kernel_size, m.output_size, m.output_ratio));
        ScriptForms.Add<MaxUnpool1d>(m => Unpool(1, [m.kernel_size], Array(m.stride), Array(m.padding)));
        ScriptForms.Add<MaxUnpool2d>(m => Unpool(2, m.kernel_size, m.stride, m.padding));
        ScriptForms.Add<MaxUnpool3d>(m => Unpool(3, m.kernel_size, m.stride, m.padding));
    }

    private static ScriptDefinition Max(int d, long[] kernel, long[]? stride, long[]? padding, long[]? dilation, bool ceil) => WithIndices(
        $"torch.max_pool{d}d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)",
        $"torch.max_pool{d}d_with_indices(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)",
        [.. Window(d, kernel, stride, padding), ("dilation", Each(dilation, d, 1)), ("ceil_mode", ceil)]);

    private static ScriptDefinition AdaptiveMax(long[] size, int d) => WithIndices(
        $"torch.adaptive_max_pool{d}d(x, self.output_size)[0]", $"torch.adaptive_max_pool{d}d(x, self.output_size)", ("output_size", Each(size, d)));

    private static ScriptDefinition Adaptive(string pool, long[] size, int d) =>
        Line($"torch.adaptive_{pool}(x, self.output_size)", ("output_size", Each(size, d)));

    private static ScriptDefinition PowerMean(int d, double p, long[] kernel, long[]? stride, bool ceil) => new(
        $"""
        def forward(self, x: Tensor) -> Tensor:
            mean = torch.avg_pool{d}d(x.pow(self.norm_type), self.kernel_size, self.stride, {(d == 1 ? "[0]" : "[0, 0]")}, self.ceil_mode)
            return (torch.sign(mean) * torch.relu(torch.abs(mean))).mul({string.Join(" * ", Enumerable.Range(0, d).Select(i => $"self.kernel_size[{i}]"))}).pow(1.0 / self.norm_type)
        """,
        ("norm_type", p), ("kernel_size", Each(kernel, d)), ("stride", Each(stride ?? kernel, d)), ("ceil_mode", ceil));

    private static ScriptDefinition Fractional(int d, long[] kernel, long[]? size, double[]? ratio)
    {
        var dimensions = string.Join(", ", Enumerable.Range(0, d).Select(i => $"int(x.size({i - d}) * self.output_ratio[{i}])"));
        return new(
            $"""
            def forward(self, x: Tensor) -> Tensor:
                return self.forward_with_indices(x)[0]

            def forward_with_indices(self, x: Tensor) -> Tuple[Tensor, Tensor]:
                samples = torch.rand([1 if x.dim() == {d + 1} else x.size(0), x.size({-d - 1}), {d}], dtype=x.dtype, device=x.device)
                return torch.fractional_max_pool{d}d(x, self.kernel_size, {(size is null ? $"[{dimensions}]" : "self.output_size")}, samples)
            """,
            ("kernel_size", Each(kernel, d)), size is null ? ("output_ratio", ratio) : ("output_size", Each(size, d)));
    }

    private static ScriptDefinition Unpool(int d, long[] kernel, long[]? stride, long[]? padding)
    {
        var unpool = d switch
        {
            1 => "max_unpool2d(x.unsqueeze(-1), indices.unsqueeze(-1), size + [1]).squeeze(-1)",
            2 => "max_unpool2d(x, indices, size)",
            _ => "max_unpool3d(x, indices, size, self.stride, self.padding)",
        };
        return new(
            $"""
            def forward(self, x: Tensor, indices: Tensor, output_size: Optional[List[int]]=None) -> Tensor:
                size = annotate(List[int], [])
                for d in range({d}):
                    size.append((x.size(d - {d}) - 1) * self.stride[d] - 2 * self.padding[d] + self.kernel_size[d])
                if output_size is not None:
                    size = output_size[-{d}:]
                return torch.{unpool}
            """,
            Window(d, kernel, stride, padding));
    }

    private static ScriptDefinition WithIndices(string values, string both, params (string, object?)[] attributes) => new(
        $"""
        def forward(self, x: Tensor) -> Tensor:
            return {values}

        def forward_with_indices(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            return {both}
        """,
        attributes);

    private static (string, object?)[] Average(int d, long[] kernel, long[]? stride, long[]? padding, bool ceil, bool countPadding) =>
        [.. Window(d, kernel, stride, padding), ("ceil_mode", ceil), ("count_include_pad", countPadding)];

    private static (string, object?)[] Window(int d, long[] kernel, long[]? stride, long[]? padding) =>
        [("kernel_size", Each(kernel, d)), ("stride", Each(stride is { Length: > 0 } ? stride : kernel, d)), ("padding", Each(padding, d))];

    private static long? Divisor(long? value) => value is 0 ? null : value;   // 0 is none in TorchSharp

    private static long[]? Array(long? value) => value is { } one ? [one] : null;
}
