using System.Reflection;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>Whether an exception is one that a caller can act on.</summary>
internal static class Verdict
{
    private static readonly NullabilityInfoContext Nullability = new();

    /// <summary>What is wrong with it; null where nothing is.</summary>
    public static string? Of(Exception thrown, Member member) => thrown switch
    {
        HostileException => null,
        ArgumentException e when e.ParamName is null => "names no argument",
        ArgumentException { ParamName: { } name } when !Named(name, member) => $"names the argument {name}, which the caller does not know",
        ArgumentException or IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException or InvalidOperationException =>
            thrown.Message.Length < 20 ? "says too little" : null,
        _ => "is none that a caller expects",
    };

    /// <summary>The parameters that have to refuse null.</summary>
    public static bool RefusesNull(ParameterInfo parameter) =>
        !parameter.ParameterType.IsValueType && Nullability.Create(parameter).WriteState == NullabilityState.NotNull;

    /// <summary>An argument of the call, or of the constructor before it; a numbered one without its number; what a module refuses
    /// that the caller handed in passes under the module's own name.</summary>
    private static bool Named(string name, Member member) =>
        member.Parameters.Concat(member.Type.GetConstructors().SelectMany(c => c.GetParameters())).Any(p => p.Name!.TrimEnd([.. "123456"]) == name)
        || member.Parameters.Any(p => p.ParameterType.IsAssignableTo(typeof(nn.Module)))
        || (member.Method.Name.StartsWith("set_", StringComparison.Ordinal) && name == "value");
}
