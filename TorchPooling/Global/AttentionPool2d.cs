using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The attention pooling of CLIP: the mean of the map asks all its positions, and the answer is the descriptor.</summary>
/// <remarks>
/// <para>Tokens t₀ = mean of x over the positions, t₁ … t_HW = the positions in row-major order, each plus its positional embedding.
/// q = W_q t₀ + b_q, k_m = W_k t_m + b_k, v_m = W_v t_m + b_v, split into heads of d = C / num_heads numbers; each head gives
/// Σₘ softmaxₘ(qᵀkₘ/√d) vₘ over all tokens, t₀ among them; y = W_c [heads] + b_c.</para>
/// <para>A map of another size than <c>size</c> takes the embeddings of the positions interpolated bicubically (half-pixel centres), that
/// of the mean unchanged.</para>
/// <para>Parameters, named as in the authors' code: <c>positional_embedding</c> (1 + H₀·W₀, C), normal of deviation C^-½ at the start;
/// <c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c> (C, C) and <c>c_proj</c> (D, C) with biases, weights normal of deviation C^-½.</para>
/// <para>Shape: input (N, C, H, W); output (N, D), in the input's dtype, computed in at least float32. As in every attention the logits
/// are of the order of x²: maps beyond 1e18 leave float32.</para>
/// <para>Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, ICML 2021.</para>
/// </remarks>
public sealed class AttentionPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter positional_embedding;
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear c_proj;
    private readonly long[] size;
    private readonly long embed_dim;
    private readonly long num_heads;

    /// <param name="size">H₀ and W₀, the size of the maps that the embeddings are learned for, one number for both: 7 for CLIP's RN50.</param>
    /// <param name="embed_dim">C, the channels of the map.</param>
    /// <param name="num_heads">Heads of the attention, a divisor of C.</param>
    /// <param name="output_dim">D, the length of the output; C where null.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or needs parameters that do not fit into memory.</exception>
    /// <exception cref="ArgumentException"><paramref name="size"/> has not one or two entries, <paramref name="num_heads"/> does not
    /// divide C, or <paramref name="dtype"/> is no floating-point type.</exception>
    public AttentionPool2d(
        Size size, long embed_dim, long num_heads, long? output_dim = null, Device? device = null, ScalarType? dtype = null)
        : base(nameof(AttentionPool2d))
    {
        this.size = Check.Pair(size, 1, nameof(size));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(embed_dim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(output_dim ?? 1, nameof(output_dim));
        pooling.CheckHeads(embed_dim, num_heads);
        Check.Parameter([this.size[0], this.size[1], embed_dim], device, dtype, nameof(size));
        Check.Parameter([embed_dim, embed_dim], device, dtype, nameof(embed_dim));
        Check.Parameter([embed_dim, output_dim ?? 1], device, dtype, nameof(output_dim));
        using var scope = NewDisposeScope();
        (this.embed_dim, this.num_heads) = (embed_dim, num_heads);
        var deviation = 1 / Math.Sqrt(embed_dim);
        positional_embedding = new Parameter(
            randn([1 + (this.size[0] * this.size[1]), embed_dim], dtype: dtype, device: device) * Held(deviation));
        (q_proj, k_proj, v_proj) = (Projection(embed_dim), Projection(embed_dim), Projection(embed_dim));
        c_proj = Projection(output_dim ?? embed_dim);
        RegisterComponents();
        foreach (var parameter in parameters())
        {
            parameter.DetachFromDisposeScope();
        }

        Linear Projection(long width)
        {
            var layer = nn.Linear(embed_dim, width, device: device, dtype: dtype);
            nn.init.normal_(layer.weight, 0, deviation);
            return layer;
        }
    }

    /// <summary>The descriptors of a batch.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <returns>Shape (N, D), in the dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map of C channels, or has not the dtype and device of the
    /// parameters.</exception>
    public override Tensor forward(Tensor x)
    {
        Check.FeatureMap(x, embed_dim);
        Check.LikeParameters(x, positional_embedding);
        using var scope = NewDisposeScope();
        var points = x.to(Check.AtLeastFloat32(x.dtype)).flatten(2).transpose(1, 2);   // (N, H·W, C)
        var tokens = cat([points.mean([1], keepdim: true), points], 1).Plus(Positions(x.size(2), x.size(3), points.dtype));
        var y = pooling.attention_pool2d(
            Project(q_proj, tokens.select(1, 0)), Project(k_proj, tokens), Project(v_proj, tokens), num_heads);
        return Project(c_proj, y).to(x.dtype).MoveToOuterDisposeScope();
    }

    private static Tensor Project(Linear layer, Tensor x) => pooling.linear(x, layer.weight, layer.bias);

    /// <summary>The embeddings of the mean and of the positions of a map, (1 + H·W, C).</summary>
    private Tensor Positions(long height, long width, ScalarType dtype)
    {
        var all = positional_embedding.to(dtype);
        if (height == size[0] && width == size[1])
        {
            return all;
        }

        var grid = all.narrow(0, 1, size[0] * size[1]).t().reshape(1, embed_dim, size[0], size[1]);
        var resized = nn.functional.interpolate(grid, [height, width], mode: InterpolationMode.Bicubic, align_corners: false);
        return cat([all.narrow(0, 0, 1), resized.flatten(2).squeeze(0).t()]);
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            points = wide.flatten(2).transpose(1, 2)
            tokens = torch.cat([points.mean([1], True), points], 1) + self.positions(x.size(2), x.size(3), wide)
            q = self.heads(torch.linear(tokens.narrow(1, 0, 1), self.q_proj.weight.to(wide.dtype), self.q_proj.bias.to(wide.dtype)))
            k = self.heads(torch.linear(tokens, self.k_proj.weight.to(wide.dtype), self.k_proj.bias.to(wide.dtype)))
            v = self.heads(torch.linear(tokens, self.v_proj.weight.to(wide.dtype), self.v_proj.bias.to(wide.dtype)))
            scale = float(q.size(3)) ** -0.5
            weights = torch.matmul(q * scale, k.transpose(2, 3)).softmax(3)
            y = torch.matmul(weights, v).flatten(1)
            return torch.linear(y, self.c_proj.weight.to(wide.dtype), self.c_proj.bias.to(wide.dtype)).to(x.dtype)

        def heads(self, x: Tensor) -> Tensor:
            return x.view([x.size(0), x.size(1), self.num_heads, x.size(2) // self.num_heads]).transpose(1, 2)

        def positions(self, height: int, width: int, like: Tensor) -> Tensor:
            all = self.positional_embedding.to(like.dtype)
            (rows, columns) = (self.size[0], self.size[1])
            if height != rows or width != columns:
                grid = all.narrow(0, 1, rows * columns).t().reshape([1, all.size(1), rows, columns])
                resized = torch.upsample_bicubic2d(grid, [height, width], False)
                all = torch.cat([all.narrow(0, 0, 1), resized.flatten(2).squeeze(0).t()], 0)
            return all
        """,
        (nameof(size), size), (nameof(num_heads), num_heads));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="AttentionPool2d"/>, between its projections: each head's softmax(qᵀk/√d)-weighted sum of
    /// the values.</summary>
    /// <param name="query">q, one vector an image, shape (N, C).</param>
    /// <param name="key">k, shape (N, M, C).</param>
    /// <param name="value">v, shape (N, M, C).</param>
    /// <param name="num_heads">Heads, a divisor of C: entries h·d … h·d + d − 1 are head h's, d = C / num_heads.</param>
    /// <returns>Shape (N, C), in the dtype of <paramref name="query"/>.</returns>
    /// <exception cref="ArgumentException">A shape is another, dtypes or devices differ, or <paramref name="num_heads"/> does not divide
    /// C.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_heads"/> is not positive.</exception>
    public static Tensor attention_pool2d(Tensor query, Tensor key, Tensor value, long num_heads)
    {
        Check.Matrix(query, 0, null, nameof(query));
        ArgumentNullException.ThrowIfNull(key);
        if (key.dim() != 3 || key.size(0) != query.size(0) || key.size(1) < 1 || key.size(2) != query.size(1))
        {
            throw new ArgumentException($"expected keys ({query.size(0)}, M ≥ 1, {query.size(1)}), got {Check.Shape(key)}", nameof(key));
        }

        Check.FloatingPoint(key, nameof(key));
        Check.Like(key, query, nameof(key));
        Check.Exactly(value, key.shape, nameof(value));
        Check.Like(value, query, nameof(value));
        CheckHeads(query.size(1), num_heads);
        using var scope = NewDisposeScope();
        var wide = Check.AtLeastFloat32(query.dtype);
        var q = Heads(query.to(wide).unsqueeze(1)) * Held(Math.Pow(query.size(1) / num_heads, -0.5));
        var weights = q.matmul(Heads(key.to(wide)).transpose(2, 3)).softmax(3);
        return weights.matmul(Heads(value.to(wide))).flatten(1).to(query.dtype).MoveToOuterDisposeScope();

        Tensor Heads(Tensor x) => x.reshape(x.size(0), x.size(1), num_heads, x.size(2) / num_heads).transpose(1, 2);   // (N, heads, M, d)
    }

    internal static void CheckHeads(long channels, long num_heads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_heads);
        if (channels % num_heads != 0)
        {
            throw new ArgumentException($"expected a divisor of the {channels} channels, got {num_heads}", nameof(num_heads));
        }
    }
}
