using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

public class TorchScriptTests
{
    [Fact]
    public void A_classifier_of_built_in_layers_computes_the_same_and_keeps_its_names()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = Classifier();
        var difference = torchscript.save(model, folder.File("m.pt"), rand(2, 3, 16, 16));
        Assert.InRange(difference, 0, 1e-5);

        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.Equal(model.named_parameters().Select(p => p.name), script.named_parameters().Select(p => p.name));
        Assert.Equal(model.named_buffers().Select(b => b.name).Order(StringComparer.Ordinal), script.named_buffers().Select(b => b.name).Order(StringComparer.Ordinal));
        Assert.All(script.parameters(), p => Assert.True(p.requires_grad));
    }

    [Fact]
    public void The_training_mode_is_kept_in_the_file_and_in_the_model()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = Classifier();
        model.train();
        model.children().First().eval();
        var modes = model.modules().Select(m => m.training).ToArray();
        torchscript.save(model, folder.File("m.pt"), rand(2, 3, 16, 16));
        Assert.Equal(modes, model.modules().Select(m => m.training));
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.True(script.training);
    }

    [Fact]
    public void The_loaded_file_trains_as_the_model_does()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(new VggBackbone([[4], [6]], batch_norm: true, cut: VggCut.BeforeLastReLU), new NetVLAD(3, 6));
        var x = randn(4, 3, 12, 12);
        torchscript.save(model, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        model.train();
        script.train();
        var direction = randn(4, 18);
        var (ours, theirs) = (model.call(x), script.call(x));
        Tolerance.AssertClose(ours, theirs, 1e-5);
        (ours * direction).sum().backward();
        (theirs * direction).sum().backward();
        foreach (var (mine, other) in model.named_parameters().Zip(script.named_parameters()))
        {
            Assert.Equal(mine.name, other.name);
            Tolerance.AssertClose(mine.parameter.grad!, other.parameter.grad!, 1e-4, mine.name);
        }

        var buffers = script.named_buffers().ToDictionary(b => b.name, b => b.buffer);
        Assert.All(model.named_buffers(), b => Tolerance.AssertClose(b.buffer, buffers[b.name], 1e-5, b.name));
    }

    [Fact]
    public void Two_instances_of_a_class_with_other_settings_do_not_collide()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(
            nn.Conv2d(3, 4, 3, bias: false), nn.Conv2d(4, 4, 3, stride: 2, padding: 1),
            new SpatialPyramidPool2d([1, 2]), nn.Linear(20, 6), nn.Linear(6, 5, hasBias: false));
        Assert.InRange(torchscript.save(model, folder.File("m.pt"), rand(1, 3, 11, 11)), 0, 1e-5);
    }

    [Fact]
    public void A_shared_module_stays_shared()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var shared = nn.Linear(4, 4);
        var model = nn.Sequential(shared, nn.ReLU(), shared);
        torchscript.save(model, folder.File("m.pt"), rand(2, 4));
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        script.call(rand(2, 4)).sum().backward();
        using (no_grad())
        {
            script.parameters().First().zero_();
        }

        var bias = script.named_parameters().First(p => p.name.EndsWith("bias", StringComparison.Ordinal)).parameter;
        Tolerance.AssertClose(bias.expand(1, 4), script.call(rand(1, 4)));
    }

    [Fact]
    public void What_has_no_script_form_is_refused_by_name_and_nothing_is_written()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(("body", nn.ReLU()), ("head", nn.Sequential(nn.ReLU(), nn.ReLU(), new Unknown())));
        var error = Assert.Throws<NotSupportedException>(() => torchscript.save(model, folder.File("m.pt"), rand(1, 2)));
        Assert.Equal("head.2 (TorchPooling.Tests.Export.TorchScriptTests+Unknown) has no TorchScript form: implement IScriptable or register one", error.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Names_that_TorchScript_cannot_carry_are_written_so_that_it_can()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        (string Name, string Written)[] names =
        [
            ("lambda", "lambda_"), ("größe", "gr_u00f6_u00dfe"), ("a\\n", "a_u005cn"), ("say \"so\"", "say _u0022so_u0022"), ("1st", "1st"), ("a b-c", "a b-c"),
            ("it's", "it's"),
        ];
        var model = nn.Sequential([.. names.Select(name => (name.Name, (nn.Module<Tensor, Tensor>)nn.Linear(2, 2, hasBias: false))), ("odd", new Größe())]);
        torchscript.save(model, folder.File("m.pt"), rand(1, 2));
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        jit.save(script, folder.File("again.pt"));   // as who trains it elsewhere does
        using var again = jit.load<Tensor, Tensor>(folder.File("again.pt"));
        Assert.Equal(names.Select(name => name.Written + ".weight"), script.named_parameters().Select(p => p.name));
        Assert.Equal(names.Select(name => name.Written + ".weight"), again.named_parameters().Select(p => p.name));
        var x = rand(3, 2);
        Tolerance.AssertClose(model.call(x), again.call(x));
        var weights = model.parameters().Select(p => p.clone()).ToList();
        using (no_grad())
        {
            Assert.All(model.parameters(), p => p.zero_());
        }

        Assert.Empty(torchscript.load_weights(model, folder.File("again.pt")));
        Assert.All(model.parameters().Zip(weights), pair => Assert.True(pair.First.Equals(pair.Second)));
    }

    [Fact]
    public void Attributes_that_collide_and_tensors_without_a_form_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Assert.Equal(
            "0 (TorchPooling.Tests.Export.TorchScriptTests+Twice) cannot be exported: it has two members named 'training'",
            Assert.Throws<NotSupportedException>(() => torchscript.save(nn.Sequential(new Twice("training")), folder.File("m.pt"), rand(1))).Message);
        Assert.Contains(
            "it has two members named 'forward'",
            Assert.Throws<NotSupportedException>(() => torchscript.save(new Twice("forward"), folder.File("m.pt"), rand(1))).Message, StringComparison.Ordinal);
        var quantized = new Größe();
        quantized.register_buffer("steps", quantize_per_tensor(ones(1), 1, 0, ScalarType.QInt8));
        Assert.Equal(
            "the model (TorchPooling.Tests.Export.TorchScriptTests+Größe) cannot be exported: 'steps' is a tensor of QInt8",
            Assert.Throws<NotSupportedException>(() => torchscript.save(quantized, folder.File("m.pt"), rand(1))).Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_subclass_of_a_built_in_module_is_not_taken_for_it()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Assert.Contains("has no TorchScript form", Assert.Throws<NotSupportedException>(() =>
            torchscript.save(new Doubling(), folder.File("m.pt"), rand(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_with_every_setting_compute_the_same()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        nn.Module<Tensor, Tensor>[] layers =
        [
            nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 2), (1, 2), groups: 2, bias: false),
            nn.MaxPool2d(3, 2, 1, 2, ceil_mode: true),
            nn.MaxPool2d((2, 3), (1, 2)),
            nn.AvgPool2d(3, 2, 1, ceil_mode: true, count_include_pad: false),
            nn.AvgPool2d((2, 3), (2, 1), divisor_override: 5),
            nn.AdaptiveMaxPool2d([3, 2]),
            nn.BatchNorm2d(4, eps: 0.1, momentum: 0.3, affine: false),
            nn.BatchNorm2d(4, track_running_stats: false),
            nn.Flatten(2, 3),
        ];
        foreach (var layer in layers)
        {
            Assert.InRange(torchscript.save(layer, folder.File("m.pt"), randn(2, 4, 11, 13)), 0, 1e-6);
        }
    }

    [Fact]
    public void Dropout_drops_in_training_and_only_there()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(nn.Sequential(nn.Dropout(0.5)), folder.File("m.pt"), ones(1));
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        script.train();
        Assert.InRange(script.call(ones(10000)).count_nonzero().item<long>(), 4500, 5500);
        script.eval();
        Assert.Equal(10000, script.call(ones(10000)).count_nonzero().item<long>());
    }

    [Fact]
    public void The_example_is_left_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var example = full(1, 2, -1f);
        torchscript.save(nn.Sequential(nn.ReLU(inplace: true)), folder.File("m.pt"), example);
        Assert.Equal([-1f, -1], example.data<float>().ToArray());
    }

    [Fact]
    public void Outputs_are_compared_by_their_size_and_an_example_that_shows_nothing_is_refused()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Assert.Throws<InvalidOperationException>(() => torchscript.save(new Scaled("x * 2.01"), folder.File("m.pt"), full(1, 2, 1e-5f)));
        foreach (var (example, what) in new[] { (ones(0, 2), "nothing: Float32 (0, 2)"), (full(1, 1, float.NaN), "NaN or infinity: Float32 (1, 1)") })
        {
            Assert.Contains(
                $"expected an example that shows what the model computes, got one that it turns into {what}",
                Assert.Throws<ArgumentException>(() => torchscript.save(new Scaled("x * 2"), folder.File("m.pt"), example)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_script_form_that_fails_at_run_time_is_refused()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<InvalidOperationException>(() => torchscript.save(new Scaled("x.reshape(7)"), folder.File("m.pt"), ones(1, 2)));
        Assert.StartsWith("the TorchScript form fails on the example:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_setting_that_has_no_script_form_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(nn.TransformerEncoderLayer(4, 2));
        var error = Assert.Throws<NotSupportedException>(() => torchscript.save(model, folder.File("m.pt"), rand(1, 2, 4)));
        Assert.Equal("0 (TorchSharp.Modules.TransformerEncoderLayer) cannot be exported: TorchSharp does not tell its number of heads and its dropout: register a form that states them", error.Message);
    }

    [Fact]
    public void A_script_form_that_computes_something_else_is_refused_and_an_older_file_stays()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("m.pt"), "older");
        var error = Assert.Throws<InvalidOperationException>(() => torchscript.save(new Scaled("x * 3.0"), folder.File("m.pt"), ones(1, 2)));
        Assert.Equal("the TorchScript form computes something else on the example: 3 where the C# forward gives 2 (difference 1, allowed 0.0002) (forms of one's own: the model (TorchPooling.Tests.Export.TorchScriptTests+Scaled))", error.Message);
        error = Assert.Throws<InvalidOperationException>(() => torchscript.save(new Scaled("x.flatten()"), folder.File("m.pt"), ones(1, 2)));
        Assert.Equal("the TorchScript form computes Float32 (2) on the example, the C# forward Float32 (1, 2) (forms of one's own: the model (TorchPooling.Tests.Export.TorchScriptTests+Scaled))", error.Message);
        Assert.Equal("older", File.ReadAllText(folder.File("m.pt")));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("x *", "expected")]
    [InlineData("torch.no_such_function(x)", "no_such_function")]
    [InlineData("self.missing.forward(x)", "missing")]
    [InlineData("5", "Return value was annotated as having type Tensor but is actually of type int")]
    public void Source_that_does_not_compile_is_an_exception_with_the_place_and_the_process_goes_on(string expression, string message)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        for (var i = 0; i < 3; i++)
        {
            var error = Assert.Throws<InvalidOperationException>(() => torchscript.save(new Scaled(expression), folder.File("m.pt"), ones(1, 2)));
            Assert.StartsWith("the TorchScript source of the model (TorchPooling.Tests.Export.TorchScriptTests+Scaled) does not compile", error.Message, StringComparison.Ordinal);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
            Assert.Contains("File \"code/__torch__.py\", line", error.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        }

        torchscript.save(new Scaled("x * 2"), folder.File("m.pt"), ones(1, 2));
    }

    [Theory]
    [InlineData("self.missing.forward(x)", " (it has proj: RegisterComponents() finds children, parameters and buffers, settings are the second argument of ScriptDefinition)")]
    [InlineData("self.proj[0].forward(x)", " (a child of a ModuleList or ModuleDict is called as getattr(self.blocks, \"0\").forward(x), each by itself)")]
    [InlineData("torch.pow(x, self.training, 2, 3) + 1", "")]
    [InlineData("self.proj(x)", " (a child is called as self.child.forward(x))")]
    [InlineData("torch.nn.functional.relu(x)", " (functions are those of ATen: torch.relu(x), torch.conv2d(…); torch.nn.functional is not there)")]
    [InlineData("F.relu(x)", " (functions are those of ATen: torch.relu(x), torch.conv2d(…); torch.nn.functional is not there)")]
    public void Source_that_does_not_compile_is_told_by_the_module_s_place_with_a_hint_for_habits(string expression, string hint)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(("body", nn.ReLU()), ("head", nn.Sequential(nn.Linear(2, 2), new Projected(expression))));
        var error = Assert.Throws<InvalidOperationException>(() => torchscript.save(model, folder.File("m.pt"), ones(1, 2)));
        Assert.StartsWith(
            $"the TorchScript source of head.1 (TorchPooling.Tests.Export.TorchScriptTests+Projected) does not compile{hint}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_of_one_s_own_with_every_kind_of_setting_is_exported()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(new Settings(), folder.File("m.pt"), ones(2));
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.Equal([37.5f, 37.5f], script.call(ones(2)).data<float>().ToArray());
    }

    [Fact]
    public void A_folder_that_is_not_there_and_missing_arguments_are_clear_errors()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Assert.Equal(
            $"no folder {folder.File("none")} to write {folder.File("none/m.pt")} to",
            Assert.Throws<DirectoryNotFoundException>(() => torchscript.save(nn.ReLU(), folder.File("none/m.pt"), ones(1))).Message);
        Assert.Throws<ArgumentNullException>(() => torchscript.save((nn.Module<Tensor, Tensor>)null!, folder.File("m.pt"), ones(1)));
        Assert.Throws<ArgumentException>(() => torchscript.save(nn.ReLU(), "", ones(1)));
        foreach (var source in new[] { "return 1", "# def forward(self)\nx = 1", "def forwards(self, x):\n    return x" })
        {
            Assert.Contains("'def forward(self, …)'", Assert.Throws<ArgumentException>(() => new ScriptDefinition(source)).Message, StringComparison.Ordinal);
        }

        Assert.Equal("def forward( self, x):\n    return x", new ScriptDefinition("def forward( self, x):\n    return x\n").source);
    }

    [PyTorchFact]
    public void PyTorch_computes_the_same_for_other_batches_and_sizes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        (string Name, nn.Module<Tensor, Tensor> Model)[] models =
        [
            ("netvlad", nn.Sequential(new VggBackbone([[4], [6, 6]], cut: VggCut.BeforeLastReLU), new NetVLAD(4, 6))),
            ("netvlad_bias", nn.Sequential(new VggBackbone([[4], [6]], batch_norm: true, cut: VggCut.BeforeLastReLU), new NetVLAD(4, 6, bias: true))),
            ("spp", nn.Sequential(new VggBackbone([[4], [6]]), new SpatialPyramidPool2d(), nn.Linear(126, 5))),
            ("spp_avg", new SpatialPyramidPool2d([3, 2], BinReduction.Avg)),
            ("gem", nn.Sequential(new VggBackbone([[4]], pool: _ => nn.AvgPool2d(3, 2, 1)), new GeM2d(), nn.Flatten(), new L2Normalize())),
            ("classifier", Classifier()),
        ];
        (int N, int H, int W)[] sizes = [(1, 16, 16), (3, 20, 33), (2, 51, 18)];
        for (var m = 0; m < models.Length; m++)
        {
            var (name, model) = models[m];
            torchscript.save(model, folder.File(name + ".pt"), rand(2, 3, 16, 16));
            model.eval();
        }

        for (var i = 0; i < sizes.Length; i++)
        {
            Python.Write(folder.Path, $"x{i}", randn(sizes[i].N, 3, sizes[i].H, sizes[i].W));
        }

        Python.Run(
            """
            import sys, numpy, torch
            folder, names, sizes = sys.argv[1], sys.argv[2].split(","), eval(sys.argv[3])
            for name in names:
                model = torch.jit.load(f"{folder}/{name}.pt").eval()
                frozen = torch.jit.freeze(model)
                for i, (n, h, w) in enumerate(sizes):
                    x = torch.from_numpy(numpy.fromfile(f"{folder}/x{i}", "float32")).reshape(n, 3, h, w)
                    y = model(x)
                    assert torch.allclose(y, frozen(x), atol=1e-5), name
                    y.detach().numpy().tofile(f"{folder}/{name}{i}")
            """, folder.Path, string.Join(",", models.Select(m => m.Name)), "[" + string.Join(",", sizes) + "]");

        foreach (var (name, model) in models)
        {
            for (var i = 0; i < sizes.Length; i++)
            {
                var x = Python.Read(folder.File($"x{i}"), sizes[i].N, 3, sizes[i].H, sizes[i].W);
                var y = model.call(x);
                Tolerance.AssertClose(Python.Read(folder.File($"{name}{i}"), y.shape), y, 1e-5, $"{name} {sizes[i]}");
            }
        }
    }

    [PyTorchFact]
    public void Flags_ties_layouts_and_large_weights_arrive_in_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (first, tied, alias, large) = (nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 1_500_000, hasBias: false));
        tied.weight = first.weight;
        alias.weight = new Parameter(first.weight!.detach());
        first.bias!.requires_grad_(false);
        large.weight = new Parameter(randn(3, 1_500_000).t());   // columns first, beyond what is written at once
        var model = nn.Sequential(("first", first), ("drop", nn.Dropout()), ("tied", tied), ("alias", alias), ("large", large), ("out", nn.Linear(1_500_000, 2)));
        model.train();
        tied.eval();
        torchscript.save(model, folder.File("m.pt"), rand(1, 3));
        Python.Write(folder.Path, "large", large.weight!);
        var output = Python.Run(
            """
            import sys, numpy, torch
            folder = sys.argv[1]
            model = torch.jit.load(folder + "/m.pt")
            print(" ".join(name for name, child in model.named_children() if child.training))
            print(" ".join(name for name, p in model.named_parameters() if not p.requires_grad))
            state = model.state_dict()
            print(state["first.weight"].data_ptr() == state["tied.weight"].data_ptr() == state["alias.weight"].data_ptr())
            large = torch.from_numpy(numpy.fromfile(folder + "/large", "float32")).reshape(-1, 3)
            print(torch.equal(large, state["large.weight"]))
            """, folder.Path);
        Assert.Equal(["first drop alias large out", "first.bias", "True", "True"], output.ReplaceLineEndings("\n").TrimEnd().Split('\n'));
    }

    private static nn.Module<Tensor, Tensor> Classifier() => nn.Sequential(
        ("features", new VggBackbone([[4], [6]], batch_norm: true)),
        ("pool", nn.AdaptiveAvgPool2d([2, 2])),
        ("flatten", nn.Flatten()),
        ("drop", nn.Dropout(0.3)),
        ("hidden", nn.Linear(24, 8)),
        ("norm", nn.BatchNorm1d(8)),
        ("tanh", nn.Tanh()),
        ("same", nn.Identity()),
        ("out", nn.Linear(8, 3, hasBias: false)),
        ("sigmoid", nn.Sigmoid()));

    private sealed class Scaled(string expression) : nn.Module<Tensor, Tensor>("Scaled"), IScriptable
    {
        public override Tensor forward(Tensor x) => x * 2;

        ScriptDefinition IScriptable.script() => new($"def forward(self, x: Tensor) -> Tensor:\n    return {expression}");
    }

    private sealed class Unknown() : nn.Module<Tensor, Tensor>("Unknown")
    {
        public override Tensor forward(Tensor x) => x.alias();
    }

    private sealed class Projected : nn.Module<Tensor, Tensor>, IScriptable
    {
        private readonly Linear proj = nn.Linear(2, 2);
        private readonly string expression;

        public Projected(string expression)
            : base(nameof(Projected))
        {
            this.expression = expression;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => proj.call(x);

        ScriptDefinition IScriptable.script() => new($"def forward(self, x: Tensor) -> Tensor:\n    return {expression}");
    }

    private sealed class Größe() : nn.Module<Tensor, Tensor>("Größe"), IScriptable
    {
        public override Tensor forward(Tensor x) => x * 2;

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor) -> Tensor:\n    return x * 2");
    }

    private sealed class Twice(string attribute) : nn.Module<Tensor, Tensor>("Twice"), IScriptable
    {
        public override Tensor forward(Tensor x) => x.alias();

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor) -> Tensor:\n    return x", (attribute, true));
    }

    private sealed class Doubling() : Sequential(Array.Empty<nn.Module<Tensor, Tensor>>())
    {
        public override Tensor forward(Tensor x) => x * 2;
    }

    private sealed class Settings() : nn.Module<Tensor, Tensor>("Settings"), IScriptable
    {
        public override Tensor forward(Tensor x) => x * 37.5;

        ScriptDefinition IScriptable.script() => new(
            """
            def forward(self, x: Tensor) -> Tensor:
                total = float(self.whole) + self.real + float(self.big - 5000000000) + self.reals[1] + float(self.wholes[0])
                if self.yes and self.flags[0] and self.nothing is None and self.text == "é'\"" and self.sizes[1] == 2 and self.rates[0] == 0.5:
                    total = total + 1.0
                return self.twice(x) * total

            def twice(self, x: Tensor) -> Tensor:
                return x * 3.0
            """,
            ("whole", 1), ("real", 2.5), ("sizes", new[] { 1, 2 }), ("rates", new[] { 0.5f }), ("big", 5_000_000_001L), ("reals", new[] { 0.0, 3.0 }), ("wholes", new long[] { 4 }),
            ("yes", true), ("flags", new[] { true }), ("nothing", null), ("text", "é'\""));
    }
}
