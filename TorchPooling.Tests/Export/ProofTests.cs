using System.IO.Compression;
using System.Text;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

/// <summary>The export proves itself: forms that are wrong only somewhere, and what the proof leaves as it was.</summary>
public class ProofTests
{
    [Theory]
    [InlineData("x * 2 if x.size(0) == 2 else x * 3", "something else on one row more than the example, (3, 4, 5, 6): ")]
    [InlineData("x * 2 if x.size(2) == 5 else x * 3", "something else on a larger image made of the example, (2, 4, 6, 7): ")]
    [InlineData("x * 2 if x.size(3) == 6 else x * 3", "something else on a larger image made of the example, (2, 4, 6, 7): ")]
    [InlineData("x * 3 if self.training else x * 2", "something else in training mode, on (3, 4, 5, 6): ")]
    [InlineData("x * 2 + 1e-3", "something else on the example: ")]
    [InlineData("(x * 2).double()", "the TorchScript form computes Float64 (2, 4, 5, 6) on the example, the C# forward Float32 (2, 4, 5, 6)")]
    [InlineData("x * 2 if x.size(0) == 2 else (x * 2).reshape([7])", "the TorchScript form fails on one row more than the example, (3, 4, 5, 6): ")]
    public void A_form_that_is_wrong_somewhere_is_refused(string expression, string message)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<InvalidOperationException>(() => torchscript.save(new Formed(x => x * 2, expression), folder.File("m.pt"), rand(2, 4, 5, 6)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Other_inputs_are_compared_only_where_the_model_takes_them()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        static Tensor OnlyThis(Tensor x) => x.shape.SequenceEqual([2L, 4, 5, 6]) ? x * 2 : throw new ArgumentException("another shape");
        torchscript.save(new Formed(OnlyThis, "x * 2 if x.size(0) == 2 and x.size(2) == 5 else x * 3"), folder.File("m.pt"), rand(2, 4, 5, 6));
    }

    [Fact]
    public void Buffers_after_a_training_step_are_compared()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        foreach (var (step, right) in new[] { ("add_(1)", true), ("add_(2)", false) })
        {
            var model = new Counter($"    if self.training:\n        self.calls.{step}\n    return x * 2");
            var export = () => torchscript.save(model, folder.File("m.pt"), rand(2, 3));
            if (right)
            {
                export();
            }
            else
            {
                Assert.Contains(
                    "something else in training mode, on (3, 3) (buffer calls): 2 where the C# forward gives 1",
                    Assert.Throws<InvalidOperationException>(() => export()).Message, StringComparison.Ordinal);
            }

            Assert.Equal(0, model.named_buffers().Single().buffer.ToInt64());
        }
    }

