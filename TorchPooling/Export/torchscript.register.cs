using static TorchSharp.torch;

namespace TorchPooling;

public static partial class torchscript
{
    /// <summary>Gives a module type that cannot implement <see cref="IScriptable"/> a TorchScript form: one of another library, or
    /// one of TorchSharp's that <see cref="save{T, TResult}"/> refuses. It holds for modules of exactly this type, in this
    /// process, and goes before their own form.</summary>
    /// <param name="form">From a module to its form.</param>
    /// <exception cref="ArgumentException">No module is of exactly <typeparamref name="TModule"/>: it is abstract.</exception>
    public static void register<TModule>(Func<TModule, ScriptDefinition> form)
        where TModule : nn.Module
    {
        ArgumentNullException.ThrowIfNull(form);
        register(typeof(TModule), module => form((TModule)module));
    }

    /// <summary>The same for a type that is private in its library, or all constructions of a generic one.</summary>
    /// <param name="type">The type, or a generic type definition such as <c>typeof(Gate&lt;&gt;)</c>.</param>
    /// <param name="form">From a module of it to its form.</param>
    /// <exception cref="ArgumentException">No module is of exactly this type: it is abstract, or no module type.</exception>
    public static void register(Type type, Func<nn.Module, ScriptDefinition> form)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(form);
        if (type.IsAbstract || !type.IsSubclassOf(typeof(nn.Module)))
        {
            throw new ArgumentException($"expected a type that modules are of, got {type}", nameof(type));
        }

        ScriptForms.Add(type, form);
    }
}
