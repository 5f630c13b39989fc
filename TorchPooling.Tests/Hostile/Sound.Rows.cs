using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <content>The rows. Maps are (2, 3, 6, 7), clusters 4, descriptors 3 long; tables of pictures have 2 queries and 12 pictures.</content>
internal static partial class Sound
{
    private static void AddTensors()
    {
        AddTensor("x input features map images", 2, 3, 6, 7);
        Add("mask", _ => ones(2, 6, 7, dtype: ScalarType.Bool));
        AddTensor("weight centroids covar_weights centers set_centroids.centers", 4, 3);
        AddTensor("bias", 4);
        AddTensor("GhostVLAD.set_centroids.centers", 6, 3);
        Add("p", _ => ones(1) * 3);
        AddTensor("descriptors points", 40, 3);

        AddTensor("ActionVLAD.forward.x actionvlad.x", 2, 2, 3, 6, 7);
        Add("ActionVLAD.forward.mask actionvlad.mask", _ => ones(2, 2, dtype: ScalarType.Bool));
        Add("actionvlad.alpha optimal_transport.dust_bin salad.dust_bin", _ => tensor(5f));
        AddTensor("ContextGating.forward.x PcaWhitening.forward.x context_gating.x pca_whitening.x", 2, 3);
        AddTensor("context_gating.weight", 3, 3);
        AddTensor("context_gating.bias", 3);
        AddTensor("pca_whitening.weight", 2, 3);
        AddTensor("pca_whitening.bias", 2);

        AddTensor("nextvlad.expansion", 6, 3);
        AddTensor("nextvlad.expansion_bias", 6);
        AddTensor("nextvlad.attention", 2, 6);
        AddTensor("nextvlad.attention_bias", 2);
        AddTensor("nextvlad.assign", 8, 6);
        AddTensor("nextvlad.assign_bias", 8);
        AddTensor("salad.features", 2, 5, 9);
        AddTensor("scores", 2, 4, 9);
        AddTensor("token", 2, 3);

        AddTensor("mutual_matches.query", 5, 3);
        AddTensor("mutual_matches.candidates", 4, 6, 3);
        Add("matches", _ => tensor(new long[,] { { 0, 1, -1 }, { 2, 2, 2 } }));
        AddTensor("spatial_score.positions spatial_score.candidate_positions", 3, 2);
        AddTensor("spatial_scores.query", 45, 12);
        AddTensor("spatial_scores.candidates", 2, 45, 12);

        AddTensor("queries", 2, 4);
        AddTensor("database", 12, 4);
        Add("positives", _ => eye(2, 12, dtype: ScalarType.Bool));
        Add("negatives", _ => eye(2, 12, dtype: ScalarType.Bool).logical_not());
        AddTensor("triplet.anchors triplet.positives triplet.negatives", 5, 4);
        AddTensor("contrastive.x multi_similarity.x", 5, 4);
        Add("labels", _ => tensor(new long[] { 0, 1, 0, 2, 1 }));
        Add("indices", _ => tensor(new long[,] { { 3, 1, 0 }, { 0, 2, 11 } }));
        Add("right", _ => eye(2, 12, dtype: ScalarType.Bool));
        Add("PrecisionRecall.right answerable", _ => ones(2, dtype: ScalarType.Bool));
        AddTensor("distances", 2);
        AddTensor("rows", 6, 4);
        AddTensor("example example1 example2 example3 example4 example5 example6", 2, 3);

        AddTensor("SpatialPyramidPool1d.forward.x spatial_pyramid_pool1d.x", 2, 3, 7);
        AddTensor("SpatialPyramidPool3d.forward.x spatial_pyramid_pool3d.x", 2, 3, 4, 5, 6);
        AddTensor("attention_pool2d.query", 2, 6);
        AddTensor("attention_pool2d.key attention_pool2d.value", 2, 5, 6);
        AddTensor("learned_region_pool2d.weight", 3, 2, 2);
        AddTensor("top_down", 2, 3, 3, 4);
        AddTensor("rotation_max_conv2d.weight", 2, 3, 2, 2);
        AddTensor("rotation_max_conv2d.bias", 2);
        AddTensor("switched_max_unpool2d.y", 2, 3, 3, 2);
        Add("switches", _ => arange(6).view(3, 2).expand(2, 3, 3, 2).contiguous());
        AddTensor("row_weight", 3, 3, 3, 1);
        AddTensor("column_weight", 3, 3, 1, 3);
        AddTensor("strip_pool2d.weight", 3, 3, 1, 1);
        AddTensor("row_bias column_bias strip_pool2d.bias", 3);

        Add("boxes rois", _ => tensor(new float[,] { { 0, 1, 1, 5, 4 }, { 1, 0, 2, 3, 3 }, { 1, 2, 2, 2, 2 } }));
        AddTensor("PSRoIAlign.forward.x PSRoIPool.forward.x ps_roi_align.x ps_roi_pool.x", 2, 12, 6, 7);
        Add<IReadOnlyList<Tensor>>("maps", _ => [Seeded.Normal(1, [2, 3, 6, 7]), Seeded.Normal(2, [2, 3, 3, 4])]);
        AddTensor("field", 2, 2, 6, 7);
        AddTensor("total_variation.weight total_variation_ratio.weight low_frequency_share.weight", 4, 3, 3, 3);
        AddTensor("gated_pool2d.weight", 3, 1, 2, 2);
        AddTensor("tree_pool2d.leaves", 4, 3, 2, 2);
        AddTensor("tree_pool2d.gates", 3, 3, 2, 2);
        Add("mixed_pool2d.alpha", _ => ones(3, 1, 1) / 2);
        Add("boxes rois", _ => new[] { tensor(new float[,] { { 1, 1, 5, 4 } }), zeros(0, 4) });
    }

