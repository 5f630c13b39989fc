namespace OperatorPictures.Gallery;

/// <summary>All pictures, in the order of the operator reference.</summary>
internal static class Illustrations
{
    public static IReadOnlyList<Illustration> All { get; } =
    [
        .. BuiltIn.All, .. Windows.All, .. Filters.All, .. Mixtures.All, .. Channels.All, .. Inverse.All, .. RegionsOfInterest.All, .. Regions.All, .. Pyramids.All,
        .. Global.All, .. Clusters.All,
    ];
}
