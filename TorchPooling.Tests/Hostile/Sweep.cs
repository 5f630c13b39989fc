using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>One call: what is hostile about it, its arguments, and whether it must not succeed.</summary>
internal sealed record Trial(string Text, Func<Workplace, object?>[] Arguments, bool MustBeRefused = false);

/// <summary>All calls of one member: each argument hostile alone, then two at once, then all tensors at once.</summary>
internal sealed class Sweep
{
    private const int OfEachPair = 8;

    private readonly Argument?[] sound;
    private readonly Case? item;

    /// <param name="member">What is called.</param>
    /// <param name="item">The module that it is called on; a sound example of its type where null.</param>
    public Sweep(Member member, Case? item = null)
    {
        Member = member;
        this.item = item;
        sound = item is null
            ? Array.ConvertAll(member.Parameters, p => Hostile.Sound.Of(member, p))
            : [new("sound", _ => Seeded.Normal(1, [2, item.Channels, 6, 7]))];
        Missing = [.. member.Parameters.Where((_, i) => sound[i] is null).Select(p => $"{member.Key}.{p.Name} ({p.ParameterType})")];
        Sound = Missing.Count > 0 ? new("", []) : new("sound", With());
        Trials = Missing.Count > 0 ? [] : [.. Alone().Concat(Pairs()).Concat(Together())];
    }

    public Member Member { get; }

    /// <summary>The rows that <see cref="Sound"/> lacks.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>The call that has to succeed.</summary>
    public Trial Sound { get; }

    public IReadOnlyList<Trial> Trials { get; }

    /// <summary>An object to call the member on; null for what is static.</summary>
    public object? Target(Workplace place) => item is null ? Hostile.Sound.Target(Member, place) : item.Create();

    public override string ToString() => $"{(item is null ? Member.Name : $"{item}, {Member.Name}")}: {Trials.Count} inputs";

    private IEnumerable<Trial> Alone()
    {
        for (var i = 0; i < sound.Length; i++)
        {
            foreach (var value in IsOneOfMany(i) ? [] : Values(i))
            {
                yield return new(Named(i, value), With((i, value)), value == HostileValues.Null && Verdict.RefusesNull(Member.Parameters[i]));
            }
        }
    }

    /// <summary>An example of an export between the first and the last: as they, and each takes a file.</summary>
    private bool IsOneOfMany(int i) => i < sound.Length - 1 && Member.Parameters[i].Name is "example2" or "example3" or "example4" or "example5";

    private IEnumerable<Trial> Pairs()
    {
        for (var i = 0; i < sound.Length; i++)
        {
            for (var j = i + 1; j < sound.Length; j++)
            {
                var (first, second) = (Values(i), Values(j));
                for (var k = 0; k < OfEachPair && first.Count > 0 && second.Count > 0; k++)
                {
                    var (a, b) = (first[(5 * k + 7 + j) % first.Count], second[(7 * k + 7 + i) % second.Count]);
                    yield return new($"{Named(i, a)}, {Named(j, b)}", With((i, a), (j, b)));
                }
            }
        }
    }

    private IEnumerable<Trial> Together()
    {
        var tensors = Enumerable.Range(0, sound.Length).Where(i => Member.Parameters[i].ParameterType == typeof(Tensor)).ToArray();
        return tensors.Length < 2 ? [] : HostileTensors.Together.Select(change => new Trial(
            $"all tensors {change.Text}",
            With([.. tensors.Select(i => (i, new Argument("", place => sound[i]!.Make(place) is Tensor x ? change.Of(x) : null)))])));
    }

    private IReadOnlyList<Argument> Values(int parameter) => [.. HostileValues.Of(Member.Parameters[parameter], sound[parameter]!)];

    private string Named(int parameter, Argument value) => $"{Member.Parameters[parameter].Name} {value.Text}";

    private Func<Workplace, object?>[] With(params (int Parameter, Argument Value)[] others)
    {
        var arguments = Array.ConvertAll(sound, argument => argument!.Make);
        foreach (var (parameter, value) in others)
        {
            arguments[parameter] = value.Make;
        }

        return arguments;
    }
}
