using TorchSharp.Modules;
using static TorchPooling.ScriptForms;

namespace TorchPooling;

internal static class LinearForms
{
    public static void Add()
    {
        ScriptForms.Add<Linear>(m => Line("torch.linear(x, self.weight, self.bias)", Absent(("bias", m.bias))));
        ScriptForms.Add<Bilinear>(m => Pair("torch.bilinear(x1, x2, self.weight, self.bias)", Absent(("bias", m.bias))));
        ScriptForms.Add<CosineSimilarity>(m => Pair("torch.cosine_similarity(x1, x2, self.dim, self.eps)", ("dim", m.dim), ("eps", m.eps)));
        ScriptForms.Add<PairwiseDistance>(m => Pair(
            "torch.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)", ("norm", m.norm), ("eps", m.eps), ("keepdim", m.keepdim)));
    }

    private static ScriptDefinition Pair(string expression, params (string, object?)[] attributes) =>
        new($"def forward(self, x1: Tensor, x2: Tensor) -> Tensor:\n    return {expression}", attributes);
}
