using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>SALAD: local features shared out to m clusters by optimal transport, with a dustbin for what tells little; one
/// vector for a map of any size, and beside it, where the backbone has one, that of its global token.</summary>
/// <remarks>
/// <para>Scores s and features f of a descriptor are two networks of 1×1 convolutions, each with one hidden layer, dropout and
/// ReLU. The n descriptors have a mass of 1 each, the clusters take 1 each and the dustbin, whose score is z for all, takes
/// n − m. The plan P, (m + 1, n), is exp(S + u + v) after so many rounds of Sinkhorn's algorithm, u over the rows and v over the
/// columns; then V[j, k] = Σᵢ P[k, i]·f[j, i] for the m clusters, each V[:, k] scaled to unit length, flattened to entry j·m + k,
/// the token's vector, of unit length too, put before them, and the whole scaled to unit length.</para>
/// <para>With n ≤ m descriptors there is nothing for the dustbin: every cluster takes n/m, and z has no influence. The authors'
/// code has a logarithm of n − m ≤ 0 there.</para>
/// <para>There are no centres to start from data: what a cluster is, the networks learn. A mask would change the masses, and is
/// not taken.</para>
/// <para>Parameters, named as in the authors' code: <c>cluster_features.0</c> and <c>.3</c>, <c>score.0</c> and <c>.3</c>
/// (convolutions), <c>token_features.0</c> and <c>.2</c> (linear), <c>dust_bin</c> () is z, 1 at the start.</para>
/// <para>Shape: input (N, C, H, W) or (N, C, M); output (N, m·l), or (N, g + m·l) with a token, in the input's dtype. In
/// TorchScript the token is an optional second argument. Networks and transport run in at least float32, whatever the
/// parameters' dtype.</para>
/// <para>Izquierdo, Civera: Optimal Transport Aggregation for Visual Place Recognition, CVPR 2024.</para>
/// </remarks>
public sealed class Salad : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Sequential cluster_features;
    private readonly Sequential score;
    private readonly Sequential? token_features;
    private readonly Parameter dust_bin;
    private readonly long channels;
    private readonly long? token_channels;
    private readonly long iterations;

    /// <param name="channels">C, the channels of the map.</param>
    /// <param name="num_clusters">m, the number of clusters.</param>
    /// <param name="cluster_dim">l, the length of a cluster's vector.</param>
    /// <param name="token_channels">The length of the backbone's global token; null for a layer without.</param>
    /// <param name="token_dim">g, the length of the token's vector.</param>
    /// <param name="dropout">The share of hidden values that training drops, 0 … 1.</param>
    /// <param name="hidden">The width of the hidden layers.</param>
    /// <param name="iterations">Rounds of Sinkhorn's algorithm.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or <paramref name="dropout"/> outside 0 … 1.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public Salad(
        long channels, long num_clusters = 64, long cluster_dim = 128, long? token_channels = null, long token_dim = 256,
        double dropout = 0.3, long hidden = 512, long iterations = 3, Device? device = null, ScalarType? dtype = null)
        : base(nameof(Salad))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_clusters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cluster_dim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(token_channels ?? 1, nameof(token_channels));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(token_dim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hidden);
        pooling.CheckIterations(iterations);
        if (!(dropout is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(dropout), dropout, "expected a share 0 … 1");
        }

        Check.Parameter([channels, hidden], device, dtype, nameof(hidden));
        Check.Parameter([hidden, cluster_dim], device, dtype, nameof(cluster_dim));
        Check.Parameter([hidden, num_clusters], device, dtype, nameof(num_clusters));
        if (token_channels is not null)
        {
            Check.Parameter([token_channels.Value, hidden], device, dtype, nameof(token_channels));
            Check.Parameter([hidden, token_dim], device, dtype, nameof(token_dim));
        }

        using var scope = NewDisposeScope();
        (this.channels, this.token_channels, this.iterations) = (channels, token_channels, iterations);
        cluster_features = Network(cluster_dim);
        score = Network(num_clusters);
        token_features = token_channels is null ? null : nn.Sequential(
            nn.Linear(token_channels.Value, hidden, device: device, dtype: dtype), nn.ReLU(),
            nn.Linear(hidden, token_dim, device: device, dtype: dtype));
        dust_bin = new Parameter(tensor(1.0, dtype: dtype ?? ScalarType.Float32, device: device));
        output_length = num_clusters * cluster_dim + (token_channels is null ? 0 : token_dim);
        RegisterComponents();
        foreach (var parameter in parameters())
        {
            parameter.DetachFromDisposeScope();
        }

        Sequential Network(long width) => nn.Sequential(
            nn.Conv2d(channels, hidden, 1, device: device, dtype: dtype), nn.Dropout(dropout), nn.ReLU(),
            nn.Conv2d(hidden, width, 1, device: device, dtype: dtype));
    }

    /// <summary>The length of the output of one image.</summary>
    public long output_length { get; }

    /// <summary>The vectors of a batch.</summary>
    /// <param name="x">Shape (N, C, H, W) or (N, C, M).</param>
    /// <returns>Shape (N, <see cref="output_length"/>), in the dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another shape, or not the dtype and device of the
    /// parameters; or the layer was made for a token.</exception>
    public override Tensor forward(Tensor x) => forward(x, null);

    /// <summary>The vectors of a batch with the backbone's global tokens.</summary>
    /// <param name="x">Shape (N, C, H, W) or (N, C, M).</param>
    /// <param name="token">Shape (N, token_channels); null for a layer that was made without.</param>
    /// <returns>Shape (N, <see cref="output_length"/>), in the dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> or <paramref name="token"/> has another shape, dtype or device,
    /// or one of layer and call has a token and the other none.</exception>
    public Tensor forward(Tensor x, Tensor? token)
    {
        Check.Descriptors(x, channels);
        Check.LikeParameters(x, dust_bin);
        CheckToken(x, token);
        using var scope = NewDisposeScope();
        var wide = Check.AtLeastFloat32(x.dtype);
        var map = (x.dim() == 4 ? x : x.unsqueeze(3)).to(wide);
        var (features, scores) = (Run(cluster_features, map).flatten(2), Run(score, map).flatten(2));
        var scene = token is null ? null : Run(token_features!, token.to(wide));
        return pooling.salad(features, scores, dust_bin.to(wide), scene, iterations).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>A network in the dtype of <paramref name="x"/>, which may be wider than its parameters.</summary>
    private static Tensor Run(Sequential network, Tensor x)
    {
        foreach (var layer in network.children())
        {
            x = layer switch
            {
                Conv2d conv when conv.weight.dtype != x.dtype => nn.functional.conv2d(x, conv.weight.to(x.dtype), conv.bias!.to(x.dtype)),
                Linear linear when linear.weight.dtype != x.dtype => nn.functional.linear(x, linear.weight.to(x.dtype), linear.bias!.to(x.dtype)),
                _ => ((nn.Module<Tensor, Tensor>)layer).call(x),
            };
        }

        return x;
    }

    /// <summary>The script form of <see cref="Run"/>: a method for each network.</summary>
    private static string RunScript(string name, Sequential network)
    {
        var lines = network.named_children().Select(child =>
        {
            var layer = $"getattr(self.{name}, \"{child.name}\")";
            var weights = $"(x, {layer}.weight.to(x.dtype), {layer}.bias.to(x.dtype))";
            return "    x = " + child.module switch
            {
                Conv2d => "torch.conv2d" + weights,
                Linear => "torch.linear" + weights,
                _ => layer + ".forward(x)",
            };
        });
        return $"\ndef run_{name}(self, x: Tensor) -> Tensor:\n{string.Join("\n", lines)}\n    return x\n";
    }

    private void CheckToken(Tensor x, Tensor? token)
    {
        if (token is null != token_channels is null)
        {
            throw new ArgumentException(
                token is null ? $"expected a token (N, {token_channels}), got none" : "expected no token, the layer was made without", nameof(token));
        }

        if (token is not null)
        {
            Check.Exactly(token, [x.size(0), token_channels!.Value], nameof(token));
            Check.LikeParameters(token, dust_bin, nameof(token));
        }
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor, token: Optional[Tensor] = None) -> Tensor:
            grid = x
            if x.dim() == 3:
                grid = x.unsqueeze(3)
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                grid = grid.float()
            features = self.run_cluster_features(grid).flatten(2)
            scores = self.run_score(grid).flatten(2)
            vectors = torch.bmm(features, self.transport(scores).transpose(1, 2))
            y = (vectors * self.inverse_norm(vectors, 1)).flatten(1)
        """
        + (token_features is null
            ? "\n    assert token is None, \"expected no token, the layer was made without\""
            : "\n" +
              """
                  assert token is not None, "expected a token, got none"
                  scene = self.run_token_features(token.to(y.dtype))
                  y = torch.cat([scene * self.inverse_norm(scene, 1), y], 1)
              """)
        + "\n" +
        """
            return (y * self.inverse_norm(y, 1)).to(x.dtype)

        def transport(self, scores: Tensor) -> Tensor:
            m, n = scores.size(1), scores.size(2)
            dust_bin = self.dust_bin.to(scores.dtype).expand([scores.size(0), 1, n])
            couplings = torch.cat([scores, dust_bin], 1)
            clusters = scores.new_full([m, 1], min(1.0, float(n) / float(m)))
            rest = scores.new_full([1, 1], float(max(n - m, 0)))
            mass = torch.cat([clusters, rest]).log()
            u = mass - couplings.logsumexp([2], True)
            for i in range(self.iterations - 1):
                v = (couplings + u).logsumexp([1], True)
                u = mass - (couplings - v).logsumexp([2], True)
            return (couplings + u).softmax(1).narrow(1, 0, m)
        """
        + RunScript(nameof(cluster_features), cluster_features) + RunScript(nameof(score), score)
        + (token_features is null ? "" : RunScript(nameof(token_features), token_features)) + pooling.inverse_norm_script,
        (nameof(iterations), iterations));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="Salad"/>, after its networks.</summary>
    /// <param name="features">f, shape (N, l, n).</param>
    /// <param name="scores">s, shape (N, m, n).</param>
    /// <param name="dust_bin">z, a single number.</param>
    /// <param name="token">The vectors of the global tokens, shape (N, g); null for none.</param>
    /// <param name="iterations">Rounds of Sinkhorn's algorithm.</param>
    /// <returns>Shape (N, m·l) or (N, g + m·l), in the dtype of <paramref name="features"/>.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is not positive.</exception>
    public static Tensor salad(Tensor features, Tensor scores, Tensor dust_bin, Tensor? token = null, long iterations = 3)
    {
        CheckScores(features, "features (N, l, n) with l", nameof(features));
        CheckScores(scores, "scores (N, m, n) with m", nameof(scores));
        Check.Exactly(scores, [features.size(0), scores.size(1), features.size(2)], nameof(scores));
        Check.LikeParameters(features, scores, nameof(features));
        if (token is not null)
        {
            if (token.dim() != 2 || token.size(0) != features.size(0))
            {
                throw new ArgumentException(
                    $"expected tokens (N, g) with N = {features.size(0)}, got {token.dim()} dimensions {Check.Shape(token)}", nameof(token));
            }

            Check.FloatingPoint(token, nameof(token));
            Check.LikeParameters(token, features, nameof(token));
        }

        using var scope = NewDisposeScope();
        var wide = Check.AtLeastFloat32(features.dtype);
        var plan = optimal_transport(scores, dust_bin, iterations);
        var y = l2_normalize(features.to(wide).bmm(plan.transpose(1, 2)), 1).flatten(1);
        y = token is null ? y : cat([l2_normalize(token.to(wide), 1), y], 1);
        return l2_normalize(y, 1).to(features.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The optimal transport of n descriptors, of mass 1 each, to m clusters, that take 1 each, and a dustbin, that takes
    /// n − m; for n ≤ m to the clusters alone, that take n/m each. By Sinkhorn's algorithm on logarithms.</summary>
    /// <param name="scores">s, shape (N, m, n).</param>
    /// <param name="dust_bin">z, the score of the dustbin: a single number.</param>
    /// <param name="iterations">Rounds: the columns sum to 1 with the dustbin's part exactly, the rows nearly.</param>
    /// <returns>The clusters' part of the plan, shape (N, m, n), at least float32.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is not positive.</exception>
    public static Tensor optimal_transport(Tensor scores, Tensor dust_bin, long iterations = 3)
    {
        CheckScores(scores, "scores (N, m, n) with m", nameof(scores));
        Check.Exactly(dust_bin, [], nameof(dust_bin));
        Check.LikeParameters(dust_bin, scores, nameof(dust_bin));
        CheckIterations(iterations);
        using var scope = NewDisposeScope();
        var wide = scores.to(Check.AtLeastFloat32(scores.dtype));
        var (m, n) = (scores.size(1), scores.size(2));
        var couplings = cat([wide, dust_bin.to(wide.dtype).expand(scores.size(0), 1, n)], 1);
        var mass = cat([wide.new_full([m, 1], Held(Math.Min(1, (double)n / m))), wide.new_full([1, 1], Held(Math.Max(n - m, 0)))]).log();
        var u = mass - couplings.logsumexp(2, keepdim: true);
        for (var i = 1; i < iterations; i++)
        {
            var v = couplings.Plus(u).logsumexp(1, keepdim: true);
            u = mass - (couplings - v).logsumexp(2, keepdim: true);
        }

        // The last v makes every column sum to 1: a softmax, which no size of the scores overflows.
        return couplings.Plus(u).softmax(1).narrow(1, 0, m).MoveToOuterDisposeScope();
    }

    internal static void CheckIterations(long iterations)
    {
        if (iterations is < 1 or > 100_000)
        {
            throw new ArgumentOutOfRangeException(nameof(iterations), iterations, "expected 1 to 100000 iterations");
        }
    }

    private static void CheckScores(Tensor x, string expected, string name)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() != 3 || x.size(1) < 1 || x.size(2) < 1)
        {
            throw new ArgumentException($"expected {expected}, n ≥ 1, got {Check.Shape(x)}", name);
        }

        Check.FloatingPoint(x, name);
    }
}
