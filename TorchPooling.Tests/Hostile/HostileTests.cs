using System.Diagnostics;
using Xunit.Abstractions;

namespace TorchPooling.Tests.Hostile;

/// <summary>Every public constructor, function and method is called with what an adversary hands in.</summary>
/// <remarks>Each call has to return, or to raise an exception of a kind that a caller expects, which names an argument. It must not end
/// the process, hang, or take the memory: hostile.txt in the folder of the tests names the last call.</remarks>
public class HostileTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    public static TheoryData<Row> Members => new(Sweeps.Select(sweep => new Row(sweep)));

    /// <summary>Of every member, then of every module of the registry, whose settings are others.</summary>
    private static IReadOnlyList<Sweep> Sweeps { get; } =
    [
        .. Surface.Members.Select(member => new Sweep(member)),
        .. Registry.Cases.SelectMany(Surface.Forward).Select(forward => new Sweep(forward.Member, forward.Item)),
    ];

    [Fact]
    public void Every_public_member_has_a_sound_example() =>
        Assert.Empty(Sweeps.SelectMany(sweep => sweep.Missing).Select(row => $"Sound.Rows.cs lacks a row for {row}"));

    [Fact]
    public void Thousands_of_inputs_are_tried()
    {
        output.WriteLine(string.Join("\n", Sweeps));
        var inputs = Sweeps.Sum(sweep => sweep.Trials.Count);
        output.WriteLine($"{inputs} inputs in {Sweeps.Count} sweeps, modules in training and in eval mode");
        Assert.True(inputs > 10_000, $"{inputs} inputs");
    }

    [Theory, MemberData(nameof(Members))]
    public void Hostile_arguments_are_refused_or_answered(Row member)
    {
        var clock = Stopwatch.StartNew();
        var findings = Findings(member.Sweep);
        output.WriteLine($"{member} in {clock.ElapsedMilliseconds} ms");
        Assert.True(findings.Count == 0, $"{findings.Count} findings:\n{string.Join("\n", findings)}");
    }

    /// <summary>A sweep, with its count of inputs in the name of its test.</summary>
    public sealed class Row
    {
        internal Row(Sweep sweep) => Sweep = sweep;

        internal Sweep Sweep { get; }

        public override string ToString() => Sweep.ToString();
    }

    /// <summary>On a thread of its own, so that what hangs is told.</summary>
    private static List<string> Findings(Sweep sweep)
    {
        var findings = new List<string>();
        Exception? thrown = null;
        var thread = new Thread(() =>
        {
            try
            {
                Check.MemoryLimit = 256 << 20;
                findings.AddRange(Adversary.Findings(sweep));
            }
            catch (Exception e)
            {
                thrown = e;
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        Assert.True(thread.Join(Longest), $"did not come back: {Adversary.LastCall}");
        return thrown is null ? findings : throw new InvalidOperationException($"the sweep itself failed at {Adversary.LastCall}", thrown);
    }
}
