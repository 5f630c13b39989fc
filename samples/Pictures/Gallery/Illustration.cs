using SkiaSharp;

namespace OperatorPictures.Gallery;

/// <summary>One picture of the operator reference.</summary>
/// <param name="Name">The file's name, and the module's.</param>
/// <param name="Draw">Runs the operator on the photograph and draws what it did.</param>
internal sealed record Illustration(string Name, Func<Photograph, SKBitmap> Draw)
{
    /// <summary>The code of a lambda expression without arguments.</summary>
    public static string Code(string lambda) => string.Join(' ', lambda.Replace("() => ", "", StringComparison.Ordinal).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
