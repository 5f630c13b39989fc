using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

internal sealed class Sum2() : nn.Module<Tensor, Tensor, Tensor>(nameof(Sum2)), IScriptable
{
    public override Tensor forward(Tensor a, Tensor b) => a + b;

    ScriptDefinition IScriptable.script() => new("def forward(self, a: Tensor, b: Tensor) -> Tensor:\n    return a + b");
}

internal sealed class Sum3() : nn.Module<Tensor, Tensor, Tensor, Tensor>(nameof(Sum3)), IScriptable
{
    public override Tensor forward(Tensor a, Tensor b, Tensor c) => cat([a, b, c]);

    ScriptDefinition IScriptable.script() => new("def forward(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:\n    return torch.cat([a, b, c])");
}

internal sealed class Sum4() : nn.Module<Tensor, Tensor, Tensor, Tensor, Tensor>(nameof(Sum4)), IScriptable
{
    public override Tensor forward(Tensor a, Tensor b, Tensor c, Tensor d) => cat([a, b, c, d]);

    ScriptDefinition IScriptable.script() => new(
        "def forward(self, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:\n    return torch.cat([a, b, c, d])");
}

internal sealed class Sum5() : nn.Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>(nameof(Sum5)), IScriptable
{
    public override Tensor forward(Tensor a, Tensor b, Tensor c, Tensor d, Tensor e) => cat([a, b, c, d, e]);

    ScriptDefinition IScriptable.script() => new(
        "def forward(self, a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor) -> Tensor:\n    return torch.cat([a, b, c, d, e])");
}

internal sealed class Sum6() : nn.Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>(nameof(Sum6)), IScriptable
{
    public override Tensor forward(Tensor a, Tensor b, Tensor c, Tensor d, Tensor e, Tensor f) => cat([a, b, c, d, e, f]);

    ScriptDefinition IScriptable.script() => new(
        "def forward(self, a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor) -> Tensor:\n    return torch.cat([a, b, c, d, e, f])");
}
