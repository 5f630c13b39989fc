namespace TorchPooling.Tests;

/// <summary>All tests of a process draw from one generator, so those that compare draws, or weights drawn from a seed, run alone;
/// and so do those that collect garbage, which may free the numbers of a native call that a neighbour makes itself.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public class AloneCollection;
