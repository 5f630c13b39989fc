using Stability.Data;
using TorchPooling;
using static TorchSharp.torch;

namespace Stability.Measures;

/// <summary>A change of pictures that should not matter.</summary>
/// <param name="Key">In metrics.json.</param>
/// <param name="Images">The changed pictures, (N, 1, S, S).</param>
internal sealed record Transform(string Name, string Key, Tensor Images) : IDisposable
{
    public const string Deformation = "deformation";
    public const string Translation = "translation";
    public const string HalfTranslation = "translation_half";
    public const string Larger = "scale";
    public const string Smaller = "scale_down";
    public const string Rotation = "rotation";

    /// <summary>Moves nothing, and takes from the pictures what interpolating them twice at half pixels takes.</summary>
    public const string Control = "interpolation";

    private const int Band = 3;
    private const double Displacement = 1;   // pixels
    private const double Scale = 1.1;
    private const double Angle = 10;
    private const int Seed = 7;

    public static IReadOnlyList<string> Keys { get; } = [Deformation, Translation, HalfTranslation, Control, Larger, Smaller, Rotation];

    /// <summary>All that the networks are measured by, of the first of the test's pictures: changed while they are fine, then averaged.</summary>
    /// <param name="count">Pictures.</param>
    public static IReadOnlyList<Transform> All(Source source, int count, Device device)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(Seed);
        var (fine, finer) = (source.Fine.narrow(0, 0, Math.Min(count, source.Fine.size(0))), source.Finer);
        var fields = warps.deformation_field(fine.size(0), fine.size(2), fine.size(3), Band, finer * Displacement, generator);
        return
        [
            Changed("deformation, 1 px", Deformation, warps.deform(fine, fields)),
            Changed("translation, 1 px", Translation, Moved(fine, finer)),
            Changed("translation, ½ px", HalfTranslation, Moved(fine, finer / 2.0)),
            Changed("interpolation alone", Control, Moved(Moved(fine, 0.5), -0.5)),
            Changed("scale, 1.1", Larger, warps.scale(fine, Scale)),
            Changed("scale, 1/1.1", Smaller, warps.scale(fine, 1 / Scale)),
            Changed("rotation, 10°", Rotation, warps.rotate(fine, Angle)),
        ];

        Transform Changed(string name, string key, Tensor images) => new(name, key, source.Coarse(images).to(device).MoveToOuterDisposeScope());

        static Tensor Moved(Tensor x, double pixels) => warps.translate(x, pixels, pixels);
    }

    public void Dispose() => Images.Dispose();
}