    private static void AddNumbers()
    {
        Add("num_clusters clusters", 4L);
        Add("dim channels num_channels in_channels out_channels in_features token_channels token_dim", 3L);
        Add("L2Normalize.dim l2_normalize.dim", 1L);
        Add("out_features expansion groups num_ghosts cluster_dim hidden", 2L);
        Add("height width", 6L);
        Add("band deformation_field.count", 3L);
        Add("max_shift pairs", 2L);
        Add("dy dx degrees factor displacement", 0.5);
        Add("embed_dim num_heads num_regions", 3L);
        Add("RotationMaxConv2d.groups rotation_max_conv2d.groups", 1L);
        Add("FastSpatialPyramidPool2d.kernel_size fast_spatial_pyramid_pool2d.kernel_size", 3L);
        Add<Size>("AttentionPool2d.size switched_max_unpool2d.output_size", (6, 7));
        Add<Size>(
            "OverlappingAvgPool2d.kernel_size OverlappingMaxPool2d.kernel_size overlapping_avg_pool2d.kernel_size overlapping_max_pool2d.kernel_size", 3);
        Add("spatial_scales", new[] { 0.5, 0.25 });
        Add("bins", new long[] { 1, 2 });
        Add("output_size", 2L);
        Add<Size>("output_size", 2);
        Add("kernel_size", 2L);
        Add<Size>("kernel_size", 2);
        Add("SppNet.stride SppNet.min_size", 2L);
        Add("stride dilation", 1L);
        Add<Size>("stride", 2);
        Add<Size>("dilation padding", 1);
        Add("padding", 0L);
        Add("levels", 2L);
        Add("levels", new long[] { 1, 2 });
        Add("patch_sizes strides", new long[] { 1, 2 });
        Add("blocks", new long[][] { [4], [5] });
        Add("pieces", 3L);
        Add("batch_size", 8L);
        Add("set_centroids.alpha", 5.0);
        Add("dropout", 0.1);
        Add("weights", new[] { 0.5, 0.5 });
        Add("spatial_scale", 0.5);
        Add("p", 3.0);
        Add("radius", 2.0);
        Add("ReadBlocks.rows", 4L);
        Add("iterations", 3);
        Add("iterations", 3L);
        Add("HardNegativeMiner.databaseCount", 12);
        Add("HardNegativeMiner.negatives HardNegativeMiner.sampled HardNegativeMiner.remembered count", 2);
        Add("IsNegative.query IsNegative.database MinedTuple.Query MinedTuple.Positive", 1);
        Add("Alpha Contrast QuantizationError UsedClusters Entropy TotalVariance", 1.0);
        Add("PcaSpectrum.Descriptors", 5L);
    }

    private static void AddOthers()
    {
        Add("MinedTuple.Negatives", new[] { 2, 3 });
        Add<IReadOnlyList<double>>("PcaSpectrum.Variances", [2, 1]);
        Add<IReadOnlyList<int[]>>("HardNegativeMiner.positives HardNegativeMiner.excluded", [[0], [1, 2]]);
        Add("set_Remembered.value", new int[][] { [3], [4] });
        Add<IReadOnlyList<int>>("Mine.queries", [0, 1, 0]);
        Add<IReadOnlyList<(double, double)>>("queries", [(0, 0), (3, 4)]);
        Add<IReadOnlyList<(double, double)>>("database", [.. Enumerable.Range(0, 12).Select(i => (i / 2.0, 1.0))]);
        Add<IReadOnlyList<long[]>>("positives", [[0, 1], [5]]);
        Add<IReadOnlyList<long[]>>("ignored", [[2], []]);
        Add<IEnumerable<Tensor>>("batches", _ => [Seeded.Normal(1, [20, 3]), Seeded.Normal(2, [9, 3])]);
        Add<IEnumerable<Tensor>>("database rows", _ => [Seeded.Normal(1, [7, 4]), Seeded.Normal(2, [5, 4])]);
        Add("random", _ => new Random(1));
        Add<Func<long, nn.Module<Tensor, Tensor>>>("pool", _ => nn.AvgPool2d(2));
        Add<Func<Tensor, Tensor>>("transform", x => x.flip(3));
        Add("sensitivity.module", _ => nn.Sequential(("pool", new GeM2d())));
        Add("SppNet.backbone", _ => new VggBackbone([[4]]));
        Add("SppNet.classifier", _ => nn.Flatten());
        Add("classifier", _ => nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()));
        Add("seed", 0);
        Add("seed", 0L);

        Add("NpyFile.Read.path NpyFile.ReadBlocks.path", place => place.Npy);
        Add("load.path load_weights.path", place => place.Script);
        Add("path", place => place.New);
        Add("module", _ => Workplace.Layer);
        Add("module", _ => new Sum2());
        Add("module", _ => new Sum3());
        Add("module", _ => new Sum4());
        Add("module", _ => new Sum5());
        Add("module", _ => new Sum6());
        Add("register.type", typeof(Sum2));
        Add<Func<nn.Module, ScriptDefinition>>("form", module => ((IScriptable)module).script());
        Add<Func<Sum2, ScriptDefinition>>("form", module => ((IScriptable)module).script());
        Add("source", "def forward(self, x: Tensor) -> Tensor:\n    return x");
        Add<(string, object?)[]>("attributes", [("levels", 3L)]);
    }
}
