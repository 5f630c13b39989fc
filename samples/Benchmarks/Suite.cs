using Benchmarks.Cases;

namespace Benchmarks;

/// <summary>All that is measured.</summary>
/// <param name="quick">In the short form.</param>
/// <param name="device">cpu or cuda.</param>
internal sealed class Suite(bool quick, string device)
{
    private readonly Case[] times = [.. new[]
    {
        VladCases.All(quick), PyramidCases.All(quick), BackboneCases.All(quick), WindowCases.All(quick), RegionCases.All(quick),
    }.SelectMany(cases => cases).Select(item => item.On(device))];

    private readonly Case[] memory = [.. MemoryCases.All(quick).Select(item => item.On(device))];

    private readonly Series[] growth =
        [.. GrowthCases.All(quick).Select(series => series with { Cases = [.. series.Cases.Select(item => (item.Size, item.Case.On(device)))] })];

    public IEnumerable<string> Operators => times.Select(item => item.Operator).Distinct();

    /// <summary>A case whose memory is measured.</summary>
    public Case Find(string name) =>
        memory.Concat(growth.SelectMany(series => series.Cases).Select(item => item.Case)).First(item => item.Name == name);

    /// <summary>Measures what has this text in its name; null where nothing has.</summary>
    /// <remarks>The memory of a GPU cannot be read through TorchSharp: on cuda there are times alone.</remarks>
    public Results? Run(string filter, Harness harness)
    {
        bool Chosen(string name) => name.Contains(filter, StringComparison.OrdinalIgnoreCase);
        string[] arguments = quick ? ["--quick"] : [];
        var results = new Results(
            harness.Run([.. times.Where(item => Chosen(item.Name))]),
            [.. memory.Where(item => device == "cpu" && Chosen($"memory of {item.Name}")).Select(item => Memory.Of(item, arguments))],
            [.. growth.Where(series => device == "cpu" && Chosen(series.Name)).Select(series => Grown.Of(series, harness, arguments))],
            device == "cpu" && Chosen("overhead") ? Overhead.Measure() : []);
        return results.Times.Count + harness.Failures.Count + results.Memory.Count + results.Growth.Count + results.Overhead.Count > 0 ? results : null;
    }
}
