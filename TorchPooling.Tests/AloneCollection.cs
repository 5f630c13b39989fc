namespace TorchPooling.Tests;

/// <summary>All tests of a process draw from one generator, so those that compare draws, or weights drawn from a seed, run alone;
/// and so do those that collect garbage, which may free the numbers of a neighbour's native call.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public class AloneCollection;
