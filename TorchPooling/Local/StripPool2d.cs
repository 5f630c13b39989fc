using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Strip pooling: each pixel is let through as far as the means of its row and of its column allow.</summary>
/// <remarks>
/// <para>z = x ∘ σ(W·relu(y) + b), y[n,c,i,j] = r[n,c,i] + s[n,c,j]: r is a convolution of 3 rows, over all channels, of the row means
/// mean over j of x[n,c,i,j], and s one of 3 columns of the column means. The ReLU is that of the authors' code.</para>
/// <para>The paper's formula has no batch normalisation, and so has this layer; its convolutions have biases instead. With
/// <c>batch_norm</c> r and s are normalised, as in the authors' code, and their convolutions have none. It runs in the parameters'
/// dtype, all else in at least float32.</para>
/// <para>Parameters, named as in the authors' code: <c>conv1</c> (C, C, 3, 1) makes r, <c>conv2</c> (C, C, 1, 3) makes s,
/// <c>conv3</c> (C, C, 1, 1) is W and b; <c>bn1</c> and <c>bn2</c> with <c>batch_norm</c>.</para>
/// <para>Shape: input (N, C, H, W); output the same, in the input's dtype: this pooling gathers over whole rows and columns, and does
/// not make the map smaller.</para>
/// <para>Hou, Zhang, Cheng, Feng: Strip Pooling: Rethinking Spatial Pooling for Scene Parsing, CVPR 2020.</para>
/// </remarks>
public sealed class StripPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Conv2d conv1;
    private readonly Conv2d conv2;
    private readonly Conv2d conv3;
    private readonly BatchNorm2d? bn1;
    private readonly BatchNorm2d? bn2;
    private readonly long channels;

    /// <param name="channels">C, the channels of the map.</param>
    /// <param name="batch_norm">Normalise r and s over the batch, in place of biases.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="channels"/> is not positive, or needs parameters that do not
    /// fit into memory.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public StripPool2d(long channels, bool batch_norm = false, Device? device = null, ScalarType? dtype = null)
        : base(nameof(StripPool2d))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        Check.Parameter([channels, channels, 3], device, dtype, nameof(channels));
        using var scope = NewDisposeScope();
        this.channels = channels;
        conv1 = nn.Conv2d(channels, channels, (3, 1), padding: (1, 0), bias: !batch_norm, device: device, dtype: dtype);
        conv2 = nn.Conv2d(channels, channels, (1, 3), padding: (0, 1), bias: !batch_norm, device: device, dtype: dtype);
        conv3 = nn.Conv2d(channels, channels, 1, device: device, dtype: dtype);
        bn1 = batch_norm ? nn.BatchNorm2d(channels, device: device, dtype: dtype) : null;
        bn2 = batch_norm ? nn.BatchNorm2d(channels, device: device, dtype: dtype) : null;
        RegisterComponents();
        foreach (var value in parameters().Concat(buffers()))
        {
            value.DetachFromDisposeScope();
        }
    }

    /// <summary>The gated map.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <returns>The shape and dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map of C channels, or has not the dtype and device of the
    /// parameters; or batch normalisation is trained on fewer than two rows or columns.</exception>
    public override Tensor forward(Tensor x)
    {
        Check.FeatureMap(x, channels);
        Check.LikeParameters(x, conv3.weight);
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var (rows, columns) = (pooling.RowStrips(wide, conv1.weight, conv1.bias), pooling.ColumnStrips(wide, conv2.weight, conv2.bias));
        if (bn1 is not null && bn2 is not null)
        {
            CheckStrips(x);
            rows = bn1.call(rows.to(x.dtype)).to(wide.dtype);
            columns = bn2.call(columns.to(x.dtype)).to(wide.dtype);
        }

        return pooling.StripGate(wide, rows, columns, conv3.weight, conv3.bias).to(x.dtype).MoveToOuterDisposeScope();
    }

    private void CheckStrips(Tensor x)
    {
        if (training && x.size(0) * Math.Min(x.size(2), x.size(3)) < 2)
        {
            throw new ArgumentException($"expected two or more rows and columns to normalise over in training, got {Check.Shape(x)}", nameof(x));
        }
    }

    ScriptDefinition IScriptable.script()
    {
        var (bias1, bias2, rows, columns) = bn1 is null
            ? ("self.conv1.bias.to(wide.dtype)", "self.conv2.bias.to(wide.dtype)", "rows", "columns")
            : ("None", "None", "self.bn1.forward(rows.to(x.dtype)).to(wide.dtype)", "self.bn2.forward(columns.to(x.dtype)).to(wide.dtype)");
        return new(
            $"""
            def forward(self, x: Tensor) -> Tensor:
                wide = x
                if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                    wide = x.float()
                rows = torch.conv2d(wide.mean([3], True), self.conv1.weight.to(wide.dtype), {bias1}, [1, 1], [1, 0])
                columns = torch.conv2d(wide.mean([2], True), self.conv2.weight.to(wide.dtype), {bias2}, [1, 1], [0, 1])
                y = ({rows} + {columns}).relu()
                gates = torch.conv2d(y, self.conv3.weight.to(wide.dtype), self.conv3.bias.to(wide.dtype)).sigmoid()
                return (wide * gates).to(x.dtype)
            """);
    }
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="StripPool2d"/> without batch normalisation.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="row_weight">The filter over the row means, shape (C, C, 3, 1).</param>
    /// <param name="column_weight">The filter over the column means, shape (C, C, 1, 3).</param>
    /// <param name="weight">W, shape (C, C, 1, 1).</param>
    /// <param name="row_bias">Shape (C), or null for 0.</param>
    /// <param name="column_bias">Shape (C), or null for 0.</param>
    /// <param name="bias">b, shape (C), or null for 0.</param>
    /// <returns>The shape and dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or a shape is another, or dtypes or devices differ.
    /// </exception>
    public static Tensor strip_pool2d(
        Tensor x, Tensor row_weight, Tensor column_weight, Tensor weight,
        Tensor? row_bias = null, Tensor? column_bias = null, Tensor? bias = null)
    {
        Check.FeatureMap(x);
        var channels = x.size(1);
        CheckFilter(x, row_weight, row_bias, [channels, channels, 3, 1], nameof(row_weight), nameof(row_bias));
        CheckFilter(x, column_weight, column_bias, [channels, channels, 1, 3], nameof(column_weight), nameof(column_bias));
        CheckFilter(x, weight, bias, [channels, channels, 1, 1], nameof(weight), nameof(bias));
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var (rows, columns) = (RowStrips(wide, row_weight, row_bias), ColumnStrips(wide, column_weight, column_bias));
        return StripGate(wide, rows, columns, weight, bias).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>r, (N, C, H, 1).</summary>
    internal static Tensor RowStrips(Tensor x, Tensor weight, Tensor? bias) => Convolution(x.mean([3], keepdim: true), weight, bias, [1, 0]);

    /// <summary>s, (N, C, 1, W).</summary>
    internal static Tensor ColumnStrips(Tensor x, Tensor weight, Tensor? bias) => Convolution(x.mean([2], keepdim: true), weight, bias, [0, 1]);

    /// <summary>x ∘ σ(W·relu(r + s) + b).</summary>
    internal static Tensor StripGate(Tensor x, Tensor rows, Tensor columns, Tensor weight, Tensor? bias) =>
        x * Convolution(rows.Plus(columns).relu(), weight, bias, [0, 0]).sigmoid();

    private static Tensor Convolution(Tensor x, Tensor weight, Tensor? bias, long[] padding) =>
        nn.functional.conv2d(x, weight.to(x.dtype), bias?.to(x.dtype), padding: padding);

    private static void CheckFilter(Tensor x, Tensor weight, Tensor? bias, ReadOnlySpan<long> shape, string name, string bias_name)
    {
        Check.Exactly(weight, shape, name);
        Check.Like(weight, x, name);
        if (bias is not null)
        {
            Check.Exactly(bias, [x.size(1)], bias_name);
            Check.Like(bias, x, bias_name);
        }
    }
}
