using System.Text.RegularExpressions;
using TorchPooling.Tests.Build;

namespace TorchPooling.Tests;

/// <summary>No forward waits for a GPU: what brings a value to the CPU, or makes a shape from values, stands nowhere in the code of the
/// layers but where it is listed here, with the reason.</summary>
public partial class SynchronizationTests
{
    /// <summary>Ways to wait, in C# and in TorchScript.</summary>
    [GeneratedRegex(@"\.item(<|\()|\.To(Boolean|Byte|Int16|Int32|Int64|Half|Single|Double|Scalar)\(\)|\.cpu\(|\.data<|\.bytes\b|\.tolist\(|nonzero|masked_select|unique|bincount|argwhere|repeat_interleave|\bbool\(|\bint\((?!\d)|\.equal\(|allclose")]
    private static partial Regex Wait();

    private static readonly string[] Layers = ["Backbones", "Channels", "Global", "Inverse", "Local", "Pyramids", "Regions", "VladFamily"];

    // Before the training: they start a layer from data, and are no part of a forward.
    private static readonly string[] Starts = ["KMeans.cs", "KMeans.distances.cs", "ClusterMeasures.cs", "ClusterPooling.cs", "NeXtVLAD.cs"];

    private const string QuickWindows = "on a CPU alone: where Window2d.IsQuick says so";

    /// <summary>File, a part of the line, and why it may stand there.</summary>
    private static readonly (string File, string Line, string Reason)[] Allowed =
    [
        ("L2Normalize.cs", "if (!(squares > Held(1e24)).any().ToBoolean())", "on a CPU alone: squared_norm is not called else"),
        ("L2Normalize.cs", "if bool(torch.any(squares > 1e24)):", "on a CPU alone: squared_norm is not called else"),
        ("CenterWeightedAvgPool2d.cs", "bool(whole.detach().amin([0, 1, 2, 3]) > 1e-30)", QuickWindows),
        ("PowerPool2d.cs", "if self.quick(wide) and bool(p >= 1)", QuickWindows),
        ("PowerPool2d.cs", "square = bool(p == 2)", QuickWindows),
        ("PowerPool2d.cs", "var number = p.ToSingle()", QuickWindows),
        ("SoftPool2d.cs", "bool(weight.detach().amin([0, 1, 2, 3]) > 1e-30)", QuickWindows),
        ("SoftPool2d.cs", "float.IsFinite(y.detach().sum().ToSingle())", QuickWindows),
        ("Window2d.cs", "sums.amax(All).ToSingle() < 1e37f", QuickWindows),
        ("Window2d.cs", "clamp_min_(Held(0)).mul_(sizes().detach()).amax(All).ToSingle() == 0", QuickWindows),
        ("Window2d.cs", "return least.ToSingle()", QuickWindows),
        ("Window2d.cs", "bool(sums.amax([0, 1, 2, 3]) < 1e+37)", QuickWindows),
        ("Window2d.cs", "bool(sums.amin([0, 1, 2, 3]) > 1e-30)", QuickWindows),
        ("Window2d.cs", "return bool(torch.rsub(sums, 1e-30)", QuickWindows),
        ("Maxima.cs", "levels.tolist()", "of numbers that are on the CPU"),
        ("SwitchedMaxPool2d.cs", "switches.masked_select(", "on a CPU alone: CheckSwitches is not called else"),
        ("SwitchedMaxPool2d.cs", "outside[0].item<long>()", "of a message"),
        ("pooling.mutual_matches.cs", "matches.device_type == DeviceType.CPU &&", "on a CPU alone"),
        ("pooling.mutual_matches.cs", "throw new ArgumentException($\"expected matches below", "of a message"),
        ("RegionFinder.cs", "-int(-(self.share * float(h * w)", "of numbers, not of tensors"),
        ("Regions.cs", "if (!good.all().ToBoolean())", "on a CPU alone: Finite is not called else"),
        ("Regions.cs", "good.to(ScalarType.Int32).argmin().ToInt64()", "of a message"),
        ("Regions.cs", "MemoryMarshal.Cast<byte, double>(boxes[row]", "of a message"),
        ("Regions.script.cs", "if not boxes.is_cuda and not bool(", "on a CPU alone"),
        ("Regions.align.cs", "if outside.is_cuda or bool(", "on a CPU alone"),
        ("Regions.align.cs", "torch.repeat_interleave(count.flatten(), output_size=total)", "the size is given"),
        ("Regions.align.cs", "torch.repeat_interleave(length.flatten(), output_size=weight.size(0))", "the size is given"),
        ("Regions.align.cs", "totals = torch.stack(counts).cpu()", "as many pixels as the boxes hold: the operator's meaning, once"),
        ("Regions.align.cs", "int(totals[", "already on the CPU"),
        ("Regions.bags.cs", "torch.repeat_interleave(tall, output_size=rows)", "the size is given"),
        ("Regions.bags.cs", "torch.repeat_interleave(length, output_size=entries[-1])", "the size is given"),
        ("Regions.bags.cs", "totals = torch.stack(counts).cpu()", "as many pixels as the boxes hold: the operator's meaning, once"),
        ("Regions.bags.cs", "int(totals[", "already on the CPU"),
        ("Regions.bags.cs", "torch.searchsorted(totals[1]", "already on the CPU"),
        ("Regions.maxima.cs", "windows = int(totals[", "already on the CPU"),
        ("Regions.maxima.cs", "int(totals[1, -1])", "already on the CPU"),
    ];

    private static IEnumerable<(string File, string Line)> Waits =>
        from folder in Layers
        from path in Directory.GetFiles(Path.Combine(Dotnet.Repository, "TorchPooling", folder), "*.cs")
        let file = Path.GetFileName(path)
        where !Starts.Contains(file)
        from line in File.ReadLines(path)
        where !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && Wait().IsMatch(line)
        select (file, line.Trim());

    [Fact]
    public void What_waits_for_a_GPU_is_listed_with_its_reason() => Assert.Empty(
        Waits.Where(wait => !Allowed.Any(allowed => allowed.File == wait.File && wait.Line.Contains(allowed.Line, StringComparison.Ordinal)))
            .Select(wait => $"{wait.File}: {wait.Line}"));

    [Fact]
    public void What_is_listed_is_there() => Assert.Empty(
        Allowed.Where(allowed => !Waits.Any(wait => allowed.File == wait.File && wait.Line.Contains(allowed.Line, StringComparison.Ordinal)))
            .Select(allowed => $"{allowed.File}: {allowed.Line}"));
}
