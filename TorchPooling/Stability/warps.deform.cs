using static TorchSharp.torch;

namespace TorchPooling;

/// <content>Smooth random deformations.</content>
public static partial class warps
{
    /// <summary>Deforms the images: y[n,c,h,w] = x[n,c,h + field[n,0,h,w], w + field[n,1,h,w]].</summary>
    /// <param name="x">Images, shape (N, C, H, W).</param>
    /// <param name="field">Where each pixel is read, in pixels from its own place, rows then columns: floating-point, (N, 2, H, W), or
    /// (1, 2, H, W) for all images alike; on <paramref name="x"/>'s device.</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a map, or <paramref name="field"/> has another shape or device, or
    /// holds what is not finite.</exception>
    public static Tensor deform(Tensor x, Tensor field)
    {
        Check.FeatureMap(x);
        ArgumentNullException.ThrowIfNull(field);
        Check.Exactly(field, [field.dim() > 0 && field.size(0) == 1 ? 1 : x.size(0), 2, x.size(2), x.size(3)], nameof(field));
        Check.FloatingPoint(field, nameof(field));
        if (!Check.SameDevice(field, x))
        {
            throw new ArgumentException($"expected a field on {x.device} as the images, got {field.device}", nameof(field));
        }

        using var scope = NewDisposeScope();
        if (!field.isfinite().all().ToBoolean())
        {
            throw new ArgumentException("expected finite displacements, got NaN or infinity among them", nameof(field));
        }

        var (rows, columns) = Positions(x);
        var displacement = field.detach().to(ScalarType.Float64);
        return Sample(x, rows.Plus(displacement.select(1, 0)), columns.Plus(displacement.select(1, 1))).MoveToOuterDisposeScope();
    }

    /// <summary>Random displacement fields of low frequencies, zero at the border, for <see cref="deform"/>.</summary>
    /// <remarks>
    /// <para>Each component is d(h,w) = Σ c_ij sin(iπh/(H−1)) sin(jπw/(W−1)) over i, j ≥ 1 with i² + j² ≤ band², the c_ij independent
    /// normal numbers of variance 1/(i² + j²): the ensemble of Petrini, Favero, Geiger, Wyart: Relative stability toward diffeomorphisms
    /// indicates performance in deep nets, NeurIPS 2021. They set its size by a temperature, the same for every draw; here each field is
    /// scaled to √(mean of dy² + dx²) = <paramref name="displacement"/>, over all pixels, and maps need not be square. (Ruderman et al.,
    /// arXiv 1804.04438, draw 3×3 or 5×5 control points uniformly and smooth them by thin plate splines.)</para>
    /// <para>A map without folds is not promised. The root mean square of a field's gradient is at most
    /// π·band·displacement/(min(H, W) − 1), and should stay well below 1.</para>
    /// </remarks>
    /// <param name="count">Number of fields: one for each image, or 1 for all.</param>
    /// <param name="height">H of the images, at least 4.</param>
    /// <param name="width">W of the images, at least 4.</param>
    /// <param name="band">Radius of the frequencies, in half periods across the map: 2 (one half wave in each direction) to
    /// min(H, W) − 2.</param>
    /// <param name="displacement">Root mean square length, in pixels; not negative.</param>
    /// <param name="generator">Where the draws come from, always on the CPU; the global generator where null.</param>
    /// <param name="device">Device of the result.</param>
    /// <param name="dtype">Dtype of the result, float32 where null; computed in float64.</param>
    /// <returns>Shape (count, 2, H, W).</returns>
    /// <exception cref="ArgumentException"><paramref name="generator"/> is disposed or not of the CPU, or <paramref name="dtype"/> or
    /// <paramref name="device"/> cannot hold the fields.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range, or the fields exceed the memory.</exception>
    public static Tensor deformation_field(
        long count, long height, long width, long band, double displacement, Generator? generator = null, Device? device = null,
        ScalarType? dtype = null)
    {
        Check.Range(count, 0, int.MaxValue, nameof(count));
        Check.Range(height, 4, int.MaxValue, nameof(height));
        Check.Range(width, 4, int.MaxValue, nameof(width));
        Check.Range(band, 2, Math.Min(height, width) - 2, nameof(band));
        Check.NotNegative(displacement, nameof(displacement));
        Check.ParameterType(dtype);
        Check.HeldBy(dtype ?? ScalarType.Float32, displacement, nameof(displacement));
        Check.ParameterDevice(device);
        Check.Memory([count, 2, height, width], ScalarType.Float64, nameof(count), copies: 3);

        using var scope = NewDisposeScope();
        var squares = arange(Held(1), Held(band), Held(1), dtype: ScalarType.Float64).Squared();   // i of band itself leaves no room for j
        Check.Generator(generator, squares);
        var energy = squares.unsqueeze(1).Plus(squares);
        var amplitudes = randn([count, 2, band - 1, band - 1], dtype: ScalarType.Float64, generator: generator) * energy.rsqrt();
        amplitudes = amplitudes.masked_fill(energy > Held(band * band), Held(0));
        var field = Sines(height, band - 1).matmul(amplitudes).matmul(Sines(width, band - 1).t());
        var length = field.Squared().sum(1, keepdim: true).mean([2, 3], keepdim: true).sqrt();
        return (field * (Held(displacement) / length)).to(dtype ?? ScalarType.Float32).to(device ?? CPU).MoveToOuterDisposeScope();
    }

    /// <summary>sin(iπh/(size − 1)), (size, modes), i from 1; exactly 0 at both ends.</summary>
    private static Tensor Sines(long size, long modes)
    {
        using var scope = NewDisposeScope();
        var places = Indices(size, dtype: ScalarType.Float64).unsqueeze(1) * arange(Held(1), Held(modes + 1), Held(1), dtype: ScalarType.Float64);
        var sines = (places * Held(Math.PI / (size - 1))).sin();
        sines[0] = 0;
        sines[size - 1] = 0;   // sin π is 1e-16
        return sines.MoveToOuterDisposeScope();
    }
}