    [Fact]
    public void A_buffer_may_be_what_the_model_returns()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(new Counter("    if self.training:\n        self.calls.add_(1)\n    return self.calls", returnsCalls: true), folder.File("m.pt"), rand(2, 3));
    }

    [Fact]
    public void What_is_random_is_not_taken_for_wrong_but_its_shape_is_compared()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(new Formed(x => rand_like(x), "torch.randn(x.size()).abs()"), folder.File("m.pt"), rand(2, 30));
        Assert.Throws<InvalidOperationException>(() => torchscript.save(new Formed(x => rand_like(x), "torch.rand([7])"), folder.File("m.pt"), rand(2, 30)));
    }

    [Fact]
    public void Modes_statistics_and_gradients_of_the_model_are_left_as_they_were()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Dropout(), nn.BatchNorm2d(4)));
        model.train();
        model.children().First().eval();
        model.call(rand(2, 3, 8, 8)).sum().backward();
        var (modes, buffers) = (model.modules().Select(m => m.training).ToArray(), model.buffers().Select(b => b.clone()).ToArray());
        var gradients = model.parameters().Select(p => p.grad!.clone()).ToArray();
        torchscript.save(model, folder.File("m.pt"), rand(2, 3, 8, 8));
        Assert.Equal(modes, model.modules().Select(m => m.training));
        Assert.All(model.buffers().Zip(buffers), pair => Assert.True(pair.First.Equals(pair.Second)));
        Assert.All(model.parameters().Zip(gradients), pair => Assert.True(pair.First.grad!.Equals(pair.Second)));
    }

    [Fact]
    public void A_batch_of_one_does_not_keep_batch_norm_from_being_compared_in_training()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Tanh()), folder.File("m.pt"), rand(1, 5));
    }

    [Fact]
    public void Numbers_and_several_results_are_compared_one_by_one()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(new Two("x + n, x * n"), folder.File("m.pt"), rand(2, 3), 4L);
        Assert.Contains(
            "on the example (output 1)",
            Assert.Throws<InvalidOperationException>(() => torchscript.save(new Two("x + n, x * n * n"), folder.File("m.pt"), rand(2, 3), 4L)).Message,
            StringComparison.Ordinal);
        Assert.Equal(
            "the TorchScript form gives 3 values on the example, the C# forward 2 (forms of one's own: the model (TorchPooling.Tests.Export.ProofTests+Two))",
            Assert.Throws<InvalidOperationException>(() => torchscript.save(new Two("x + n, x * n, x", "Tuple[Tensor, Tensor, Tensor]"), folder.File("m.pt"), rand(2, 3), 4L)).Message);
    }

    [Fact]
    public void A_form_that_is_registered_serves_a_module_that_has_none_and_goes_before_its_own()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(("head", nn.Sequential(nn.ReLU(), new Foreign(3))));
        Assert.Throws<NotSupportedException>(() => torchscript.save(model, folder.File("m.pt"), rand(2, 3)));
        torchscript.register<Foreign>(foreign => new("def forward(self, x: Tensor) -> Tensor:\n    return x * self.factor", ("factor", foreign.Factor)));
        torchscript.save(model, folder.File("m.pt"), rand(2, 3));
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(full(1, 1, 6f), script.call(full(1, 1, 2f)));
        Assert.Contains(
            "expected a type that modules are of, got TorchSharp.torch+nn+Module`2[TorchSharp.torch+Tensor,TorchSharp.torch+Tensor]",
            Assert.Throws<ArgumentException>(() => torchscript.register<nn.Module<Tensor, Tensor>>(_ => null!)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => torchscript.register<nn.Module>(_ => null!));
        Assert.Throws<ArgumentException>(() => torchscript.register(typeof(string), _ => null!));
    }

    [Fact]
    public void A_form_is_registered_by_type_for_what_is_private_or_generic()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.register(typeof(Open<>), module => new($"def forward(self, x: Tensor) -> Tensor:\n    return x + {module.GetType().GetGenericArguments()[0].Name.Length}"));
        torchscript.save(nn.Sequential(new Open<int>(), new Open<string>()), folder.File("m.pt"), rand(2, 3));
    }

    [Fact]
    public void What_TorchSharp_lets_through_does_not_end_the_process()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var graph = new Graph();   // TorchSharp's matmul does not catch what C++ throws, and no row more fits
        torchscript.save(graph, folder.File("m.pt"), rand(5, 4));
        var error = Assert.Throws<ArgumentException>(() => torchscript.save(graph, folder.File("n.pt"), rand(6, 4)));
        Assert.StartsWith("the C# forward does not take the example, on (6, 4): mat1 and mat2 shapes cannot be multiplied (5x5 and 6x3)", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("frame #", error.Message, StringComparison.Ordinal);
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void What_fails_in_a_form_of_one_s_own_is_told_with_its_place()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(nn.ReLU(), new Formed(x => x * 2, null!));
        Assert.Equal(
            "1 (TorchPooling.Tests.Export.ProofTests+Formed) could not say its TorchScript form: no expression",
            Assert.Throws<InvalidOperationException>(() => torchscript.save(model, folder.File("m.pt"), rand(2))).Message);
        var error = Assert.Throws<InvalidOperationException>(() => torchscript.save(nn.Sequential(nn.ReLU(), new Formed(x => x * 2, "x * 3")), folder.File("m.pt"), rand(2)));
        Assert.EndsWith(" (forms of one's own: 1 (TorchPooling.Tests.Export.ProofTests+Formed))", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_code_inside_reads_as_it_was_written_and_equal_classes_are_there_once()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4, hasBias: false), new Formed(x => x * 2, "x * 2  # twice"));
        torchscript.save(model, folder.File("m.pt"), rand(2, 4));
        using var archive = ZipFile.OpenRead(folder.File("m.pt"));
        using var reader = new StreamReader(archive.GetEntry("model/code/__torch__.py")!.Open(), Encoding.UTF8);
        var code = reader.ReadToEnd();
        Assert.Equal(
            ["class Linear(Module):", "class Linear_1(Module):", "class Formed(Module):", "class Sequential(Module):"],
            code.Split('\n').Where(line => line.StartsWith("class ", StringComparison.Ordinal)));
        Assert.Contains("    return torch.linear(x, self.weight, self.bias)\n", code, StringComparison.Ordinal);
        Assert.Contains("    return x * 2  # twice\n", code, StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_models_are_equal_files()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (model, x) = (nn.Sequential(nn.Linear(4, 4), nn.ReLU()), rand(2, 4));
        torchscript.save(model, folder.File("a.pt"), x);
        torchscript.save(model, folder.File("b.pt"), x);
        Assert.Equal(File.ReadAllBytes(folder.File("a.pt")), File.ReadAllBytes(folder.File("b.pt")));
    }

    [Fact]
    public void Tied_weights_and_buffers_that_are_not_persistent_travel()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(new Tied(), folder.File("m.pt"), rand(2, 3));
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        script.call(rand(2, 3)).sum().backward();
        using (no_grad())
        {
            script.named_parameters().First(p => p.name == "first").parameter.zero_();
        }

        Tolerance.AssertClose(full(2, 3, 5f), script.call(rand(2, 3)));   // the second name is the same weight
        Assert.Equal(["first", "second"], script.named_parameters().Select(p => p.name).Order(StringComparer.Ordinal));
        Assert.Contains("passing", script.named_buffers().Select(b => b.name));
    }

    [Fact]
    public void A_tuple_goes_in_by_its_items_as_TorchSharp_passes_none()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (lstm, x, h, c) = (nn.LSTM(4, 6), rand(3, 2, 4), rand(1, 2, 6), rand(1, 2, 6));
        torchscript.save(lstm, folder.File("m.pt"), x, (h, c));
        using var script = torchscript.load(folder.File("m.pt"));
        var (expected, _, _) = lstm.call(x, (h, c));
        var (actual, _, _) = ((Tensor, Tensor, Tensor))script.invoke("forward_flat", x, h, c);
        Tolerance.AssertClose(expected, actual);
    }

    [Fact]
    public void Values_that_TorchScript_does_not_know_are_refused()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Assert.Equal(
            "a forward that takes System.Text.StringBuilder cannot be exported: expected tensors, numbers, and tuples and lists of them",
            Assert.Throws<NotSupportedException>(() => torchscript.save(new Worded(), folder.File("m.pt"), rand(2), new StringBuilder("two"))).Message);
        Assert.Throws<ArgumentNullException>(() => torchscript.save(nn.ReLU(), folder.File("m.pt"), null!));
    }

    [Fact]
    public void Complex_buffers_travel()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = new Formed(x => x * 2, "x * 2");
        model.register_buffer("phase", complex(rand(3), rand(3)));
        torchscript.save(model, folder.File("m.pt"), rand(2));
        using var script = torchscript.load(folder.File("m.pt"));
        Assert.True(script.named_buffers().Single().buffer.Equals(model.named_buffers().Single().buffer));
    }

    internal sealed class Formed(Func<Tensor, Tensor> compute, string expression) : nn.Module<Tensor, Tensor>(nameof(Formed)), IScriptable
    {
        public override Tensor forward(Tensor x) => compute(x);

        ScriptDefinition IScriptable.script() =>
            new($"def forward(self, x: Tensor) -> Tensor:\n    return {expression ?? throw new FormatException("no expression")}");
    }

    private sealed class Counter : nn.Module<Tensor, Tensor>, IScriptable
    {
        private readonly Tensor calls = zeros(1, dtype: ScalarType.Int64).DetachFromDisposeScope();
        private readonly string body;

        private readonly bool returnsCalls;

        public Counter(string body, bool returnsCalls = false)
            : base(nameof(Counter))
        {
            (this.body, this.returnsCalls) = (body, returnsCalls);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            if (training)
            {
                calls.add_(1);
            }

            return returnsCalls ? calls.alias() : x * 2;
        }

        ScriptDefinition IScriptable.script() => new($"def forward(self, x: Tensor) -> Tensor:\n{body}");
    }

    private sealed class Two(string results, string type = "Tuple[Tensor, Tensor]") : nn.Module<Tensor, long, (Tensor, Tensor)>(nameof(Two)), IScriptable
    {
        public override (Tensor, Tensor) forward(Tensor x, long n) => (x + n, x * n);

        ScriptDefinition IScriptable.script() => new($"def forward(self, x: Tensor, n: int) -> {type}:\n    return {results}");
    }

    private sealed class Open<T>() : nn.Module<Tensor, Tensor>("Open")
    {
        public override Tensor forward(Tensor x) => x + typeof(T).Name.Length;
    }

    private sealed class Graph : nn.Module<Tensor, Tensor>, IScriptable
    {
        private readonly Linear linear = nn.Linear(4, 3);
        private readonly Tensor adjacency = rand(5, 5).DetachFromDisposeScope();

        public Graph()
            : base(nameof(Graph)) => RegisterComponents();

        public override Tensor forward(Tensor x) => adjacency.matmul(linear.call(x));

        ScriptDefinition IScriptable.script() =>
            new("def forward(self, x: Tensor) -> Tensor:\n    return self.adjacency.matmul(self.linear.forward(x))");
    }

    private sealed class Foreign(double factor) : nn.Module<Tensor, Tensor>(nameof(Foreign))
    {
        public double Factor => factor;

        public override Tensor forward(Tensor x) => x * factor;
    }

    private sealed class Tied : nn.Module<Tensor, Tensor>, IScriptable
    {
        private readonly Parameter first = new(rand(3));
        private readonly Parameter second;

        public Tied()
            : base(nameof(Tied))
        {
            first.DetachFromDisposeScope();
            second = first;
            RegisterComponents();
            register_buffer("passing", full(3, 5f).DetachFromDisposeScope(), persistent: false);
        }

        public override Tensor forward(Tensor x) => (x * first * second) + get_buffer("passing")!;

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor) -> Tensor:\n    return x * self.first * self.second + self.passing");
    }

    private sealed class Worded() : nn.Module<Tensor, StringBuilder, Tensor>(nameof(Worded)), IScriptable
    {
        public override Tensor forward(Tensor x, StringBuilder text) => x * text.Length;

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor, text: str) -> Tensor:\n    return x * len(text)");
    }
}
