using static TorchSharp.torch;

namespace TorchPooling;

public static partial class torchscript
{
    /// <summary>Gives a module type that cannot implement <see cref="IScriptable"/> a TorchScript form: one of another library, or
    /// one of TorchSharp's that <see cref="save{T, TResult}"/> refuses. It holds for modules of exactly this type, in this
    /// process, and goes before their own form.</summary>
    /// <param name="form">From a module to its form.</param>
    /// <exception cref="ArgumentException"><typeparamref name="TModule"/> is abstract: no module is of exactly this type.</exception>
    public static void register<TModule>(Func<TModule, ScriptDefinition> form)
        where TModule : nn.Module
    {
        ArgumentNullException.ThrowIfNull(form);
        if (typeof(TModule).IsAbstract)
        {
            throw new ArgumentException($"expected a type that modules are of, got the abstract {typeof(TModule)}", nameof(form));
        }

        ScriptForms.Add(form);
    }
}
