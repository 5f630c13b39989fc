using System.Collections;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>Makes the calls of a sweep and tells what came of them that should not.</summary>
internal static class Adversary
{
    private const string Log = "hostile.txt";

    public static string LastCall => File.Exists(Log) ? File.ReadAllText(Log) : "none";

    public static IEnumerable<string> Findings(Sweep sweep)
    {
        using var place = new Workplace();
        set_num_threads(1);   // of this thread: the tensors are small
        foreach (var trial in sweep.Trials.Prepend(sweep.Sound))
        {
            foreach (var training in sweep.Member.IsOfModule ? new[] { true, false } : [true])
            {
                var thrown = Call(sweep, trial, training, place);
                var complaint = thrown is null || trial == sweep.Sound ? Answered(sweep, trial, thrown) : Verdict.Of(thrown, sweep.Member);
                if (complaint is not null)
                {
                    yield return $"{sweep.Member.Name}, {trial.Text}: {complaint}{(thrown is null ? "" : ": " + thrown)}";
                }
            }
        }
    }

    private static string? Answered(Sweep sweep, Trial trial, Exception? thrown) =>
        thrown is not null ? "the sound example is refused, see Sound.Rows.cs"
        : trial.MustBeRefused && sweep.Member.Parameters.Length > 0 ? "is taken, though its type says otherwise"
        : null;

    private static Exception? Call(Sweep sweep, Trial trial, bool training, Workplace place)
    {
        using var scope = NewDisposeScope();
        var target = sweep.Target(place);
        var arguments = Array.ConvertAll(trial.Arguments, make => make(place));
        object? result = null;
        File.WriteAllText(Log, $"{sweep.Member.Name}, {trial.Text}");
        try
        {
            (target as nn.Module)?.train(training);
            result = sweep.Member.Call(target, arguments);
            Use(result);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
        finally
        {
            (target as IDisposable)?.Dispose();
            (result as IDisposable)?.Dispose();
        }
    }

    /// <summary>Walks the gradient of a result, its items, or its properties.</summary>
    private static void Use(object? result)
    {
        switch (result)
        {
            case Tensor x when x is { requires_grad: true, is_leaf: false }:
                x.sum().backward();
                break;
            case ITuple items:
                Enumerable.Range(0, items.Length).ToList().ForEach(i => Use(items[i]));
                break;
            case IEnumerable items and not string:
                foreach (var item in items)
                {
                    Use(item);
                }

                break;
            case { } made when made.GetType().Assembly == typeof(pooling).Assembly:
                foreach (var property in made.GetType().GetProperties().Where(p => p.DeclaringType!.Assembly == typeof(pooling).Assembly))
                {
                    property.GetValue(made);
                }

                break;
        }
    }
}
