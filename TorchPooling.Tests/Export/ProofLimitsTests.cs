using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

/// <summary>What must not slip through the proof, what it must not refuse, and what it leaves alone; alone, as it compares draws.</summary>
[Collection(nameof(AloneCollection))]
public class ProofLimitsTests
{
    public static TheoryData<string> WrongBesideRandom => ["training", "buffer", "dropout", "forgotten", "one of two"];

    [Theory]
    [MemberData(nameof(WrongBesideRandom))]
    public void What_is_wrong_is_found_beside_what_is_random(string what) => Saves(
        (nn.Module<Tensor, Tensor>)(what switch
        {
            "training" => nn.Sequential(new ProofTests.Formed(x => x * 2, "x * 3 if self.training else x * 2"), nn.Dropout(0.1)),
            "buffer" => nn.Sequential(new Norm("add_(5)"), nn.Dropout(0.1)),
            "forgotten" => new ProofTests.Formed(x => nn.functional.dropout(x, 0.5, true), "x * 1"),
            "dropout" => new ProofTests.Formed(x => nn.functional.dropout(x, 0.5, true), "torch.dropout(x, 0.9, True)"),
            _ => new ProofTests.Formed(x => cat([x * 2, rand_like(x)]), "torch.cat([x * 3, torch.rand_like(x)])"),
        }),
        rand(2, 3, 4, 5), "computes something else");

    [Fact]
    public void A_random_model_is_compared_on_other_sizes_too()
    {
        Saves(nn.FractionalMaxPool2d(2, output_size: 3), rand(2, 3, 9, 9));
        Saves(
            new ProofTests.Formed(x => nn.functional.dropout(x, 0.5, true), "torch.dropout(x, 0.5, True) * (1 if x.size(0) == 2 else 2)"), rand(2, 30), "on one row more");
    }

    [Fact]
    public void Saving_draws_no_number_of_the_user_s()
    {
        using var scope = NewDisposeScope();
        var (model, text, x) = (nn.Sequential(nn.Dropout(), nn.AlphaDropout()), new Text(), rand(4, 3));
        var before = get_rng_state();
        Saves(model, x);
        Saves(text, tensor(new long[] { 1, 2, 3 }).reshape(1, 3));
        Assert.True(before.Equals(get_rng_state()));
    }

    [Theory]
    [InlineData(ScalarType.Float16, "x * 2.2")]
    [InlineData(ScalarType.BFloat16, "x * 2.5")]
    [InlineData(ScalarType.Float64, "x * 2 + 1e-8")]
    [InlineData(ScalarType.Float32, "torch.cat([x * 2.01, x * 2])")]
    public void Each_dtype_has_its_tolerance(ScalarType dtype, string expression) => Saves(
        new ProofTests.Formed(x => expression.Contains("cat", StringComparison.Ordinal) ? cat([x * 2, x * 2]) : x * 2, expression),
        rand(2, 3).to(dtype), "computes something else");

    [Fact]
    public void One_large_value_hides_nothing()
    {
        Saves(new ProofTests.Formed(x => cat([x, full_like(x, -1e9)]), "torch.cat([x * 1.5 + 7.0, torch.full_like(x, -1e9)])"), rand(2, 3), "computes something else");
        Saves(new ProofTests.Formed(x => cat([x, full_like(x, -1e9)]), "torch.cat([x, torch.full_like(x, -1e9)])"), rand(2, 3));
    }

    [Fact]
    public void Small_values_are_compared_by_their_size()
    {
        Saves(new ProofTests.Formed(x => x * 1e-12, "x * 1.01e-12"), rand(2, 3) + 1, "computes something else");
        Saves(new ProofTests.Formed(x => x * 1e-12, "x * 1e-12"), rand(2, 3) + 1);
    }

