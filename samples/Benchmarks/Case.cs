using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>One operator on one input.</summary>
/// <param name="Operator">What the goals speak of.</param>
/// <param name="Setting">The input.</param>
/// <param name="Make">Makes inputs and contestants, when the case runs; within a dispose scope that closes after it.</param>
internal sealed record Case(string Operator, Setting Setting, Func<Setting, Scene> Make)
{
    /// <summary>Shown in the table, and what --filter looks into.</summary>
    public string Name => $"{Operator}, {Setting}";

    /// <summary>The same on another device.</summary>
    public Case On(string device) => this with { Setting = Setting with { Device = new(device) } };
}

/// <summary>What runs in turns on the same inputs.</summary>
/// <param name="Inputs">The first takes a gradient; others take one where they require it, and keep it between rounds.</param>
/// <param name="Contestants">Ours first.</param>
internal sealed record Scene(Tensor[] Inputs, params Contestant[] Contestants)
{
    /// <summary>Names of the inputs in Python expressions.</summary>
    public string[] Names { get; init; } = ["x"];
}

/// <summary>One way to compute it.</summary>
/// <param name="Name">A column of the table, and what the goals speak of.</param>
/// <param name="Run">Computes it from the inputs in C#; null for <see cref="Python"/>.</param>
internal sealed record Contestant(string Name, Func<Tensor[], Tensor>? Run)
{
    /// <summary>The operator of the library: the first of each scene.</summary>
    public const string Ours = "TorchPooling";

    /// <summary>Its TorchScript form.</summary>
    public const string Script = "TorchScript";

    /// <summary>The same in PyTorch 1.13 or later: an expression over the inputs' names, torch, F (torch.nn.functional) and ops
    /// (torchvision.ops), timed in a Python process.</summary>
    public string? Python { get; init; }

    /// <summary>Whether it has to give the same outputs and gradients as ours: a part of the work does not, and what draws random
    /// numbers draws others.</summary>
    public bool IsSame { get; init; } = true;

    /// <summary>Whether it is what no form of the operator can do without: the goals tell what it would reach.</summary>
    public bool IsFloor { get; init; }
}
