using TorchSharp.Modules;
using static TorchPooling.ScriptForms;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Activations. One that works in place does so in TorchScript too: a residual that reads its input sees the same.</summary>
internal static class ActivationForms
{
    public static void Add()
    {
        ScriptForms.Add<ReLU>(m => Line($"torch.{"relu".InPlace(m.inplace)}(x)"));
        ScriptForms.Add<ReLU6>(m => Line($"torch.{"hardtanh".InPlace(m.inplace)}(x, 0.0, 6.0)"));
        ScriptForms.Add<RReLU>(m => Line(   // TorchSharp takes the mean slope in training too
            $"torch.{"rrelu".InPlace(m.inplace)}(x, self.lower, self.upper)", ("lower", m.lower), ("upper", m.upper)));
        ScriptForms.Add<LeakyReLU>(m => Line(
            $"torch.{"leaky_relu".InPlace(m.inplace)}(x, self.negative_slope)", ("negative_slope", m.negative_slope)));
        ScriptForms.Add<PReLU>(_ => Line("torch.prelu(x, self.weight)"));
        ScriptForms.Add<ELU>(m => Line("torch.elu(x, self.alpha)", ("alpha", m.alpha)));   // TorchSharp's elu_ does not work in place
        ScriptForms.Add<CELU>(m => Line($"torch.{"celu".InPlace(m.inplace)}(x, self.alpha)", ("alpha", m.alpha)));
        ScriptForms.Add<SELU>(m => Line($"torch.{"selu".InPlace(m.inplace)}(x)"));
        ScriptForms.Add<GELU>(m => Line(
            $"torch.{"gelu".InPlace(m.inplace)}(x, approximate=self.approximate)", ("approximate", m.approximate.ToString())));
        ScriptForms.Add<SiLU>(m => Line($"torch.{"silu".InPlace(m.inplace)}(x)"));
        ScriptForms.Add<Mish>(m => Line($"x.{"mul".InPlace(m.inplace)}(torch.softplus(x).tanh())"));
        ScriptForms.Add<Sigmoid>(m => Line($"torch.{"sigmoid".InPlace(m.inplace)}(x)"));
        ScriptForms.Add<Hardsigmoid>(m => Line($"torch.{"hardsigmoid".InPlace(m.inplace)}(x)"));
        ScriptForms.Add<Hardswish>(m => Line($"torch.{"hardswish".InPlace(m.inplace)}(x)"));
        ScriptForms.Add<Tanh>(m => Line($"torch.{"tanh".InPlace(m.inplace)}(x)"));
        ScriptForms.Add<Hardtanh>(m => Clamps(m)
            ? Line($"torch.{"hardtanh".InPlace(m.inplace)}(x, self.min_val, self.max_val)", ("min_val", m.min_val), ("max_val", m.max_val))
            : throw new NotSupportedException("TorchSharp's Hardtanh gives back its input as it was, unless inplace is true"));
        ScriptForms.Add<Tanhshrink>(m => Line($"x.{"sub".InPlace(m.inplace)}(torch.tanh(x))"));
        ScriptForms.Add<Threshold>(m => Line(
            $"torch.{"threshold".InPlace(m.inplace)}(x, self.threshold, self.value)", ("threshold", m.threshold), ("value", m.value)));
        ScriptForms.Add<Softsign>(m => Line($"x.{"div".InPlace(m.inplace)}(1 + x.abs())"));
        ScriptForms.Add<Softplus>(m => Line("torch.softplus(x, self.beta, self.threshold)", ("beta", m.beta), ("threshold", m.threshold)));
        ScriptForms.Add<Softshrink>(m => Line("torch.softshrink(x, self.lambd)", ("lambd", m.lambda)));
        ScriptForms.Add<Hardshrink>(m => Line("torch.hardshrink(x, self.lambd)", ("lambd", m.lambda)));
        ScriptForms.Add<LogSigmoid>(_ => Line("torch.log_sigmoid(x)"));
        ScriptForms.Add<GLU>(m => Line("torch.glu(x, self.dim)", ("dim", m.dim)));
        ScriptForms.Add<Softmax>(m => Line("torch.softmax(x, self.dim)", ("dim", m.dim)));
        ScriptForms.Add<Softmax2d>(_ => Line("torch.softmax(x, -3)"));
        ScriptForms.Add<Softmin>(m => Line("torch.softmax(-x, self.dim)", ("dim", m.dim)));
        ScriptForms.Add<LogSoftmax>(m => Line("torch.log_softmax(x, self.dim)", ("dim", m.dim)));
    }

    private static bool Clamps(Hardtanh module)
    {
        using var scope = NewDisposeScope();
        return module.forward(tensor(module.max_val + 1)).ToDouble() <= module.max_val;
    }
}
