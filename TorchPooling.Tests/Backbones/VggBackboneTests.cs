using static TorchSharp.torch;

namespace TorchPooling.Tests.Backbones;

public class VggBackboneTests
{
    [PyTorchFact]
    public void Keys_shapes_and_order_are_those_of_torchvision()
    {
        var reference = Python.Run(
            """
            import torch, torchvision
            torch.nn.Linear.reset_parameters = torch.nn.Conv2d.reset_parameters = lambda self: None   # a billion weights that nobody reads
            for depth in 11, 13, 16, 19:
                for bn in "", "_bn":
                    model = getattr(torchvision.models, f"vgg{depth}{bn}")(weights=None, init_weights=False)
                    for key, value in model.state_dict().items():
                        if key.startswith("features"):
                            print(f"vgg{depth}{bn}", key, list(value.shape))
            """).ReplaceLineEndings("\n");

        var ours = new System.Text.StringBuilder();
        foreach (var (depth, blocks) in new[] { (11, VggBackbone.Vgg11), (13, VggBackbone.Vgg13), (16, VggBackbone.Vgg16), (19, VggBackbone.Vgg19) })
        {
            foreach (var batch_norm in new[] { false, true })
            {
                using var backbone = new VggBackbone(blocks, batch_norm);
                foreach (var (key, value) in backbone.state_dict())
                {
                    ours.Append($"vgg{depth}{(batch_norm ? "_bn" : "")} {key} [{string.Join(", ", value.shape)}]\n");
                }
            }
        }

        Assert.Equal(Sorted(reference), Sorted(ours.ToString()));

        static IEnumerable<string> Sorted(string lines) => lines.Split('\n').Order(StringComparer.Ordinal);
    }

    [Fact]
    public void The_pooling_layer_is_the_caller_s_choice_and_its_place_counts_in_the_keys()
    {
        using var scope = NewDisposeScope();
        var backbone = new VggBackbone([[4, 4], [6]], pool: _ => nn.AvgPool2d(2));
        Assert.Equal(["features.0.weight", "features.0.bias", "features.2.weight", "features.2.bias", "features.5.weight", "features.5.bias"], backbone.state_dict().Keys);
        Assert.Equal([1, 6, 4, 3], backbone.call(rand(1, 3, 16, 12)).shape);
        Assert.Equal(6, backbone.out_channels);
    }

