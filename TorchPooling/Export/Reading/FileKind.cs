using System.Text;

namespace TorchPooling;

/// <summary>What a file is that is no TorchScript file, by how it starts.</summary>
internal static class FileKind
{
    /// <summary>As many bytes as are looked at.</summary>
    public const int Looked = 64;

    public const string TorchSave =
        "a pickle of torch.save (state_dict or module); in Python, torch.jit.script(model).save(path) makes a TorchScript file";

    /// <summary>A description for the user, or null for a zip archive.</summary>
    /// <param name="start">The first bytes.</param>
    public static string? Other(ReadOnlySpan<byte> start) => start switch
    {
        [] => "it is empty (0 bytes)",
        [(byte)'P', (byte)'K', 3, 4, ..] when !start.HasMagic("PTMF") => null,
        [0x80, >= 2 and <= 5, ..] => $"it is {TorchSave}",
        _ when start.HasMagic("PTMF") => "it is a model for PyTorch Mobile; in Python, model.save(path) makes a TorchScript file",
        _ when start.StartsWith("PYTORCH1"u8) => "it was written by a preview of PyTorch 1.0",
        _ when start.StartsWith("version https://git-lfs"u8) => "it stands for a file in Git LFS; git lfs pull brings the file",
        [0x89, (byte)'H', (byte)'D', (byte)'F', ..] => "it is an HDF5 file",
        _ when start.StartsWith("GGUF"u8) => "it is a GGUF file",
        [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', ..] => "it is a NumPy array",
        [0x1f, 0x8b, ..] => "it is compressed with gzip",
        [_, _, _, _, _, 0, 0, 0, (byte)'{', ..] => "it is a safetensors file, which holds weights without code",
        [8, >= 1 and <= 20, 0x12, ..] => "it looks like an ONNX model",
        _ when IsModuleSave(start) => "it is the format of TorchSharp's module.save, which module.load(path) reads",
        _ when start.TrimStart(" \r\n\t"u8) is [(byte)'<', ..] => "it is a web page or XML",
        _ => $"it is no zip archive, it starts with {Show(start)}",
    };

    private static bool HasMagic(this ReadOnlySpan<byte> start, string magic) =>
        start.Length >= 8 && start[4..8].SequenceEqual(Encoding.ASCII.GetBytes(magic));

    /// <summary>A count of at most two bytes and a name with its length, which for most modules has a dot.</summary>
    private static bool IsModuleSave(ReadOnlySpan<byte> start)
    {
        var at = start[0] < 0x80 ? 1 : 2;
        return start.Length > at && start[0] > 0 && start[at] is > 0 and < 60 && start.Length > at + 1 + start[at]
            && start.Slice(at + 1, start[at]).IndexOfAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."u8) < 0;
    }

    private static string Show(ReadOnlySpan<byte> start)
    {
        var first = start[..Math.Min(8, start.Length)];
        return first.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0
            ? $"\"{Encoding.ASCII.GetString(first)}\""
            : $"the bytes {Convert.ToHexString(first)}";
    }
}
