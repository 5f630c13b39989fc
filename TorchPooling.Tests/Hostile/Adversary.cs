using System.Collections;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>Makes the calls of a sweep and tells what came of them that should not.</summary>
internal static class Adversary
{
    private static readonly SafeFileHandle log = File.OpenHandle("hostile.txt", FileMode.Create, FileAccess.Write, FileShare.ReadWrite);

    public static string LastCall { get; private set; } = "none";

    public static IEnumerable<string> Findings(Sweep sweep)
    {
        using var place = new Workplace();
        set_num_threads(1);   // of this thread, and of threads that begin later: the tensors are small
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
        LastCall = $"{sweep.Member.Name}, {trial.Text}";
        RandomAccess.SetLength(log, 0);   // the file outlives a process that the call ends
        RandomAccess.Write(log, Encoding.UTF8.GetBytes(LastCall), 0);
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
