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
    }

    private static ScriptDefinition Of(string call, nn.Reduction reduction, params (string, object?)[] attributes) => new(
        $"def forward(self, x: Tensor, y: Tensor) -> Tensor:\n    return torch.{call}", [("reduction", (long)reduction), .. attributes]);

    private static ScriptDefinition Three(string call, nn.Reduction reduction, params (string, object?)[] attributes) => new(
        $"def forward(self, x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:\n    return torch.{call}",
        [("reduction", (long)reduction), .. attributes]);
}
