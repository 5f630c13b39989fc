namespace TorchPooling.Tests;

/// <summary>All tests of a process draw from one generator, so those that compare draws, or weights drawn from a seed, run alone.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public class AloneCollection;
