using PlaceRecognition.Data;
using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Model;

/// <summary>From an RGB picture (N, 3, H, W) with values 0 … 1 to the descriptor of its place (N, length).</summary>
internal sealed class PlaceNetwork : nn.Module<Tensor, Tensor>, IScriptable
{
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Deviation = [0.229f, 0.224f, 0.225f];

    /// <summary>Widths of the backbone: small enough to train in a minute on two cores.</summary>
    public static long[][] Blocks => [[16], [32], [64], [64]];

    /// <summary>The smallest height and width that the pooling layers of the backbone leave something of.</summary>
    public static int MinimumSide => 1 << (Blocks.Length - 1);

    private readonly Tensor mean;
    private readonly Tensor deviation;
    private readonly VggBackbone backbone;
    private readonly nn.Module<Tensor, Tensor> pool;

    public PlaceNetwork(Pooling pooling, int clusters, ImageSize size)
        : base(nameof(PlaceNetwork))
    {
        mean = tensor(Mean).reshape(3, 1, 1).DetachFromDisposeScope();
        deviation = tensor(Deviation).reshape(3, 1, 1).DetachFromDisposeScope();
        backbone = new VggBackbone(Blocks, batch_norm: true, cut: pooling.Cut);
        pool = pooling.Create(backbone.out_channels, clusters);
        RegisterComponents();

        // What it was trained at, for those who load the file.
        register_buffer("image_size", tensor(new long[] { size.Height, size.Width }).DetachFromDisposeScope());
    }

    /// <summary>The layer of the VLAD family, where there is one.</summary>
    public ClusterPooling? Clusters => Layer<ClusterPooling>();

    /// <summary>Whether there are clusters that k-means starts; SALAD's are learned from random weights.</summary>
    public bool StartsClusters => Clusters is not null || Layer<NeXtVLAD>() is not null;

    /// <summary>Starts them.</summary>
    public ClusterStart Initialize(Tensor descriptors, int seed) =>
        Clusters?.Initialize(descriptors, seed: seed) ?? Layer<NeXtVLAD>()!.Initialize(descriptors, seed: seed);

    private T? Layer<T>() => pool.modules().Prepend(pool).OfType<T>().FirstOrDefault();

    /// <summary>The map (N, C, h, w) that is pooled.</summary>
    public Tensor Features(Tensor x)
    {
        using var scope = NewDisposeScope();
        return backbone.call((x - mean) / deviation).MoveToOuterDisposeScope();
    }

    /// <summary>The descriptor of such a map.</summary>
    public Tensor Pool(Tensor features) => pool.call(features);

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Pool(Features(x)).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.pool.forward(self.backbone.forward((x - self.mean) / self.deviation))
        """);
}
