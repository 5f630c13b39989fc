using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

public class LoadWeightsTests
{
    [PyTorchFact]
    public void Torchvision_s_VGG16_scripted_in_Python_gives_the_backbone_its_outputs()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Python.Write(folder.Path, "x", randn(1, 3, 40, 33));
        Python.Run(
            """
            import sys, numpy, torch, torchvision
            folder = sys.argv[1]
            model = torchvision.models.vgg16(weights=None, num_classes=1, init_weights=False).eval()
            model.classifier = torch.nn.Identity()   # half a gigabyte that no backbone has
            torch.jit.script(model).save(folder + "/vgg16.pt")
            x = torch.from_numpy(numpy.fromfile(folder + "/x", "float32")).reshape(1, 3, 40, 33)
            model.features(x).detach().numpy().tofile(folder + "/y")
            """, folder.Path);

        var backbone = new VggBackbone(VggBackbone.Vgg16);
        Assert.Empty(torchscript.load_weights(backbone, folder.File("vgg16.pt")));
        Tolerance.AssertClose(
            Python.Read(folder.File("y"), 1, 512, 1, 1), backbone.call(Python.Read(folder.File("x"), 1, 3, 40, 33)), 1e-4);
    }

    [PyTorchFact]
    public void Weights_trained_in_Python_come_back_and_a_head_is_left_only_where_that_is_allowed()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Python.Write(folder.Path, "x", randn(4, 3, 16, 16));
        Python.Run(
            """
            import sys, numpy, torch, torchvision
            folder = sys.argv[1]
            model = torchvision.models.VGG(torchvision.models.vgg.make_layers([4, "M", 6, "M"], batch_norm=True), num_classes=2)
            model.classifier = torch.nn.Linear(6 * 7 * 7, 2)
            x = torch.from_numpy(numpy.fromfile(folder + "/x", "float32")).reshape(4, 3, 16, 16)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            torch.nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 0, 1])).backward()
            optimizer.step()
            torch.jit.script(model).save(folder + "/trained.pt")
            model.eval().features(x).detach().numpy().tofile(folder + "/y")
            """, folder.Path);

        var backbone = new VggBackbone([[4], [6]], batch_norm: true);
        var before = backbone.state_dict().ToDictionary(item => item.Key, item => item.Value.clone());
        var error = Assert.Throws<InvalidDataException>(() => torchscript.load_weights(backbone, folder.File("trained.pt")));
        Assert.Equal(
            $"{folder.File("trained.pt")} does not fit the module VggBackbone, nothing was copied:\n"
            + "  unexpected, the module has no classifier.weight: Float32 (2, 294)\n"
            + "  unexpected, the module has no classifier.bias: Float32 (2)", error.Message);
        Assert.All(backbone.state_dict(), item => Tolerance.AssertClose(before[item.Key], item.Value, 0, item.Key));

        var left = torchscript.load_weights(backbone, folder.File("trained.pt"), strict: false);
        Assert.Equal(["unexpected, the module has no classifier.weight: Float32 (2, 294)", "unexpected, the module has no classifier.bias: Float32 (2)"], left);
        Assert.Equal(1, backbone.state_dict()["features.1.num_batches_tracked"].ToInt64());
        backbone.eval();
        Tolerance.AssertClose(Python.Read(folder.File("y"), 4, 6, 4, 4), backbone.call(Python.Read(folder.File("x"), 4, 3, 16, 16)), 1e-5);
    }

    [PyTorchFact]
    public void Names_that_PyTorch_shares_and_its_buffers_that_are_not_persistent_arrive()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Python.Run(
            """
            import sys, torch
            model = torch.nn.Sequential()
            model.add_module("first", torch.nn.Linear(2, 2))
            model.add_module("second", torch.nn.Linear(2, 2))
            model.second.weight = model.first.weight
            model.register_buffer("scale", torch.full((2,), 7.0), persistent=False)
            torch.jit.script(model).save(sys.argv[1] + "/m.pt")
            """, folder.Path);

        var model = new Scaled(persistent: false);
        Assert.Empty(torchscript.load_weights(model, folder.File("m.pt")));
        using var script = torchscript.load(folder.File("m.pt"));
        var theirs = script.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        Tolerance.AssertClose(theirs["second.weight"], model.first.weight!, 0);
        Tolerance.AssertClose(theirs["second.bias"], model.second.bias!, 0);
        Assert.Equal([7f, 7], model.Scale.data<float>().ToArray());
    }

    [Fact]
    public void Everything_that_does_not_fit_is_listed_and_nothing_is_copied()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var theirs = nn.Sequential(("a", nn.Linear(2, 3)), ("b", nn.Linear(3, 3)), ("d", nn.BatchNorm1d(3, dtype: ScalarType.Float32)));
        nn.init.constant_(theirs.get_parameter("b.weight")!, 4);
        torchscript.save(theirs, folder.File("m.pt"), rand(2, 2));
        var second = nn.Linear(3, 3);
        var ours = nn.Sequential(("a", nn.Linear(2, 4)), ("b", second), ("c", nn.Linear(3, 1, hasBias: false)));
        second.to(ScalarType.Float64);
        nn.init.ones_(ours.get_parameter("b.weight")!);

        string[] left =
        [
            "different, a.weight: Float32 (3, 2) in the file, Float32 (4, 2) in the module",
            "different, a.bias: Float32 (3) in the file, Float32 (4) in the module",
            "different, b.weight: Float32 (3, 3) in the file, Float64 (3, 3) in the module",
            "different, b.bias: Float32 (3) in the file, Float64 (3) in the module",
            "missing, the file has no c.weight: Float32 (1, 3)",
            "unexpected, the module has no d.weight: Float32 (3)",
            "unexpected, the module has no d.bias: Float32 (3)",
            "unexpected, the module has no d.running_mean: Float32 (3)",
            "unexpected, the module has no d.running_var: Float32 (3)",
        ];
        var error = Assert.Throws<InvalidDataException>(() => torchscript.load_weights(ours, folder.File("m.pt"))).Message;
        Assert.StartsWith($"{folder.File("m.pt")} does not fit the module Sequential, nothing was copied:\n  different, a.weight", error, StringComparison.Ordinal);
        Assert.All(left, line => Assert.Contains("\n  " + line, error, StringComparison.Ordinal));
        Assert.Contains("the module has no d.num_batches_tracked", error, StringComparison.Ordinal);
        Assert.Equal(left.Length + 2, error.Split('\n').Length);

        second.to(ScalarType.Float32);
        Assert.DoesNotContain(torchscript.load_weights(ours, folder.File("m.pt"), strict: false), line => line.Contains("b.", StringComparison.Ordinal));
        Assert.Equal(36, ours.get_parameter("b.weight")!.sum().ToDouble());
    }

    [Fact]
    public void A_file_of_which_nothing_fits_is_an_error_even_where_parts_may_be_left()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(nn.Sequential(("model", nn.Linear(2, 2))), folder.File("m.pt"), rand(1, 2));
        var error = Assert.Throws<InvalidDataException>(() => torchscript.load_weights(nn.Linear(2, 2), folder.File("m.pt"), strict: false));
        Assert.StartsWith($"nothing of {folder.File("m.pt")} fits the module Linear:\n  missing, the file has no weight: Float32 (2, 2)\n", error.Message, StringComparison.Ordinal);
        Assert.Contains("\n  unexpected, the module has no model.weight: Float32 (2, 2)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_values_change_not_flags_modes_or_gradients()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var theirs = nn.Sequential(("a", nn.Linear(2, 2)), ("norm", nn.BatchNorm1d(2)));
        theirs.call(rand(4, 2));
        torchscript.save(theirs, folder.File("m.pt"), rand(2, 2));
        var ours = nn.Sequential(("a", nn.Linear(2, 2)), ("norm", nn.BatchNorm1d(2)));
        ours.eval();
        var (weight, bias) = (ours.get_parameter("a.weight")!, ours.get_parameter("a.bias")!);
        bias.requires_grad_(false);
        ours.call(rand(3, 2)).sum().backward();
        var gradient = weight.grad!.clone();
        Assert.Empty(torchscript.load_weights(ours, folder.File("m.pt")));
        Assert.All(ours.state_dict(), item => Tolerance.AssertClose(theirs.state_dict()[item.Key], item.Value, 0, item.Key));
        Assert.Same(weight, ours.get_parameter("a.weight"));
        Assert.Equal((true, false, false), (weight.requires_grad, bias.requires_grad, ours.training));
        Tolerance.AssertClose(gradient, weight.grad!, 0);
    }

    [Fact]
    public void A_shared_tensor_needs_one_of_its_names_and_one_value()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var theirs = nn.Sequential(("a", nn.Linear(2, 2, hasBias: false)), ("b", nn.Linear(2, 2, hasBias: false)));
        torchscript.save(theirs, folder.File("two.pt"), rand(1, 2));
        torchscript.save(nn.Sequential(("b", nn.Linear(2, 2, hasBias: false))), folder.File("one.pt"), rand(1, 2));
        foreach (var through_wrapper in new[] { false, true })
        {
            var (a, b) = (nn.Linear(2, 2, hasBias: false), nn.Linear(2, 2, hasBias: false));
            b.weight = through_wrapper ? new Parameter(a.weight!.detach()) : a.weight;
            var ours = nn.Sequential(("a", a), ("b", b));
            Assert.Empty(torchscript.load_weights(ours, folder.File("one.pt")));
            using var one = torchscript.load(folder.File("one.pt"));
            Tolerance.AssertClose(one.parameters().Single(), a.weight!, 0);
            Tolerance.AssertClose(a.weight!, b.weight!, 0);

            var error = Assert.Throws<InvalidDataException>(() => torchscript.load_weights(ours, folder.File("two.pt")));
            Assert.EndsWith("\n  different, a.weight and b.weight: two tensors in the file, one in the module", error.Message, StringComparison.Ordinal);

            torchscript.save(ours, folder.File("tied.pt"), rand(1, 2));
            Assert.Empty(torchscript.load_weights(theirs, folder.File("tied.pt")));
            Assert.Contains(
                "missing, the file has no a.weight or b.weight: Float32 (2, 2)",
                torchscript.load_weights(ours, Empty(folder), strict: false));
            torchscript.save(theirs, folder.File("equal.pt"), rand(1, 2));   // equal, but two
            Assert.Empty(torchscript.load_weights(ours, folder.File("equal.pt")));
            nn.init.normal_(theirs.get_parameter("b.weight")!);
        }
    }

    [Fact]
    public void A_buffer_that_is_not_persistent_is_taken_where_it_is_and_not_missed_where_not()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(new Scaled(persistent: true), folder.File("with.pt"), rand(1, 2));
        var ours = new Scaled(persistent: false);
        ours.Scale.fill_(5);
        Assert.Empty(torchscript.load_weights(ours, folder.File("with.pt")));
        Assert.Equal([1f, 1], ours.Scale.data<float>().ToArray());

        var left = torchscript.load_weights(ours, Empty(folder), strict: false);
        Assert.DoesNotContain(left, line => line.Contains("scale", StringComparison.Ordinal));
        Assert.Contains(torchscript.load_weights(new Scaled(persistent: true), Empty(folder), strict: false), line => line == "missing, the file has no scale: Float32 (2)");
    }

    [Fact]
    public void One_number_is_one_number_and_a_count_is_a_count_in_any_dtype()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var theirs = nn.Sequential(("norm", nn.BatchNorm2d(2)), ("gem", new GeM2d(p: 5)));
        theirs.call(rand(2, 2, 3, 3));
        torchscript.save(theirs, folder.File("m.pt"), rand(1, 2, 3, 3));
        var gem = new GeM2d();
        var ours = nn.Sequential(("norm", nn.BatchNorm2d(2, dtype: ScalarType.Float32)), ("gem", gem));
        Assert.Equal(ScalarType.Float32, ours.state_dict()["norm.num_batches_tracked"].dtype);
        Assert.Empty(torchscript.load_weights(ours, folder.File("m.pt")));
        Assert.Equal(1, ours.state_dict()["norm.num_batches_tracked"].ToDouble());
        Assert.Equal(5, gem.parameters().Single().ToDouble());
        Assert.Single(torchscript.load_weights(nn.Sequential(("norm", nn.BatchNorm2d(2)), ("gem", new Vector([2]))), folder.File("m.pt"), strict: false));
        Assert.Empty(torchscript.load_weights(nn.Sequential(("norm", nn.BatchNorm2d(2)), ("gem", new Vector([]))), folder.File("m.pt")));
    }

    [Fact]
    public void Nothing_is_left_in_memory()
    {
        using var folder = new TemporaryFolder();
        using var model = new VggBackbone([[4], [6]], batch_norm: true);
        using (var x = rand(1, 3, 8, 8))
        {
            torchscript.save(model, folder.File("m.pt"), x);
        }

        for (var i = 0; i < 3; i++)
        {
            var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            torchscript.load_weights(model, folder.File("m.pt"));
            Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        }
    }

    [Fact]
    public void Missing_files_and_arguments_and_tensors_that_cannot_be_written_to_are_clear_errors()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new Vector([2]);
        Assert.Throws<ArgumentNullException>(() => torchscript.load_weights(null!, "x"));
        Assert.Throws<ArgumentException>(() => torchscript.load_weights(model, ""));
        Assert.Contains(folder.File("m.pt"), Assert.Throws<FileNotFoundException>(() => torchscript.load_weights(model, folder.File("m.pt"))).Message, StringComparison.Ordinal);
        torchscript.save(model, folder.File("m.pt"), rand(1));
        var expanded = new Vector(null);
        expanded.register_buffer("p", zeros(1).expand(2));
        Assert.StartsWith(
            "p of the module cannot be written to, as elements of it share memory; nothing was copied",
            Assert.Throws<InvalidOperationException>(() => torchscript.load_weights(expanded, folder.File("m.pt"))).Message, StringComparison.Ordinal);
    }

    private static string Empty(TemporaryFolder folder)
    {
        torchscript.save(nn.ReLU(), folder.File("empty.pt"), ones(1));
        return folder.File("empty.pt");
    }

    private sealed class Scaled : nn.Module<Tensor, Tensor>, IScriptable
    {
        public readonly Linear first = nn.Linear(2, 2);
        public readonly Linear second = nn.Linear(2, 2);

        public Scaled(bool persistent)
            : base("Scaled")
        {
            second.weight = first.weight;
            register_buffer("scale", ones(2), persistent);
            RegisterComponents();
        }

        public Tensor Scale => get_buffer("scale")!;   // a field would be a buffer of its own

        public override Tensor forward(Tensor x) => second.call(first.call(x)) * Scale;

        ScriptDefinition IScriptable.script() =>
            new("def forward(self, x: Tensor) -> Tensor:\n    return self.second.forward(self.first.forward(x)) * self.scale");
    }

    private sealed class Vector : nn.Module<Tensor, Tensor>, IScriptable
    {
        public Vector(long[]? shape)
            : base("Vector")
        {
            if (shape is not null)
            {
                register_parameter("p", new Parameter(ones(shape)));
            }
        }

        public override Tensor forward(Tensor x) => x.alias();

        ScriptDefinition IScriptable.script() => new("def forward(self, x: Tensor) -> Tensor:\n    return x");
    }
}