    [Fact]
    public void Conjugated_and_negated_views_travel_as_what_they_are()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = new Own();
        model.register_buffer("turned", complex(rand(3), rand(3)).conj());
        model.register_buffer("below", complex(rand(3), rand(3)).conj().imag);
        torchscript.save(model, folder.File("m.pt"), rand(2, 3));
        using var script = torchscript.load(folder.File("m.pt"));
        var buffers = script.named_buffers().ToDictionary(b => b.name, b => b.buffer);
        Assert.All(model.named_buffers(), b => Assert.True((b.buffer - buffers[b.name]).abs().max().item<float>() == 0, b.name));
    }

    [Fact]
    public void Deep_nesting_is_exported_and_comes_back_in_no_time()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        nn.Module<Tensor, Tensor> model = nn.Linear(2, 2);
        for (var depth = 0; depth < 20; depth++)
        {
            model = nn.Sequential(model);
        }

        var clock = System.Diagnostics.Stopwatch.StartNew();
        torchscript.save(model, folder.File("m.pt"), rand(1, 2));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 20);   // Dispose alone would take minutes
    }

    [Fact]
    public void Infinities_and_empty_results_among_others_are_compared_too()
    {
        Saves(nn.ConstantPad1d((1, 1), double.NegativeInfinity), rand(2, 3, 4));
        Saves(new ProofTests.Formed(x => cat([x, x / 0]), "torch.cat([x, x / -0.0])"), rand(2, 3), "computes something else");
        Saves(new ProofTests.Formed(x => cat([x, x * double.NaN]), "torch.cat([x, x])"), rand(2, 3), "computes something else");
        Saves(new ProofTests.Formed(x => cat([x, x * double.NaN]), "torch.cat([x, x * float(\"nan\")])"), rand(2, 3));
    }

    [Fact]
    public void Whole_numbers_beyond_those_of_a_double_are_compared_exactly() => Saves(
        new ProofTests.Formed(x => x.to(ScalarType.Int64) + (1L << 60), "x.to(torch.zeros([0], dtype=4).dtype) + 1152921504606846977"), zeros(2) + 1, "computes something else");

    [Fact]
    public void The_difference_that_is_returned_is_the_largest_of_all()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Assert.InRange(torchscript.save(new ProofTests.Formed(x => x * 2, "x * 2 if x.size(0) == 2 else x * 2.00001"), folder.File("m.pt"), ones(2, 3)), 1e-5, 3e-5);
        Assert.Equal(0, torchscript.save(new ProofTests.Formed(x => x * 2, "x * 2"), folder.File("m.pt"), ones(2, 3)));
    }

    [Fact]
    public void Only_what_has_the_rows_of_the_first_input_gets_one_more()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Assert.Contains(
            "on one row more than the example, (3, 3), (5, 3)",
            Assert.Throws<InvalidOperationException>(() => torchscript.save(new Weighted("(2 if x.size(0) == 3 else 1)"), folder.File("m.pt"), rand(2, 3), rand(5, 3))).Message, StringComparison.Ordinal);
        torchscript.save(new Weighted("1"), folder.File("m.pt"), rand(2, 3), rand(5, 3));
    }

    [Fact]
    public void Arguments_of_every_shape_are_copied_and_passed()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = rand(2, 3);
        var before = x.clone();
        torchscript.save(new Passed<ValueTuple<Tensor>>(v => v.Item1.mul_(2), "Tuple[Tensor]", "v[0].mul_(2)"), folder.File("m.pt"), ValueTuple.Create(x));
        torchscript.save(
            new Passed<(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)>(
                v => v.Item1.mul_(2) + v.Item8, $"Tuple[{string.Join(", ", Enumerable.Repeat("Tensor", 8))}]", "v[0].mul_(2) + v[7]"),
            folder.File("m.pt"), (x, x, x, x, x, x, x, x));
        torchscript.save(
            new Passed<List<(Tensor, Tensor)>>(v => v[1].Item1.mul_(2) + v[0].Item2, "List[Tuple[Tensor, Tensor]]", "v[1][0].mul_(2) + v[0][1]"),
            folder.File("m.pt"), [(x, x), (x, x)]);
        torchscript.save(
            new Passed<Tensor?[]>(v => v[0]!.mul_(2), "List[Optional[Tensor]]", "self.first(v).mul_(2)"), folder.File("m.pt"), [x, null]);
        Assert.True(before.Equals(x));
    }

    [Fact]
    public void A_forward_that_differentiates_does_not_end_the_process() => Saves(new Steepest(), rand(2, 3));

    [Fact]
    public void Threads_that_export_what_they_share_do_not_harm_it()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var table = nn.Embedding(200, 16, max_norm: 100);
        var before = table.weight!.clone();
        Parallel.For(0, 8, i => torchscript.save(table, folder.File($"{i}.pt"), tensor(new long[] { 1, 2, 3 })));
        Assert.True(before.Equals(table.weight!));
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal(File.ReadAllBytes(folder.File("0.pt")), File.ReadAllBytes(folder.File($"{i}.pt"))));
    }

    [Fact]
    public void What_cannot_be_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        var self = new Own();
        self.register_module("again", self);
        Refused(self, "contains itself");
        Refused(new Own { Source = null }, "its script() gives null");
        var sparse = new Own();
        sparse.register_buffer("few", eye(3).to_sparse());
        Refused(sparse, "'few' is a sparse tensor");
        var replaced = new Replacing();
        Saves(replaced, rand(2, 3), "the C# forward replaces the buffer state: a module that is exported changes it in place, as by copy_");
        Assert.Throws<ArgumentException>(() => new ScriptDefinition("def forward(self):\n    return 1", (null!, 1)));
        Assert.Equal("def forward(self):\n    return 1", new ScriptDefinition("    def forward(self):\n        return 1\n").source);
    }

    [Fact]
    public void Odd_names_frozen_ties_and_modes_are_kept_in_the_file()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (trainable, frozen, lstm) = (nn.Linear(3, 3, hasBias: false), nn.Linear(3, 3, hasBias: false), new Text());
        frozen.weight = new Parameter(trainable.weight!.detach(), requires_grad: false);
        var model = nn.Sequential(("__annotations__", trainable), ("a~b", frozen), ("class", new @class()), ("twin", new Twin()));
        torchscript.save(model, folder.File("m.pt"), rand(2, 3));
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.Equal(
            [("__annotations___.weight", true), ("a~b.weight", false)], script.named_parameters().Select(p => (p.name, p.parameter.requires_grad)));
        lstm.eval();
        torchscript.save(lstm, folder.File("t.pt"), tensor(new long[] { 1, 2, 3 }).reshape(1, 3));
        using var text = torchscript.load(folder.File("t.pt"));
        Assert.All(text.named_modules(), child => Assert.False(child.module.training, child.name));
    }

    private static void Refused(nn.Module<Tensor, Tensor> model, string why) => Assert.Contains(
        why, Assert.Throws<NotSupportedException>(() => new ScriptClasses(model, "")).Message, StringComparison.Ordinal);

    private static void Saves<T, TResult>(nn.Module<T, TResult> model, T example, string? error = null)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var refusal = Record.Exception(() => torchscript.save(model, folder.File("m.pt"), example));
        if (error is null)
        {
            Assert.Null(refusal);
            return;
        }

        Assert.Contains(error, Assert.IsType<InvalidOperationException>(refusal).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    /// <summary>Counts its calls in training.</summary>
    private sealed class Norm : nn.Module<Tensor, Tensor>, IScriptable
    {
        private readonly Tensor calls = zeros(1).DetachFromDisposeScope();
        private readonly string step;

        public Norm(string step)
            : base(nameof(Norm))
        {
            this.step = step;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => training ? x + 0 * calls.add_(1) : x.alias();

        ScriptDefinition IScriptable.script() =>
            new($"def forward(self, x: Tensor) -> Tensor:\n    if self.training:\n        self.calls.{step}\n    return x * 1");
    }

    private sealed class Text : nn.Module<Tensor, (Tensor, Tensor)>, IScriptable
    {
        private readonly Embedding words = nn.Embedding(9, 4);
        private readonly LSTM lstm = nn.LSTM(4, 3, 2);

        public Text()
            : base(nameof(Text)) => RegisterComponents();

        public override (Tensor, Tensor) forward(Tensor x)
        {
            var (y, h, _) = lstm.call(words.call(x));
            return (y, h);
        }

        ScriptDefinition IScriptable.script() => new(
            """
            def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
                y, h, c = self.lstm.forward(self.words.forward(x))
                return y, h
            """);
    }

    private sealed class Weighted(string factor) : nn.Module<Tensor, Tensor, Tensor>(nameof(Weighted)), IScriptable
    {
        public override Tensor forward(Tensor x, Tensor weight) => x.mm(weight.t());

        ScriptDefinition IScriptable.script() => new($"def forward(self, x: Tensor, weight: Tensor) -> Tensor:\n    return x.mm(weight.t()) * {factor}");
    }

    private sealed class Passed<T>(Func<T, Tensor> compute, string type, string expression) : nn.Module<T, Tensor>("Passed"), IScriptable
    {
        public override Tensor forward(T value) => compute(value);

        ScriptDefinition IScriptable.script() => new(
            $"""
            def forward(self, v: {type}) -> Tensor:
                return {expression}

            def first(self, v: List[Optional[Tensor]]) -> Tensor:
                x = v[0]
                assert x is not None
                return x
            """);
    }

    /// <summary>The gradient of the sum of squares.</summary>
    private sealed class Steepest() : nn.Module<Tensor, Tensor>(nameof(Steepest)), IScriptable
    {
        public override Tensor forward(Tensor x)
        {
            var leaf = x.detach().requires_grad_();
            return autograd.grad([leaf.square().sum()], [leaf])[0];
        }

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor) -> Tensor:\n    return 2 * x");
    }

    private sealed class Own() : nn.Module<Tensor, Tensor>(nameof(Own)), IScriptable
    {
        public string? Source { get; init; } = "def forward(self, x: Tensor) -> Tensor:\n    return x";

        public override Tensor forward(Tensor x) => x.alias();

        ScriptDefinition IScriptable.script() => Source is null ? null! : new(Source);
    }

    private sealed class Replacing : nn.Module<Tensor, Tensor>, IScriptable
    {
        private Tensor state = zeros(1).DetachFromDisposeScope();

        public Replacing()
            : base(nameof(Replacing)) => RegisterComponents();

        public override Tensor forward(Tensor x)
        {
            state.Dispose();
            state = ones(1).DetachFromDisposeScope();
            return x * 1;
        }

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor) -> Tensor:\n    return x * 1");
    }

#pragma warning disable CS8981, IDE1006   // the names are the point
    private sealed class @class() : nn.Module<Tensor, Tensor>("class"), IScriptable
    {
        public override Tensor forward(Tensor x) => x.alias();

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor) -> Tensor:\n    return x");
    }
#pragma warning restore CS8981, IDE1006

    private sealed class Twin() : nn.Module<Tensor, Tensor>("Twin"), IScriptable
    {
        public override Tensor forward(Tensor x) => x.alias();

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor) -> Tensor:\n    return x");
    }
}