    [Theory]
    [InlineData(VggCut.AfterLastPool, 4, 4)]
    [InlineData(VggCut.AfterLastReLU, 8, 8)]
    [InlineData(VggCut.BeforeLastReLU, 8, 8)]
    public void The_cut_decides_what_comes_last(VggCut cut, int height, int width)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var whole = new VggBackbone([[4], [6]], batch_norm: true, cut: cut);
        var y = whole.call(randn(2, 3, 16, 16));
        Assert.Equal([2, 6, height, width], y.shape);
        Assert.Equal(cut == VggCut.BeforeLastReLU, y.min().ToDouble() < 0);
    }

    [Fact]
    public void Convolutions_start_normal_with_the_variance_of_torchvision_and_pooling_layers_as_they_came()
    {
        using var scope = NewDisposeScope();
        var backbone = new VggBackbone([[64], [128]], pool: channels =>
        {
            var conv = nn.Conv2d(channels, channels, 2, stride: 2, bias: false);
            nn.init.constant_(conv.weight, 0.25);
            return conv;
        });
        var state = backbone.state_dict();
        Assert.Equal(Math.Sqrt(2.0 / (9 * 64)), state["features.0.weight"].std().ToDouble(), 0.005);
        Assert.Equal(Math.Sqrt(2.0 / (9 * 128)), state["features.3.weight"].std().ToDouble(), 0.002);
        Assert.Equal(0, state["features.0.bias"].abs().max().ToDouble());
        Tolerance.AssertClose(full_like(state["features.2.weight"], 0.25), state["features.2.weight"], 0);
        Assert.Equal([64, 64, 2, 2], state["features.2.weight"].shape);
    }

    [Fact]
    public void A_pooling_module_of_one_s_own_fits_in()
    {
        using var scope = NewDisposeScope();
        var backbone = new VggBackbone([[4], [6]], pool: _ => nn.Sequential(nn.Conv2d(4, 4, 2, stride: 2)), cut: VggCut.AfterLastReLU);
        Assert.Equal([1, 6, 4, 4], backbone.call(rand(1, 3, 8, 8)).shape);
        Assert.Contains("features.2.0.weight", backbone.state_dict().Keys);
    }

    [Fact]
    public void Configurations_that_are_none_are_refused()
    {
        Assert.Contains("expected one or more blocks of one or more positive widths, got []", Message([]), StringComparison.Ordinal);
        Assert.Contains("got [[4], []]", Message([[4], []]), StringComparison.Ordinal);
        Assert.Contains("got [[4, 0]]", Message([[4, 0]]), StringComparison.Ordinal);
        Assert.Contains("expected a layer for each block, got null", Assert.Throws<ArgumentException>(() => new VggBackbone([[4]], pool: _ => null!)).Message, StringComparison.Ordinal);
        Assert.Contains("expected a floating-point dtype, got Int32", Assert.Throws<ArgumentException>(() => new VggBackbone([[4]], dtype: ScalarType.Int32)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("in_channels", () => new VggBackbone([[4]], in_channels: 0));
        Assert.Throws<ArgumentOutOfRangeException>("cut", () => new VggBackbone([[4]], cut: (VggCut)9));

        static string Message(long[][] blocks) => Assert.Throws<ArgumentException>(() => new VggBackbone(blocks)).Message;
    }

    [Fact]
    public void An_image_too_small_for_its_pooling_layers_is_refused()
    {
        using var scope = NewDisposeScope();
        var backbone = new VggBackbone([[4], [4], [4]]);
        Assert.Equal([1, 4, 1, 1], backbone.call(rand(1, 3, 8, 8)).shape);
        Assert.Contains(
            "expected an image large enough for the backbone's pooling layers, got 8×7 (H×W)",
            Assert.Throws<ArgumentException>(() => backbone.call(rand(1, 3, 8, 7))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 3)]
    [InlineData(true, 1)]
    public void Outputs_and_gradients_are_those_of_the_layers_one_after_another(bool batch_norm, long channels)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var backbone = new VggBackbone([[4, 5], [6]], batch_norm, in_channels: channels, dtype: ScalarType.Float64);
        var images = Seeded.Normal(2, [2, channels, 17, 22]).to(ScalarType.Float64);
        var (y, gradients) = Run(backbone.call);
        var (expected, expectedGradients) = Run(x => backbone.named_children().Single().module is nn.Module<Tensor, Tensor> layers ? layers.call(x) : x);
        Assert.True(y.is_contiguous());
        Tolerance.AssertClose(expected, y);
        Assert.All(expectedGradients.Zip(gradients), pair => Tolerance.AssertClose(pair.First, pair.Second));

        (Tensor, Tensor[]) Run(Func<Tensor, Tensor> forward)
        {
            var x = images.detach().requires_grad_();
            backbone.zero_grad();
            var result = forward(x);
            result.square().sum().backward();
            return (result, [x.grad!, .. backbone.parameters().Select(parameter => parameter.grad!.clone())]);
        }
    }

    [Fact]
    public void A_pooling_module_that_views_its_input_gets_it_as_it_was_given()
    {
        using var scope = NewDisposeScope();
        var backbone = new VggBackbone([[4], [6]], pool: _ => new Viewing(), cut: VggCut.AfterLastPool);
        Assert.Equal([2, 6, 4, 4], backbone.call(rand(2, 3, 16, 16)).shape);
    }

    private sealed class Viewing() : nn.Module<Tensor, Tensor>(nameof(Viewing))
    {
        public override Tensor forward(Tensor x) => x.view(x.size(0), x.size(1), x.size(2) / 2, 2, x.size(3) / 2, 2).amax([3, 5]);
    }
}
