using TorchSharp.Modules;
using static TorchPooling.ScriptForms;

namespace TorchPooling;

internal static class DropoutForms
{
    public static void Add()
    {
        ScriptForms.Add<Dropout>(m => Drop("dropout", m.p, m.inplace));
        ScriptForms.Add<AlphaDropout>(m => Drop("alpha_dropout", m.p, m.inplace));
        ScriptForms.Add<FeatureAlphaDropout>(m => Drop("feature_alpha_dropout", m.p, m.inplace));
        ScriptForms.Add<Dropout2d>(m => Drop("feature_dropout", m.p, m.inplace));
        ScriptForms.Add<Dropout3d>(m => Drop("feature_dropout", m.p, m.inplace));
        ScriptForms.Add<Dropout1d>(m => Line(
            $"torch.{"feature_dropout".InPlace(m.inplace)}(x.unsqueeze(-1), self.p, self.training).squeeze(-1)", ("p", m.p)));
    }

    private static ScriptDefinition Drop(string function, double p, bool inplace) =>
        Line($"torch.{function.InPlace(inplace)}(x, self.p, self.training)", ("p", p));
}
