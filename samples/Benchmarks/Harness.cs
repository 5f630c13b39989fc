using System.Diagnostics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>Runs the contestants of a case in turns, round by round in another order, so that a load on the machine falls on all.</summary>
/// <param name="rounds">Timed rounds, after some that are not.</param>
/// <param name="threads">Threads of all.</param>
/// <param name="device">Where the reference in Python runs: cpu or cuda, as the cases.</param>
/// <param name="budget">Seconds after which a case ends with fewer rounds, three at least.</param>
internal sealed class Harness(int rounds, int threads, string device = "cpu", double budget = 20)
{
    private const int WarmUp = 2;   // after the round that is compared: TorchScript compiles in the first two
    private const int Fewest = 3;

    public int Rounds => rounds;

    public int Threads => threads;

    /// <summary>What was not timed, and why: another result than the alternative, an error of libtorch, as of no memory left, or the end of Python.</summary>
    public List<string> Failures { get; } = [];

    public IReadOnlyList<Measured> Run(IEnumerable<Case> cases)
    {
        set_num_threads(threads);
        using var python = new PythonReference(threads, device);
        var measured = new List<Measured>();
        foreach (var item in cases)
        {
            try
            {
                measured.Add(Run(item, python));
            }
            catch (Exception e) when (e is InvalidOperationException or ExternalException or IOException)
            {
                Failures.Add($"{item.Name}: {e.Message}");
            }
        }

        return measured;
    }

    private Measured Run(Case item, PythonReference python)
    {
        Console.Error.WriteLine($"{item.Name} …");
        using var scope = NewDisposeScope();
        var scene = item.Make(item.Setting);
        string? missing = null;
        var contestants = scene.Contestants.Where(one => one.Python is null || (missing = python.Missing) is null).ToArray();
        Compare(item, scene, contestants, python);
        var times = contestants.Select(_ => new List<double>()).ToArray();
        var order = Enumerable.Range(0, contestants.Length).ToArray();
        var random = new Random(1);
        var clock = Stopwatch.StartNew();
        for (var round = -WarmUp; round < rounds && (round < Fewest || clock.Elapsed.TotalSeconds < budget); round++)
        {
            random.Shuffle(order);   // no one always follows the same one, whose garbage and cache it would take over
            foreach (var i in order)
            {
                var time = contestants[i].Python is null ? Time(item, scene, contestants[i]) : python.Run();
                if (round >= 0)
                {
                    times[i].Add(time);
                }
            }
        }

        return new(item, [.. contestants.Select((one, i) => new Times(one.Name, times[i]) { IsFloor = one.IsFloor })], missing);
    }

    /// <summary>Medians of ours in several cases, which run in turns, too.</summary>
    public IReadOnlyList<double> InTurns(IReadOnlyList<Case> cases)
    {
        set_num_threads(threads);
        using var scope = NewDisposeScope();
        var scenes = cases.Select(item => item.Make(item.Setting)).ToArray();
        var times = cases.Select(_ => new List<double>()).ToArray();
        for (var round = -WarmUp; round < rounds; round++)
        {
            for (var i = 0; i < cases.Count; i++)
            {
                var time = Time(cases[i], scenes[i], scenes[i].Contestants[0]);
                if (round >= 0)
                {
                    times[i].Add(time);
                }
            }
        }

        return [.. times.Select(one => new Times("", one).Median)];
    }

    /// <summary>Times say something only where all compute the same.</summary>
    private static void Compare(Case item, Scene scene, Contestant[] contestants, PythonReference python)
    {
        using var scope = NewDisposeScope();
        Tensor? y = null, gradient = null;
        foreach (var contestant in contestants)
        {
            if (contestant.Python is { } expression)
            {
                python.Prepare(expression, item.Setting.Backward, scene.Names.Zip(scene.Inputs));
                var (other, otherGradient) = python.Results(item.Setting.Backward);
                Same(contestant, "outputs", y!, other);
                if (otherGradient is not null)
                {
                    Same(contestant, "gradients", gradient!, otherGradient);
                }

                continue;
            }

            Time(item, scene, contestant, (result, input) =>
            {
                if (y is null)
                {
                    (y, gradient) = (result.detach().MoveToOtherDisposeScope(scope), input.grad?.detach().MoveToOtherDisposeScope(scope));
                    return;
                }

                if (contestant.IsSame)
                {
                    Same(contestant, "outputs", y, result);
                    if (gradient is not null)
                    {
                        Same(contestant, "gradients", gradient, input.grad!);
                    }
                }
            });
        }

        void Same(Contestant contestant, string what, Tensor ours, Tensor other)
        {
            if (ours.numel() != other.numel())
            {
                throw new InvalidOperationException($"{what} of {ours.numel()} numbers, {contestant.Name} has {other.numel()}");
            }

            var (a, b) = (ours.flatten().cpu().to(ScalarType.Float32), other.detach().flatten().cpu().to(ScalarType.Float32));
            var gap = ((a - b).abs().max() / b.abs().max()).item<float>();
            var allowed = item.Setting.Dtype switch { ScalarType.Float32 => 1e-4, ScalarType.Float64 => 1e-9, _ => 5e-2 };
            if (!(gap <= allowed))   // NaN is a difference
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"{what} differ from those of {contestant.Name} by {gap:G3} of their largest number, {allowed:G3} is allowed"));
            }
        }
    }

    /// <summary>Milliseconds of one call, what it leaves for the garbage of libtorch included.</summary>
    public static double Time(Case item, Scene scene, Contestant contestant, Action<Tensor, Tensor>? look = null)
    {
        using var outer = NewDisposeScope();
        using var gradients = item.Setting.Backward ? enable_grad() : no_grad();
        Tensor[] inputs = [item.Setting.Backward ? scene.Inputs[0].detach().requires_grad_() : scene.Inputs[0], .. scene.Inputs[1..]];
        Synchronize(item.Setting.Device);
        var watch = Stopwatch.StartNew();
        using (NewDisposeScope())
        {
            var y = contestant.Run!(inputs);
            if (item.Setting.Backward)
            {
                y.backward([ones_like(y)]);
            }

            Synchronize(item.Setting.Device);
            look?.Invoke(y, inputs[0]);
        }

        return watch.Elapsed.TotalMilliseconds;
    }

    private static void Synchronize(Device device)
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }
    }
}
