using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>Thrown by the adversary's own delegates and lists: what the library has to let through.</summary>
internal sealed class HostileException() : Exception("thrown by what the caller handed in");

/// <summary>Lists, delegates, modules, devices and paths of an adversary.</summary>
internal static class HostileObjects
{
    private static readonly (double, double)[] Places = [(double.NaN, 0), (0, double.PositiveInfinity), (1e308, -1e308), (0, 0)];

    public static IEnumerable<Argument> Of(Type type, Argument sound) => type switch
    {
        _ when type == typeof(IEnumerable<Tensor>) => Batches(sound).Append(new("a list that throws", _ => Throwing())).Append(new("a list that changes", _ => new Changing())),
        _ when type == typeof(IReadOnlyList<Tensor>) || type == typeof(Tensor[]) || type == typeof(IList<Tensor>) => Batches(sound),
        _ when type == typeof(IReadOnlyList<int>) => Each<IReadOnlyList<int>>([], [-1], [int.MaxValue], [int.MinValue, 0], [.. new int[999]], [0, 1, 2]),
        _ when type == typeof(IReadOnlyList<double>) => Each<IReadOnlyList<double>>([], [double.NaN], [0, -1, double.PositiveInfinity]),
        _ when type == typeof(IReadOnlyList<int[]>) => Each<IReadOnlyList<int[]>>(
            [], [null!], [[0], null!], [[-1], [0]], [[int.MaxValue], [0]], [[1, 0], [2]], [[3, 3], [2]], [[0]], [[0], [1], [2]], [[], []]),
        _ when type == typeof(IReadOnlyList<long[]>) => Each<IReadOnlyList<long[]>>(
            [], [null!, null!], [[0], null!], [[-1], [0]], [[long.MaxValue], [long.MinValue]], [[1, 1], [2]], [[0]], [[0], [1], [2]], [[], []]),
        _ when type == typeof(IReadOnlyList<(double, double)>) => Each<IReadOnlyList<(double, double)>>(
            [.. Places.SelectMany(p => new IReadOnlyList<(double, double)>[] { [p], [p, (0, 0)], [.. Enumerable.Repeat(p, 12)] }), []]),
        _ when type == typeof((string, object?)[]) => Each<(string, object?)[]>(
            [], [(null!, 1L)], [("", 1L)], [("a", new object())], [("a", 1L), ("a", 2L)], [("class", null)], [("\0 \n", 1L)]),
        _ when type == typeof(Device) => Devices(),
        _ when type == typeof(Generator) => [new("a disposed generator", _ => Disposed(new Generator(1)))],
        _ when type == typeof(Type) => Each<Type>(typeof(int), typeof(nn.Module), typeof(ClusterPooling), typeof(List<>), typeof(IDisposable)),
        _ when type == typeof(Func<long, nn.Module<Tensor, Tensor>>) =>
        [
            new("a function that throws", _ => (Func<long, nn.Module<Tensor, Tensor>>)(_ => throw new HostileException())),
            new("a function that gives null", _ => (Func<long, nn.Module<Tensor, Tensor>>)(_ => null!)),
            new("a function that gives a disposed layer", _ => (Func<long, nn.Module<Tensor, Tensor>>)(_ => Disposed(nn.AvgPool2d(2)))),
        ],
        _ when type == typeof(Func<Tensor, Tensor>) =>
        [
            new("a function that throws", _ => (Func<Tensor, Tensor>)(_ => throw new HostileException())),
            new("a function that gives null", _ => (Func<Tensor, Tensor>)(_ => null!)),
            new("a function that gives a disposed tensor", _ => (Func<Tensor, Tensor>)(_ => Disposed(rand(2, 3, 6, 7)))),
            new("a function that disposes what it takes", _ => (Func<Tensor, Tensor>)Disposed),
            .. HostileTensors.Changes.Select(change => new Argument($"a function that gives what it takes {change.Text}", _ => (Func<Tensor, Tensor>)(x => change.Of(x)!))),
        ],
        _ when type == typeof(IReadOnlyList<string>) => Each<IReadOnlyList<string>>([], [null!], [""], ["(output)", "(output)"], ["no layer"], [.. new string[999]]),
        _ when type == typeof(nn.Module) || type == typeof(nn.Module<Tensor, Tensor>) =>
        [
            new("a module without a script form", _ => new Formless()), new("a module that throws", _ => new Thrower()),
            new("a disposed module", _ => Disposed(Workplace.Layer)), new("another module", _ => new GeM2d()),
        ],
        _ => [],
    };

    private static IEnumerable<Argument> Each<T>(params T[] values) => values.Select((value, i) => new Argument($"{typeof(T).Name} {i}", _ => value));

    private static IEnumerable<Argument> Batches(Argument sound)
    {
        yield return new("no tensors", _ => Array.Empty<Tensor>());
        yield return new("a null among tensors", _ => new Tensor[] { null! });
        yield return new("999 empty tensors", _ => Enumerable.Range(0, 999).Select(_ => empty(0)).ToArray());
        foreach (var change in HostileTensors.Changes)
        {
            yield return new($"a first tensor {change.Text}", place =>
            {
                var tensors = ((IEnumerable<Tensor>?)sound.Make(place))?.ToArray() ?? [rand(4, 3)];
                return (Tensor[])[change.Of(tensors[0]), .. tensors[1..]];
            });
        }
    }

    private static IEnumerable<Argument> Devices()
    {
        yield return new("the meta device", _ => META);
        foreach (var type in new[] { DeviceType.CUDA, DeviceType.MPS, DeviceType.XLA, DeviceType.META, (DeviceType)99 })
        {
            yield return new($"{type}", _ => new Device(type));
            yield return new($"{type}:99", _ => new Device(type, 99));
        }
    }

    public static IEnumerable<Argument> Paths()
    {
        yield return new("no path", _ => "");
        yield return new("a NUL", _ => "\0");
        yield return new("a folder", place => place.Folder);
        yield return new("a file in no folder", place => Path.Combine(place.Folder, "none", "file"));
        yield return new("a file below a file", place => Path.Combine(place.Text, "file"));
        yield return new("a file that is not there", place => Path.Combine(place.Folder, "none"));
        yield return new("a text file", place => place.Text);
        yield return new("an empty file", place => place.Empty);
        yield return new("a TorchScript file", place => place.Script);
        yield return new("a .npy file", place => place.Npy);
        yield return new("a name that is too long", place => Path.Combine(place.Folder, new string('n', 5000)));
    }

    private static T Disposed<T>(T what)
        where T : IDisposable
    {
        what.Dispose();
        return what;
    }

    private static IEnumerable<Tensor> Throwing()
    {
        yield return rand(7, 3);
        throw new HostileException();
    }

    /// <summary>Fewer rows in each pass.</summary>
    private sealed class Changing : IEnumerable<Tensor>
    {
        private int rows = 20;

        public IEnumerator<Tensor> GetEnumerator()
        {
            yield return rand(rows--, 3);
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class Formless() : nn.Module<Tensor, Tensor>(nameof(Formless))
    {
        public override Tensor forward(Tensor x) => x.alias();
    }

    private sealed class Thrower() : nn.Module<Tensor, Tensor>(nameof(Thrower)), IScriptable
    {
        public override Tensor forward(Tensor x) => throw new HostileException();

        ScriptDefinition IScriptable.script() => throw new HostileException();
    }
}
