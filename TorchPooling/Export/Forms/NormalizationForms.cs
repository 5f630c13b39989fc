using TorchSharp.Modules;
using static TorchPooling.ScriptForms;

namespace TorchPooling;

internal static class NormalizationForms
{
    public static void Add()
    {
        ScriptForms.Add<BatchNorm1d>(Batch);
        ScriptForms.Add<BatchNorm2d>(Batch);
        ScriptForms.Add<BatchNorm3d>(Batch);
        ScriptForms.Add<InstanceNorm1d>(m => Instance(m, 2));
        ScriptForms.Add<InstanceNorm2d>(m => Instance(m, 3));
        ScriptForms.Add<InstanceNorm3d>(m => Instance(m, 4));
        ScriptForms.Add<LayerNorm>(m => Line(
            "torch.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps, True)",
            [.. Absent(("weight", m.weight), ("bias", m.bias)), ("normalized_shape", m.normalized_shape), ("eps", m.eps)]));
        ScriptForms.Add<GroupNorm>(m => Line(
            "torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps, True)",
            [.. Absent(("weight", m.weight), ("bias", m.bias)), ("num_groups", m.num_groups), ("eps", m.eps)]));
        ScriptForms.Add<LocalResponseNorm>(ResponseNorm);
    }

    private static ScriptDefinition Batch(BatchNorm norm)
    {
        var counts = norm.track_running_stats && norm.num_batches_tracked is not null;
        var cumulative = counts && norm.momentum is null;   // an average over all batches
        var batch = norm.running_mean is null && norm.running_var is null ? "True" : "self.training";
        var statistics = norm.track_running_stats
            ? "self.running_mean, self.running_var"
            : "None if self.training else self.running_mean, None if self.training else self.running_var";
        return new(
            "def forward(self, x: Tensor) -> Tensor:\n"
            + (counts ? "    if self.training:\n        self.num_batches_tracked.add_(1)\n" : "")
            + (cumulative ? "    momentum = 1.0 / float(self.num_batches_tracked.item()) if self.training else 0.0\n" : "")
            + $"    return torch.batch_norm(x, self.weight, self.bias, {statistics}, {batch}, {(cumulative ? "momentum" : "self.momentum")}, self.eps, True)",
            [.. Statistics(norm), .. cumulative ? Array.Empty<(string, object?)>() : [("momentum", norm.momentum ?? 0.0)], ("eps", norm.eps)]);
    }

    private static ScriptDefinition Instance(InstanceNorm norm, int batched) => new(
        $"""
        def forward(self, x: Tensor) -> Tensor:
            y = x.unsqueeze(0) if x.dim() == {batched} else x
            y = torch.instance_norm(y, self.weight, self.bias, self.running_mean, self.running_var, {(norm.track_running_stats ? "self.training" : "True")}, self.momentum, self.eps, True)
            return y.squeeze(0) if x.dim() == {batched} else y
        """,
        [.. Statistics(norm), ("momentum", norm.momentum ?? 0.1), ("eps", norm.eps)]);

    private static (string, object?)[] Statistics(NormBase norm) => Absent(
        ("weight", norm.weight), ("bias", norm.bias), ("running_mean", norm.running_mean), ("running_var", norm.running_var));

    private static ScriptDefinition ResponseNorm(LocalResponseNorm norm) => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            squares = x.mul(x).unsqueeze(1).flatten(3)  # (N, 1, C, positions)
            around = [0, 0, self.size // 2, (self.size - 1) // 2]
            mean = torch.avg_pool2d(torch.constant_pad_nd(squares, around), [self.size, 1], [1, 1])
            return x / mean.squeeze(1).view(x.size()).mul(self.alpha).add(self.k).pow(self.beta)
        """,
        ("size", norm.size), ("alpha", norm.alpha), ("beta", norm.beta), ("k", norm.k));
}
