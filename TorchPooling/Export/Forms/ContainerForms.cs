using TorchSharp.Modules;
using static TorchPooling.ScriptForms;

namespace TorchPooling;

internal static class ContainerForms
{
    public static void Add()
    {
        ScriptForms.Add<Sequential>(Chain);
        ScriptForms.Add(typeof(ModuleList<>), _ => ScriptDefinition.Container);
        ScriptForms.Add(typeof(ModuleDict<>), _ => ScriptDefinition.Container);
        ScriptForms.Add<ParameterList>(_ => ScriptDefinition.Container);
        ScriptForms.Add<ParameterDict>(_ => ScriptDefinition.Container);
        ScriptForms.Add<Identity>(_ => Line("x"));
    }

    private static ScriptDefinition Chain(Sequential sequential)
    {
        var calls = sequential.named_children().Select(child => $"    x = {ScriptNames.Reach(child.name)}.forward(x)");
        return new("def forward(self, x: Tensor) -> Tensor:\n" + string.Join("\n", calls.Append("    return x")));
    }
}
