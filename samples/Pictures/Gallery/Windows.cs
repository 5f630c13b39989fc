using TorchPooling;

namespace OperatorPictures.Gallery;

/// <summary>Poolings of windows.</summary>
internal static class Windows
{
    public static IEnumerable<Illustration> All =>
    [
        new("SoftPool2d", photograph => WindowPanel.Draw(photograph, () => new SoftPool2d(8), brightness: 10)),
    ];
}
