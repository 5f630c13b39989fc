using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Losses, for models that compute theirs.</summary>
internal static class LossForms
{
    public static void Add()
    {
        ScriptForms.Add<L1Loss>(m => Of("l1_loss(x, y, self.reduction)", m.reduction));
        ScriptForms.Add<MSELoss>(m => Of("mse_loss(x, y, self.reduction)", m.reduction));
        ScriptForms.Add<SmoothL1Loss>(m => Of("smooth_l1_loss(x, y, self.reduction, self.beta)", m.reduction, ("beta", m.beta)));
        ScriptForms.Add<HuberLoss>(m => Of("huber_loss(x, y, self.reduction, self.delta)", m.reduction, ("delta", m.delta)));
        ScriptForms.Add<KLDivLoss>(m => Of("kl_div(x, y, self.reduction, log_target=self.log_target)", m.reduction, ("log_target", m.log_target)));
        ScriptForms.Add<SoftMarginLoss>(m => Of("soft_margin_loss(x, y, self.reduction)", m.reduction));
        ScriptForms.Add<HingeEmbeddingLoss>(m => Of("hinge_embedding_loss(x, y, self.margin, self.reduction)", m.reduction, ("margin", m.margin)));
        ScriptForms.Add<MultiLabelMarginLoss>(m => Of("multilabel_margin_loss(x, y, self.reduction)", m.reduction));
        ScriptForms.Add<MultiMarginLoss>(m => Of(
            "multi_margin_loss(x, y, self.p, self.margin, self.weight, self.reduction)", m.reduction, ("p", m.p), ("margin", m.margin), ("weight", m.weight)));
        ScriptForms.Add<NLLLoss>(m => Of("nll_loss_nd(x, y, self.weight, self.reduction)", m.reduction, ("weight", m.weight)));
        ScriptForms.Add<CrossEntropyLoss>(m => Of(
            "cross_entropy_loss(x, y, self.weight, self.reduction, self.ignore_index, self.label_smoothing)", m.reduction,
            ("weight", m.weight), ("ignore_index", m.ignore_index ?? -100), ("label_smoothing", m.label_smoothing)));
        ScriptForms.Add<BCELoss>(m => Of("binary_cross_entropy(x, y, self.weight, self.reduction)", m.reduction, ("weight", m.weight)));
        ScriptForms.Add<BCEWithLogitsLoss>(m => Of(
            "binary_cross_entropy_with_logits(x, y, self.weight, self.pos_weight, self.reduction)", m.reduction,
            ("weight", m.weight), ("pos_weight", m.pos_weights)));
        ScriptForms.Add<PoissonNLLLoss>(m => Of(
            "poisson_nll_loss(x, y, self.log_input, self.full, 0.0, self.reduction)", m.reduction,   // TorchSharp does not pass its eps on
            ("log_input", m.log_input), ("full", m.full)));
        ScriptForms.Add<MarginRankingLoss>(m => Three(
            "margin_ranking_loss(x1, x2, y, self.margin, self.reduction)", m.reduction, ("margin", m.margin)));
        ScriptForms.Add<CosineEmbeddingLoss>(m => Three(
            "cosine_embedding_loss(x1, x2, y, self.margin, self.reduction)", m.reduction, ("margin", m.margin)));
        ScriptForms.Add<TripletMarginLoss>(m => new(
            """
            def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
                return torch.triplet_margin_loss(anchor, positive, negative, self.margin, self.p, self.eps, self.swap, self.reduction)
            """,
            ("margin", m.margin), ("p", (double)m.p), ("eps", Eps(m)), ("swap", Swap(m)), ("reduction", (long)m.reduction)));
        ScriptForms.Add<CTCLoss>(m => new(
            """
            def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor) -> Tensor:
                return torch.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity)
            """,
            ("blank", m.blank), ("zero_infinity", m.zero_infinity), ("reduction", (long)m.reduction)));
        ScriptForms.Add<MultiLabelSoftMarginLoss>(m => new(
            $"""
            def forward(self, x: Tensor, y: Tensor) -> Tensor:
                loss = -(y * torch.log_sigmoid(x) + (1 - y) * torch.log_sigmoid(-x))
                {(m.weight is null ? "" : "loss = loss * self.weight")}
                return {Reduced("loss.mean(-1)", m.reduction)}
            """,
            ("weight", m.weight)));
        ScriptForms.Add<GaussianNLLLoss>(m => new(
            $"""
            def forward(self, x: Tensor, y: Tensor, variance: Tensor) -> Tensor:
                n = x.size(0)
                v = variance.reshape([n, -1]).detach().clamp_min(self.eps)
                loss = 0.5 * (v.log() + (x.reshape([n, -1]) - y.reshape([n, -1])).square() / v).sum([1])
                {(m.full ? "loss = loss + 0.5 * (x.numel() // n) * 1.8378770351409912  # log 2π" : "")}
                return {Reduced("loss", m.reduction)}
            """,
            ("eps", (double)m.eps)));
    }

    private static string Reduced(string losses, nn.Reduction reduction) => reduction switch
    {
        nn.Reduction.Mean => losses + ".mean()",
        nn.Reduction.Sum => losses + ".sum()",
        _ => losses,
    };

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_eps")]
    private static extern double Eps(TripletMarginLoss loss);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_swap")]
    private static extern bool Swap(TripletMarginLoss loss);

    private static ScriptDefinition Of(string call, nn.Reduction reduction, params (string, object?)[] attributes) => new(
        $"def forward(self, x: Tensor, y: Tensor) -> Tensor:\n    return torch.{call}", [("reduction", (long)reduction), .. attributes]);

    private static ScriptDefinition Three(string call, nn.Reduction reduction, params (string, object?)[] attributes) => new(
        $"def forward(self, x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:\n    return torch.{call}",
        [("reduction", (long)reduction), .. attributes]);
}
