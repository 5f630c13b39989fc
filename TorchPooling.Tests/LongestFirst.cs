using Xunit.Abstractions;

[assembly: TestCollectionOrderer("TorchPooling.Tests.LongestFirst", "TorchPooling.Tests")]

namespace TorchPooling.Tests;

/// <summary>The classes that run longest start first, so that no core waits for them at the end.</summary>
public class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest = [nameof(CommonTests), nameof(Export.Parity.ParityTests), nameof(Local.BackboneTests), nameof(Hostile.HostileTests)];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => Longest.Any(name => collection.DisplayName.EndsWith($".{name}", StringComparison.Ordinal)) ? 0 : 1);
}
