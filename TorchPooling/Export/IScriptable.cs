namespace TorchPooling;

/// <summary>A module that says its own TorchScript form, so that <see cref="torchscript.save{T, TResult}"/> can export models that
/// contain it. Implement it on your own modules beside their C# forward.</summary>
public interface IScriptable
{
    /// <summary>The form of this instance: methods, and the settings that they read. Parameters, buffers (those that
    /// are not persistent too, which are in Python's state_dict then) and child modules are taken from the module itself, under
    /// their names.</summary>
    ScriptDefinition script();
}
