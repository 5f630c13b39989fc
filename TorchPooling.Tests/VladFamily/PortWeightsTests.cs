using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

/// <summary>Weights of the public PyTorch ports of NetVLAD, by the names and shapes that these have, and what they compute there.</summary>
public class PortWeightsTests
{
    /// <summary>The ports' layer, as their state dicts name it, in a checkpoint of the ports' form; and its output.</summary>
    private const string Checkpoint =
        """
        import sys, torch
        folder, bias = sys.argv[1], sys.argv[2] == "True"
        torch.manual_seed(3)
        K, D = 64, 512
        state = {"pool.conv.weight": torch.randn(K, D, 1, 1), "pool.centroids": torch.rand(K, D), "encoder.0.weight": torch.rand(4, 3, 3, 3)}
        if bias:
            state["pool.conv.bias"] = torch.randn(K)
        torch.save({"epoch": 1, "state_dict": state}, f"{folder}/checkpoint.pth.tar")

        x = torch.randn(2, D, 5, 7)
        x.numpy().tofile(f"{folder}/x")
        points = torch.nn.functional.normalize(x, dim=1)
        a = torch.nn.functional.conv2d(points, state["pool.conv.weight"], state.get("pool.conv.bias")).flatten(2).softmax(1)
        points = points.flatten(2)
        vlad = torch.zeros(2, K, D)
        for k in range(K):
            vlad[:, k] = ((points - state["pool.centroids"][k].view(1, -1, 1)) * a[:, k:k + 1]).sum(2)
        vlad = torch.nn.functional.normalize(torch.nn.functional.normalize(vlad, dim=2).flatten(1), dim=1)
        vlad.numpy().tofile(f"{folder}/vlad")
        """;

    [PyTorchTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_README_s_script_brings_a_checkpoint_of_a_port_into_NetVLAD(bool bias)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Python.Run(Checkpoint, folder.Path, bias.ToString());
        Python.Run($"import os\nos.chdir('{folder.Path}')\n" + ReadmeTests.PythonOfPorts());

        var netvlad = new NetVLAD(64, 512, bias: bias);
        Assert.Empty(torchscript.load_weights(netvlad, folder.File("netvlad.pt")));
        var x = Python.Read(folder.File("x"), 2, 512, 5, 7);
        Tolerance.AssertClose(Python.Read(folder.File("vlad"), 2, 64 * 512), netvlad.call(x), 1e-6);
    }

    [PyTorchFact]
    public void A_bias_without_a_place_is_named()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Python.Run(Checkpoint, folder.Path, "True");
        Python.Run($"import os\nos.chdir('{folder.Path}')\n" + ReadmeTests.PythonOfPorts());
        var message = Assert.Throws<InvalidDataException>(() => torchscript.load_weights(new NetVLAD(64, 512), folder.File("netvlad.pt"))).Message;
        Assert.Contains("unexpected, the module has no conv.bias: Float32 (64)", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_dict_of_these_names_and_shapes_loads()
    {
        using var scope = NewDisposeScope();
        var netvlad = new NetVLAD(3, 4, bias: true);
        netvlad.load_state_dict(new() { ["conv.weight"] = ones(3, 4, 1, 1), ["conv.bias"] = ones(3) * 2, ["centroids"] = ones(3, 4) * 5 });
        Assert.Equal(5, netvlad.state_dict()["centroids"].mean().ToDouble());
        Assert.Equal(2, netvlad.state_dict()["conv.bias"].mean().ToDouble());
    }

    [Fact]
    public void The_permutation_turns_the_order_of_the_authors_code_into_ours()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([0L, 3, 1, 4, 2, 5], NetVLAD.flatten_permutation(3, 2).data<long>().ToArray());   // k·2 + d stands at d·3 + k

        // Entry (k, d) is written at d·K + k there: a weight over that order, permuted, gives the same here.
        var (clusters, dim) = (3, 2);
        var vlad = rand(clusters, dim);
        var theirs = vlad.t().flatten();
        var weight = rand(5, clusters * dim);
        var ours = weight.index_select(1, NetVLAD.flatten_permutation(clusters, dim));
        Tolerance.AssertClose(weight.mv(theirs), ours.mv(vlad.flatten()), 1e-6);
        Assert.Throws<ArgumentOutOfRangeException>(() => NetVLAD.flatten_permutation(0, 2));
    }
}
