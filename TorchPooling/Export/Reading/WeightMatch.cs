using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Which tensors of a file go where in a module, and which do not fit.</summary>
internal sealed class WeightMatch
{
    private const string Count = "num_batches_tracked";

    private readonly Dictionary<string, Tensor> file;
    private readonly List<(string, Tensor, Tensor)> fitting = [];
    private readonly List<string> left = [];

    public WeightMatch(nn.Module module, nn.Module script)
    {
        file = ModuleTensors.All(script).ToDictionary(item => item.Name, item => item.Value);
        var names = new HashSet<string>();
        foreach (var aliases in ModuleTensors.All(module).GroupBy(item => Memory(item.Value)))
        {
            names.UnionWith(aliases.Select(item => item.ScriptName));
            Place([.. aliases]);
        }

        left.AddRange(file.Where(item => !names.Contains(item.Key)).Select(item => $"unexpected, the module has no {item.Key}: {Describe(item.Value)}"));
    }

    /// <summary>The module's tensors, each with the one of the file that belongs into it.</summary>
    public IReadOnlyList<(string Name, Tensor Target, Tensor Source)> Fitting => fitting;

    /// <summary>A line for each name of either side that fits nothing on the other.</summary>
    public IReadOnlyList<string> Left => left;

    /// <summary>Both sides have tensors, and none goes where another is: names with a prefix, or a file of another model.</summary>
    public bool NothingFits => fitting.Count == 0 && file.Count > 0 && left.Count > 0;

    /// <summary>Finds the source of one tensor of the module, which may have several names.</summary>
    private void Place(ModuleTensor[] aliases)
    {
        var target = aliases[0].Value;
        var found = aliases.Where(item => file.ContainsKey(item.ScriptName)).Select(item => (item.Name, Source: file[item.ScriptName])).ToList();
        if (found.Count == 0)
        {
            if (aliases.Any(item => item.IsPersistent))
            {
                left.Add($"missing, the file has no {string.Join(" or ", aliases.Select(item => item.Name))}: {Describe(target)}");
            }

            return;
        }

        var wrong = found.Where(item => !Fits(item.Name, item.Source, target))
            .Select(item => $"different, {item.Name}: {Describe(item.Source)} in the file, {Describe(target)} in the module")
            .Concat(found.Skip(1).Where(item => !Same(item.Source, found[0].Source))
                .Select(item => $"different, {found[0].Name} and {item.Name}: two tensors in the file, one in the module")).ToList();
        left.AddRange(wrong);
        if (wrong.Count == 0)
        {
            fitting.Add((aliases[0].Name, target, found[0].Source));
        }
    }

    // TorchSharp makes the count of a batch norm in the dtype of its weights, PyTorch always as int64.
    private static bool Fits(string name, Tensor source, Tensor target) =>
        (source.dtype == target.dtype || (name.Split('.')[^1] == Count && IsOneNumber(source)))
        && (source.shape.SequenceEqual(target.shape) || (IsOneNumber(source) && IsOneNumber(target)));

    /// <summary>Shape () or (1): PyTorch has written either for the same.</summary>
    private static bool IsOneNumber(Tensor x) => x.dim() <= 1 && x.numel() == 1;

    private static bool Same(Tensor x, Tensor y) => Memory(x) == Memory(y)
        || (x.dtype == y.dtype && x.shape.SequenceEqual(y.shape) && ((x == y) | (x.isnan() & y.isnan())).all().ToBoolean());

    /// <summary>What is equal for tensors that share their elements through different wrappers.</summary>
    private static unsafe (nint, ScalarType, string) Memory(Tensor x) =>
        x.device_type == DeviceType.CPU && x.numel() > 0 && x.is_contiguous()
            ? ((nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(x.view(-1).narrow(0, 0, 1).bytes)), x.dtype, Check.Shape(x))
            : (x.Handle, x.dtype, "");

    private static string Describe(Tensor x) => $"{x.dtype} {Check.Shape(x)}";
}
