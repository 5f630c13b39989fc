using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Cross-dimensional weighting: a sum that favours strong positions and rarely active channels.</summary>
/// <remarks>
/// <para>y[n,c] = I_c · Σ over h,w of α(h,w)·x[n,c,h,w], with the spatial weight α = √(S / ‖S‖₂) of S(h,w) = Σ_c x[n,c,h,w]
/// (the paper's a = b = 2), and the channel weight I_c = log( Σ_k Q_k / Q_c ), Q_c the share of positions where channel c
/// is positive (without ε, as in the authors' code). A channel that is positive nowhere gives 0; so does a map of a single
/// channel, whose I is log 1.</para>
/// <para>Made for maps after a ReLU: negative activations count as 0. Q is a count and takes no gradient. In float16 an
/// output beyond 65504 is infinite.</para>
/// <para>Not normalised: <c>nn.Flatten()</c> and <see cref="L2Normalize"/> after it make the paper's descriptor before its PCA.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C, 1, 1), in the input's dtype.</para>
/// <para>Kalantidis, Mellina, Osindero: Cross-dimensional Weighting for Aggregated Deep Convolutional Features,
/// ECCV Workshops 2016.</para>
/// </remarks>
public sealed class CroW : nn.Module<Tensor, Tensor>, IScriptable
{
    /// <summary>Makes the layer; it has no settings.</summary>
    public CroW()
        : base(nameof(CroW))
    {
    }

    /// <summary>See <see cref="pooling.crow"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.crow(x);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            points = wide.relu().flatten(2)
            responses = points.sum([1])
            responses = responses / responses.detach().amax([1], True).clamp_min(1.0)
            share = responses * self.inverse_norm(responses, 1)
            spatial = torch.where(share > 0, share, torch.ones_like(share)).sqrt() * (share > 0)
            counts = (points > 0).to(points.dtype).sum([2])
            channel = (counts.sum([1], True).clamp_min(1.0) / counts.clamp_min(1.0)).log()
            y = torch.bmm(points, spatial.unsqueeze(2)) * channel.unsqueeze(2)
            return y.unsqueeze(3).to(x.dtype)

        """ + pooling.inverse_norm_script);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="CroW"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <returns>Shape (N, C, 1, 1), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    public static Tensor crow(Tensor x)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        var points = x.to(Check.AtLeastFloat32(x.dtype)).relu().flatten(2);   // (N, C, M)
        var y = points.bmm(crow_spatial(points).unsqueeze(2)) * crow_channel(points).unsqueeze(2);
        return y.unsqueeze(3).to(x.dtype).MoveToOuterDisposeScope();
    }

    // α, shape (N, M). The root's slope at 0 is infinite, but α·x has none there, x being 0 too: no gradient passes.
    private static Tensor crow_spatial(Tensor points)
    {
        var responses = points.sum(1);
        responses = responses / responses.detach().amax([1], keepdim: true).clamp_min(Held(1));   // S² of huge maps overflows
        var share = responses * inverse_norm(responses, 1);
        return where(share > Held(0), share, ones_like(share)).sqrt() * (share > Held(0));
    }

    // I, shape (N, C). What a channel without a positive position is multiplied with does not matter: its sum is 0.
    private static Tensor crow_channel(Tensor points)
    {
        var counts = (points > Held(0)).to(points.dtype).sum(2);
        return (counts.sum(1, keepdim: true).clamp_min(Held(1)) / counts.clamp_min(Held(1))).log();
    }
}
