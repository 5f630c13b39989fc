using System.Diagnostics;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>The Python with PyTorch that independent values come from: TORCHPOOLING_PYTHON, else /usr/bin/python3.</summary>
internal static class Python
{
    private static readonly string Interpreter = Environment.GetEnvironmentVariable("TORCHPOOLING_PYTHON") ?? "/usr/bin/python3";

    /// <summary>Why the comparison with PyTorch cannot run here; null where it can.</summary>
    public static string? Missing { get; } = Probe("PyTorch", "torch, torchvision");

    /// <summary>Why the comparison with Faiss cannot run here; null where it can.</summary>
    public static string? MissingFaiss { get; } = Probe("Faiss", "faiss, numpy");

    /// <summary>Runs a script; fails with what it printed unless it ends with exit code 0.</summary>
    public static string Run(string script, params string[] arguments)
    {
        var (code, output, error) = Start(["-c", script, .. arguments]);
        Assert.True(code == 0, $"{Interpreter} ended with {code}:\n{output}\n{error}");
        return output;
    }

    /// <summary>Writes the elements as raw row-major bytes, for <c>numpy.fromfile</c>.</summary>
    public static string Write(string folder, string name, Tensor values)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, values.detach().cpu().contiguous().bytes.ToArray());
        return path;
    }

    /// <summary>Reads what <c>numpy.ndarray.tofile</c> wrote as float32.</summary>
    public static Tensor Read(string path, params long[] shape)
    {
        var bytes = File.ReadAllBytes(path);
        var values = new float[bytes.Length / sizeof(float)];
        Buffer.BlockCopy(bytes, 0, values, 0, bytes.Length);
        return tensor(values).reshape(shape);
    }

    private static string? Probe(string name, string modules)
    {
        try
        {
            var (code, _, error) = Start(["-c", $"import {modules}"]);
            return code == 0 ? null : $"no {name} in {Interpreter} (set TORCHPOOLING_PYTHON): {error.Trim().Split('\n')[^1]}";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return $"no {Interpreter} (set TORCHPOOLING_PYTHON): {e.Message}";
        }
    }

    private static (int Code, string Output, string Error) Start(IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Interpreter, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}

/// <summary>A test that compares with PyTorch; shown as skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PyTorchFactAttribute : FactAttribute
{
    public PyTorchFactAttribute() => Skip = Python.Missing;
}

/// <summary>The same for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PyTorchTheoryAttribute : TheoryAttribute
{
    public PyTorchTheoryAttribute() => Skip = Python.Missing;
}

/// <summary>A test that compares with NumPy and Faiss; shown as skipped, with the reason, where they are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FaissFactAttribute : FactAttribute
{
    public FaissFactAttribute() => Skip = Python.MissingFaiss;
}
