namespace Stability.Commands;

/// <summary>What a run was asked for.</summary>
/// <param name="Data">Folder of Fashion-MNIST; drawn shapes where null.</param>
/// <param name="Seeds">How often every network is trained, with seeds 1, 2, ….</param>
/// <param name="Threads">Of the CPU; 0 for as many as torch takes.</param>
internal sealed record RunOptions(string? Data, bool Quick, int Epochs, int Seeds, int Threads)
{
    private const int MostEpochs = 1000;
    private const int MostSeeds = 100;

    public IEnumerable<int> EachSeed => Enumerable.Range(1, Seeds);

    /// <exception cref="UserException">An option has a value that cannot be.</exception>
    public void Check()
    {
        UserException.ThrowUnless(Epochs is >= 1 and <= MostEpochs, $"--epochs: expected 1 to {MostEpochs}, got {Epochs}");
        UserException.ThrowUnless(Seeds is >= 1 and <= MostSeeds, $"--seeds: expected 1 to {MostSeeds}, got {Seeds}");
    }
}
