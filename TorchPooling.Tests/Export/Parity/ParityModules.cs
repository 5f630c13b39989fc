using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

/// <summary>A pool whose indices an unpooling consumes.</summary>
internal sealed class Segmentation : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly MaxPool2d pool = nn.MaxPool2d(2);
    private readonly MaxUnpool2d unpool = nn.MaxUnpool2d(2);

    public Segmentation()
        : base(nameof(Segmentation)) => RegisterComponents();

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (values, indices) = pool.forward_with_indices(x);
        return unpool.call(values, indices).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            values, indices = self.pool.forward_with_indices(x)
            return self.unpool.forward(values, indices, [x.size(2), x.size(3)])
        """);
}

/// <summary>TorchSharp's generic Sequential is made by deriving from it.</summary>
internal sealed class Halves : Sequential<Tensor, (Tensor, Tensor)>, IScriptable
{
    public Halves()
        : base(("left", nn.Linear(6, 2)), ("right", nn.Linear(6, 3)))
    {
    }

    public override (Tensor, Tensor) forward(Tensor x) =>
        (((Linear)this[0]).call(x), ((Linear)this[1]).call(x));

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
            return self.left.forward(x), self.right.forward(x)
        """);
}

internal sealed class Lists : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly ModuleList<Linear> blocks = nn.ModuleList(nn.Linear(6, 6), nn.Linear(6, 6, hasBias: false));
    private readonly ModuleDict<nn.Module<Tensor, Tensor>> heads = nn.ModuleDict<nn.Module<Tensor, Tensor>>(("tanh", nn.Tanh()), ("2nd", nn.Linear(6, 2)));

    public Lists()
        : base(nameof(Lists)) => RegisterComponents();

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        foreach (var block in blocks)
        {
            x = block.call(x);
        }

        return heads["2nd"].call(heads["tanh"].call(x)).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        $"""
        def forward(self, x: Tensor) -> Tensor:
            {string.Join("\n    ", Enumerable.Range(0, blocks.Count).Select(i => $"x = getattr(self.blocks, \"{i}\").forward(x)"))}
            return getattr(self.heads, "2nd").forward(self.heads.tanh.forward(x))
        """);
}

internal sealed class Parameters : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly ParameterList scales = nn.ParameterList(Drawn(), Drawn());
    private readonly ParameterDict shifts = nn.ParameterDict(("up", Drawn()), ("down", Drawn()));

    public Parameters()
        : base(nameof(Parameters)) => RegisterComponents();

    public override Tensor forward(Tensor x) => x * scales[0] * scales[1] + shifts["up"] - shifts["down"];

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            return x * getattr(self.scales, "0") * getattr(self.scales, "1") + self.shifts.up - self.shifts.down
        """);

    private static Parameter Drawn() => new(rand(6));
}

/// <summary>A list, a tuple and an optional tensor in; a tuple of a tensor, a list and an optional tensor out.</summary>
internal sealed class Many() : nn.Module<Tensor[], (Tensor, Tensor), Tensor?, (Tensor, Tensor[], Tensor?)>(nameof(Many)), IScriptable
{
    public override (Tensor, Tensor[], Tensor?) forward(Tensor[] list, (Tensor, Tensor) pair, Tensor? maybe) =>
        (list[0] + pair.Item1, [.. list.Select(item => item * pair.Item2)], maybe is null ? null : maybe * 2);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, list: List[Tensor], pair: Tuple[Tensor, Tensor], maybe: Optional[Tensor]) -> Tuple[Tensor, List[Tensor], Optional[Tensor]]:
            products = annotate(List[Tensor], [])
            for item in list:
                products.append(item * pair[1])
            twice = annotate(Optional[Tensor], None)
            if maybe is not None:
                twice = maybe * 2
            return list[0] + pair[0], products, twice
        """);
}
