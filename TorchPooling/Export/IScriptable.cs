namespace TorchPooling;

/// <summary>A module that says its own TorchScript form, so that <see cref="torchscript.save{T, TResult}"/> can export models that
/// contain it. Implement it on your own modules beside their C# forward.</summary>
public interface IScriptable
{
    /// <summary>The form of this instance: methods, and the settings that they read. Parameters, persistent buffers and
    /// child modules are taken from the module itself, under their state_dict names.</summary>
    ScriptDefinition script();
}
