using System.Reflection;
using System.Reflection.Emit;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>The library hands libtorch no number that a collection may free before it is read: see <see cref="Numbers"/>. What TorchSharp
/// does inside its own modules, a BatchNorm in training, is not followed.</summary>
[Collection(nameof(AloneCollection))]
public class HeldNumbersTests
{
    private static readonly Type[] Holders = [typeof(Numbers), typeof(ScriptNumbers)];

    /// <summary>Methods of TorchSharp that hold nothing either, and are called with numbers that <see cref="ScriptNumbers"/> holds, or
    /// without any.</summary>
    private static readonly (Type, string)[] Allowed =
        [(typeof(jit.CompilationUnit), "invoke"), (typeof(jit.ScriptModule), "invoke"), (typeof(jit.ScriptModule), "forward")];

    [Fact]
    public void The_library_calls_nothing_that_makes_a_number_and_forgets_it()
    {
        var calls = Methods(typeof(Tensor).Assembly).ToDictionary(method => method, method => Calls(method).ToArray());
        var makers = calls.Keys.Where(MakesNumber).ToHashSet();
        for (var before = 0; before != makers.Count;)   // and what calls them, and so on
        {
            before = makers.Count;
            makers.UnionWith(calls.Where(pair => pair.Value.Any(makers.Contains)).Select(pair => pair.Key).ToArray());
        }

        Assert.Contains(makers, method => method.DeclaringType == typeof(Tensor) && method.Name == "op_Addition");   // of two tensors: a + 1·b
        Assert.Empty(
            from method in Methods(typeof(NetVLAD).Assembly)
            where !Holders.Any(holder => method.DeclaringType!.FullName!.StartsWith(holder.FullName!, StringComparison.Ordinal))
            from call in Calls(method)
            where makers.Contains(call) && !Allowed.Contains((call.DeclaringType!, call.Name))
            select $"{method.DeclaringType!.Name}.{method.Name} calls {call.DeclaringType!.Name}.{call.Name}");
    }

    [Fact]
    public void Numbers_live_until_libtorch_has_read_them_whatever_the_garbage_collector_does()
    {
        using var gradients = no_grad();
        nn.Module<Tensor, Tensor>[] modules =
            [new GeM2d(), new NetVLAD(2, 3), new LogSumExp2d(), new PowerPool2d(2), new LogSumExpPool2d(2), new CroW(), new SPoC(center_prior: true)];
        using var x = rand(1, 3, 4, 4);
        var expected = Array.ConvertAll(modules, module => module.call(x));
        using var collector = new GarbageCollector();
        for (var i = 0; i < 600; i++)
        {
            for (var k = 0; k < modules.Length; k++)
            {
                using var y = modules[k].call(x);
                Assert.True(y.allclose(expected[k], 1e-6), $"{modules[k].GetName()}");
            }
        }
    }

    private static bool MakesNumber(MethodBase method) =>
        (method.DeclaringType == typeof(Scalar) && (method.Name == "op_Implicit" || method.IsConstructor))
        || (method.DeclaringType == typeof(Tensor) && method.Name == nameof(Tensor.ToScalar));

    private static IEnumerable<MethodBase> Methods(Assembly assembly) =>
        from type in assembly.GetTypes()
        from member in type.GetMembers(
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        where member is MethodBase
        select (MethodBase)member;

    private static readonly Dictionary<short, OpCode> Codes =
        typeof(OpCodes).GetFields().Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>The methods that a method's code names, generic ones, and those of generic types, as they are defined.</summary>
    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (var i = 0; i < code.Length;)
        {
            var op = Codes[code[i] == 0xfe ? (short)(0xfe00 | code[i + 1]) : code[i]];
            i += op.Size;
            if (op.OperandType == OperandType.InlineMethod)
            {
                var called = method.Module.ResolveMethod(
                    BitConverter.ToInt32(code, i), method.DeclaringType!.GetGenericArguments(), method.IsGenericMethod ? method.GetGenericArguments() : [])!;
                yield return called.IsGenericMethod || called.DeclaringType is { IsGenericType: true } ? called.Module.ResolveMethod(called.MetadataToken)! : called;
            }

            i += op.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, i)),
                _ => 4,
            };
        }
    }
}
