using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A parameter or buffer under one of its names.</summary>
/// <param name="Name">The name from the module that was asked, with dots.</param>
/// <param name="ScriptName">The same in a TorchScript file.</param>
/// <param name="Value">The module's own tensor.</param>
/// <param name="IsParameter">A parameter, not a buffer.</param>
/// <param name="IsPersistent">Whether it belongs into a state_dict; parameters always do.</param>
internal readonly record struct ModuleTensor(string Name, string ScriptName, Tensor Value, bool IsParameter, bool IsPersistent);

/// <summary>Every name of every tensor of a module. TorchSharp's own lists leave out all but the first name of a shared
/// tensor, and buffers that are not persistent.</summary>
internal static class ModuleTensors
{
    /// <summary>Those of <paramref name="module"/> and of all modules below it, parents before children.</summary>
    public static IEnumerable<ModuleTensor> All(nn.Module module)
    {
        foreach (var item in Own(module))
        {
            yield return item;
        }

        if (module is jit.ScriptModule)
        {
            yield break;   // its own are those of the modules below it too
        }

        foreach (var (name, child) in module.named_children())
        {
            foreach (var item in All(child))
            {
                yield return item with { Name = $"{name}.{item.Name}", ScriptName = $"{ScriptNames.Of(name)}.{item.ScriptName}" };
            }
        }
    }

    /// <summary>Those that the module itself holds: parameters first.</summary>
    public static IEnumerable<ModuleTensor> Own(nn.Module module)
    {
        foreach (var (name, parameter) in OwnParameters(module))
        {
            yield return new(name, Written(module, name), parameter, IsParameter: true, IsPersistent: true);
        }

        foreach (var (name, (buffer, persistent)) in Buffers(module))
        {
            yield return new(name, Written(module, name), buffer, IsParameter: false, persistent);
        }
    }

    /// <summary>A script's own names have been written already, with dots.</summary>
    private static string Written(nn.Module module, string name) => module is jit.ScriptModule ? name : ScriptNames.Of(name);

    private static IEnumerable<(string, Parameter)> OwnParameters(nn.Module module) => module switch
    {
        // The two lists keep parameters of their own, and leave old ones registered when they are moved.
        ParameterList or ParameterDict => module.named_parameters(recurse: false),
        // A pretrained table is registered as another tensor than the one that is looked up.
        Embedding { weight: { } table } => [("weight", table)],
        EmbeddingBag { weight: { } table } => [("weight", table)],
        _ => Parameters(module),
    };

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_internal_params")]
    private static extern ref OrderedDict<string, Parameter> Parameters(nn.Module module);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_internal_buffers")]
    private static extern ref OrderedDict<string, (Tensor, bool)> Buffers(nn.Module module);
}
