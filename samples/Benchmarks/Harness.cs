using System.Diagnostics;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>Runs ours and the reference in turns, round by round, so that a load on the machine falls on both.</summary>
/// <param name="rounds">Timed rounds, after three that are not.</param>
/// <param name="threads">Threads of both sides.</param>
internal sealed class Harness(int rounds, int threads)
{
    private const int WarmUp = 2;   // after the round that is compared
    private const double Tolerance = 1e-4;

    public int Rounds => rounds;

    public int Threads => threads;

    public (Harness Settings, IReadOnlyList<Measured> Cases) Run(IEnumerable<Case> cases)
    {
        set_num_threads(threads);
        using var python = PythonReference.Start(threads, out var missing);
        return (this, [.. cases.Select(item => Run(item, python, missing))]);
    }

    private Measured Run(Case item, PythonReference? python, string? missing)
    {
        Console.Error.WriteLine($"{item.Name} …");
        using var scope = NewDisposeScope();
        var inputs = item.Inputs();
        python?.Prepare(item, inputs);
        var tensors = inputs.Select(input => input.Value).ToArray();
        if (python is not null)
        {
            Compare(item, tensors, python);
        }

        var (ours, reference) = (new List<double>(), new List<double>());
        for (var round = -WarmUp; round < rounds; round++)
        {
            var time = Ours(item, tensors);
            var other = python?.Run();
            if (round >= 0)
            {
                ours.Add(time);
                reference.AddRange(other is { } value ? [value] : []);
            }
        }

        return new(item.Name, ours, reference, missing);
    }

    /// <summary>Times of two sides say something only where both compute the same.</summary>
    private static void Compare(Case item, Tensor[] inputs, PythonReference python)
    {
        using var scope = NewDisposeScope();
        var (y, gradient) = python.Results(item.Backward);
        Ours(item, inputs, (our, input) =>
        {
            Same("outputs", our, y);
            if (gradient is not null)
            {
                Same("gradients", input.grad!, gradient);
            }
        });

        void Same(string what, Tensor our, Tensor reference)
        {
            if (our.numel() != reference.numel())
            {
                throw new InvalidOperationException($"{item.Name}: {what} of {our.numel()} numbers, the reference's of {reference.numel()}");
            }

            var gap = ((our.detach().flatten() - reference).abs().max() / reference.abs().max()).item<float>();
            if (!(gap <= Tolerance))   // NaN is a difference
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"{item.Name}: {what} differ from the reference's by {gap:G3} of their largest number, {Tolerance:G3} is allowed"));
            }
        }
    }

    private static double Ours(Case item, Tensor[] inputs, Action<Tensor, Tensor>? look = null)
    {
        using var scope = NewDisposeScope();
        using var gradients = item.Backward ? enable_grad() : no_grad();
        Tensor[] fresh = [item.Backward ? inputs[0].detach().requires_grad_() : inputs[0], .. inputs[1..]];
        var watch = Stopwatch.StartNew();
        var y = item.Ours(fresh);
        if (item.Backward)
        {
            y.backward([ones_like(y)]);
        }

        var time = watch.Elapsed.TotalMilliseconds;
        look?.Invoke(y, fresh[0]);
        return time;
    }
}
