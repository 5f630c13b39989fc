using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class AttentionPool2dTests
{
    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var query = tensor(new[] { 1.0, 2 }).reshape(1, 2);   // two heads of one number
        var key = tensor(new[] { Math.Log(3), 0, 0, Math.Log(2) }).reshape(1, 2, 2);
        var value = tensor(new double[] { 4, 5, 8, 10 }).reshape(1, 2, 2);
        var expected = tensor(new[] { ((3 * 4) + 8) / 4.0, (5 + (4 * 10)) / 5.0 }).reshape(1, 2);   // weights 3 : 1 and 1 : 2²
        Tolerance.AssertClose(expected, pooling.attention_pool2d(query, key, value, 2));
    }

    [Fact]
    public void A_query_of_zeros_averages_the_values()
    {
        using var scope = NewDisposeScope();
        var value = randn(2, 7, 6, dtype: ScalarType.Float64);
        Tolerance.AssertClose(value.mean([1]), pooling.attention_pool2d(zeros_like(value)[.., 0], randn_like(value), value, 3));
    }

    [Fact]
    public void Its_weights_are_named_as_the_authors_name_them()
    {
        using var scope = NewDisposeScope();
        var state = new AttentionPool2d(7, 8, 2, 5).state_dict();
        string[] names = ["positional_embedding", "q_proj", "k_proj", "v_proj", "c_proj"];
        Assert.Equal(names.SelectMany((name, i) => i == 0 ? [name] : new[] { $"{name}.weight", $"{name}.bias" }), state.Keys);
        Assert.Equal([50, 8], state["positional_embedding"].shape);
        Assert.Equal([5, 8], state["c_proj.weight"].shape);
    }

    [Fact]
    public void Its_weights_start_with_a_deviation_of_one_over_the_root_of_the_channels()
    {
        using var scope = NewDisposeScope();
        foreach (var (name, value) in new AttentionPool2d(7, 256, 4).state_dict().Where(entry => entry.Value.dim() == 2))
        {
            Assert.True(Math.Abs((value.std().ToDouble() * 16) - 1) < 0.05, name);
        }
    }

    [PyTorchTheory]
    [InlineData(3, 4)]   // the size of the embeddings
    [InlineData(7, 5)]
    [InlineData(2, 1)]
    public void Outputs_and_gradients_equal_those_of_PyTorch(int height, int width)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new AttentionPool2d((3, 4), 8, 2, 5);
        Seeded.Start(module, 4);
        var x = randn(2, 8, height, width).requires_grad_();
        var direction = randn(2, 5);
        var leaves = module.named_parameters().Select(p => (p.name, (Tensor)p.parameter)).Append(("x", x)).ToList();
        foreach (var (name, value) in leaves.Append(("direction", direction)))
        {
            Python.Write(folder.Path, name, value);
        }

        Python.Run(
            """
            import sys, numpy, torch, torch.nn.functional as F
            folder, h, w = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
            leaves = {}
            def load(name, *shape):
                leaves[name] = torch.from_numpy(numpy.fromfile(f"{folder}/{name}", "float32")).reshape(shape).requires_grad_()
                return leaves[name]
            x, position, direction = load("x", 2, 8, h, w), load("positional_embedding", 13, 8), load("direction", 2, 5)
            weights, biases = {}, {}
            for name, width in ("q", 8), ("k", 8), ("v", 8), ("c", 5):
                weights[name], biases[name] = load(f"{name}_proj.weight", width, 8), load(f"{name}_proj.bias", width)
            if (h, w) != (3, 4):
                grid = position[1:].reshape(3, 4, 8).permute(2, 0, 1)[None]
                grid = F.interpolate(grid, size=(h, w), mode="bicubic", align_corners=False)
                position = torch.cat([position[:1], grid[0].permute(1, 2, 0).reshape(h * w, 8)])
            tokens = x.flatten(2).permute(2, 0, 1)
            tokens = torch.cat([tokens.mean(0, keepdim=True), tokens]) + position[:, None]
            y, _ = F.multi_head_attention_forward(
                query=tokens[:1], key=tokens, value=tokens, embed_dim_to_check=8, num_heads=2,
                q_proj_weight=weights["q"], k_proj_weight=weights["k"], v_proj_weight=weights["v"], in_proj_weight=None,
                in_proj_bias=torch.cat([biases["q"], biases["k"], biases["v"]]), bias_k=None, bias_v=None, add_zero_attn=False,
                dropout_p=0, out_proj_weight=weights["c"], out_proj_bias=biases["c"], use_separate_proj_weight=True,
                training=True, need_weights=False)
            (y[0] * direction).sum().backward()
            y.detach().numpy().tofile(f"{folder}/y")
            for name, leaf in leaves.items():
                leaf.grad.numpy().tofile(f"{folder}/{name}.grad")
            """, folder.Path, $"{height}", $"{width}");

        var y = module.call(x);
        (y * direction).sum().backward();
        Tolerance.AssertClose(Python.Read(folder.File("y"), 2, 5), y, 1e-5);
        foreach (var (name, value) in leaves)
        {
            Tolerance.AssertClose(Python.Read(folder.File($"{name}.grad"), value.shape), value.grad!, 1e-5, $"gradient of {name}");
        }
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        Refused<ArgumentException>("expected a divisor of the 6 channels, got 4 (Parameter 'num_heads')", () => new AttentionPool2d(7, 6, 4));
        Refused<ArgumentException>("expected one number or (height, width), got [1, 2, 3]", () => new AttentionPool2d((1, 2, 3), 6, 2));
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647 (Parameter 'size')", () => new AttentionPool2d(0, 6, 2));
        Refused<ArgumentOutOfRangeException>("of memory, got 4 times Float32 (2147483647, 2147483647, 6)", () => new AttentionPool2d(int.MaxValue, 6, 2));
        Assert.Throws<ArgumentOutOfRangeException>("embed_dim", () => new AttentionPool2d(7, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>("embed_dim", () => new AttentionPool2d(1, 1 << 20, 1));
        Assert.Throws<ArgumentOutOfRangeException>("num_heads", () => new AttentionPool2d(7, 6, 0));
        Assert.Throws<ArgumentOutOfRangeException>("output_dim", () => new AttentionPool2d(7, 6, 2, -1));
        Assert.Throws<ArgumentOutOfRangeException>("output_dim", () => new AttentionPool2d(7, 6, 2, long.MaxValue));
        var (query, key) = (rand(2, 6), rand(2, 5, 6));
        Refused<ArgumentException>("expected keys (2, M ≥ 1, 6), got (2, 0, 6)", () => pooling.attention_pool2d(query, rand(2, 0, 6), key, 2));
        Refused<ArgumentException>("expected keys (2, M ≥ 1, 6), got (2, 6)", () => pooling.attention_pool2d(query, query, key, 2));
        Refused<ArgumentException>("expected the shape (2, 5, 6), got 3 dimensions (2, 4, 6) (Parameter 'value')", () => pooling.attention_pool2d(query, key, rand(2, 4, 6), 2));
        Refused<ArgumentException>("expected Float32 on cpu, got Float64 on cpu (Parameter 'key')", () => pooling.attention_pool2d(query, key.to(ScalarType.Float64), key, 2));
        Refused<ArgumentException>("expected a matrix (M, D ≥ 1), got 3 dimensions (2, 5, 6) (Parameter 'query')", () => pooling.attention_pool2d(key, key, key, 2));
        Refused<ArgumentException>("expected a divisor of the 6 channels, got 5", () => pooling.attention_pool2d(query, key, key, 5));

        static void Refused<T>(string message, Func<object> act)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }
}
