using TorchSharp;
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
        var model = nn.Sequential(("body", nn.ReLU()), ("head", nn.Sequential(nn.ReLU(), nn.Mish())));
        var error = Assert.Throws<NotSupportedException>(() => torchscript.save(model, folder.File("m.pt"), rand(1, 2)));
        Assert.Equal("head.1 (TorchSharp.Modules.Mish) cannot be exported: it has no TorchScript form: implement IScriptable", error.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_setting_that_has_no_script_form_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = nn.Sequential(nn.Conv2d(1, 1, 3, padding: 1, padding_mode: PaddingModes.Reflect));
        var error = Assert.Throws<NotSupportedException>(() => torchscript.save(model, folder.File("m.pt"), rand(1, 1, 5, 5)));
        Assert.Equal("0 (TorchSharp.Modules.Conv2d) cannot be exported: only numeric zero padding of a Conv2d can be exported", error.Message);
    }

    [Fact]
    public void A_script_form_that_computes_something_else_is_refused_and_an_older_file_stays()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("m.pt"), "older");
        var error = Assert.Throws<InvalidOperationException>(() => torchscript.save(new Scaled("x * 3.0"), folder.File("m.pt"), ones(1, 2)));
        Assert.Equal("the TorchScript form computes something else: 3 where the C# forward gives 2 (difference 1, allowed 0.0002)", error.Message);
        error = Assert.Throws<InvalidOperationException>(() => torchscript.save(new Scaled("x.flatten()"), folder.File("m.pt"), ones(1, 2)));
        Assert.Equal("the TorchScript form computes Float32 (2), the C# forward Float32 (1, 2)", error.Message);
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
            Assert.StartsWith("the TorchScript source of a module does not compile:", error.Message, StringComparison.Ordinal);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
            Assert.Contains("File \"code/__torch__.py\", line", error.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        }

        torchscript.save(new Scaled("x * 2"), folder.File("m.pt"), ones(1, 2));
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
        Assert.Throws<DirectoryNotFoundException>(() => torchscript.save(nn.ReLU(), folder.File("none/m.pt"), ones(1)));
        Assert.Throws<ArgumentNullException>(() => torchscript.save(null!, folder.File("m.pt"), ones(1)));
        Assert.Throws<ArgumentException>(() => torchscript.save(nn.ReLU(), "", ones(1)));
        Assert.Contains("def forward", Assert.Throws<ArgumentException>(() => new ScriptDefinition("return 1")).Message, StringComparison.Ordinal);
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
            ("gem", nn.Sequential(new VggBackbone([[4]], pool: () => nn.AvgPool2d(3, 2, 1)), new GeM2d(), nn.Flatten(), new L2Normalize())),
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

    private sealed class Settings() : nn.Module<Tensor, Tensor>("Settings"), IScriptable
    {
        public override Tensor forward(Tensor x) => x * 37.5;

        ScriptDefinition IScriptable.script() => new(
            """
            def forward(self, x: Tensor) -> Tensor:
                total = float(self.whole) + self.real + float(self.big - 5000000000) + self.reals[1] + float(self.wholes[0])
                if self.yes and self.flags[0] and self.nothing is None and self.text == "é'\"":
                    total = total + 1.0
                return self.twice(x) * total

            def twice(self, x: Tensor) -> Tensor:
                return x * 3.0
            """,
            ("whole", 1), ("real", 2.5), ("big", 5_000_000_001L), ("reals", new[] { 0.0, 3.0 }), ("wholes", new long[] { 4 }),
            ("yes", true), ("flags", new[] { true }), ("nothing", null), ("text", "é'\""));
    }
}
