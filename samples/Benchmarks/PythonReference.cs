using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>A Python process that times the reference on the same inputs: TORCHPOOLING_PYTHON, else /usr/bin/python3.</summary>
internal sealed class PythonReference : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("benchmarks-");
    private readonly Lazy<(Process? Process, string? Missing)> started;

    /// <param name="threads">Threads that PyTorch takes.</param>
    /// <param name="device">cpu or cuda.</param>
    public PythonReference(int threads, string device) => started = new(() => Start(threads, device));

    /// <summary>Why there is none; null where there is.</summary>
    public string? Missing => started.Value.Missing;

    private Process Process => started.Value.Process!;

    /// <summary>Hands over an expression and its inputs.</summary>
    public void Prepare(string expression, bool backward, IEnumerable<(string Name, Tensor Value)> inputs)
    {
        var described = inputs.Select(input =>
        {
            var path = Path.Combine(folder.FullName, input.Name);
            File.WriteAllBytes(path, input.Value.detach().cpu().contiguous().bytes.ToArray());
            return new { name = input.Name, path, shape = input.Value.shape };
        }).ToArray();
        Ask(JsonSerializer.Serialize(new { expression, backward, inputs = described }));
    }

    /// <summary>Runs the case once; its output and, with <paramref name="gradient"/>, the gradient of the first input, both flat.</summary>
    public (Tensor Output, Tensor? Gradient) Results(bool gradient)
    {
        var paths = new[] { "result-y", "result-gradient" }.Select(name => Path.Combine(folder.FullName, name)).ToArray();
        Ask(JsonSerializer.Serialize(new { check = paths }));
        return (Read(paths[0]), gradient ? Read(paths[1]) : null);

        static Tensor Read(string path) => tensor(MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path)).ToArray());
    }

    /// <summary>One round, in milliseconds.</summary>
    public double Run() => double.Parse(Ask("\"run\""), CultureInfo.InvariantCulture);

    public void Dispose()
    {
        if (started.IsValueCreated && started.Value.Process is { } process)
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }

        folder.Delete(recursive: true);
    }

    private string Ask(string line)
    {
        Process.StandardInput.WriteLine(line);
        Process.StandardInput.Flush();
        return Process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{Process.StartInfo.FileName} ended; its error is above");
    }

    private static (Process?, string?) Start(int threads, string device)
    {
        var interpreter = Environment.GetEnvironmentVariable("TORCHPOOLING_PYTHON") ?? "/usr/bin/python3";
        try
        {
            var process = Process.Start(new ProcessStartInfo(interpreter, [Path.Combine(AppContext.BaseDirectory, "reference.py"), $"{threads}", device])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            if (process.StandardOutput.ReadLine() == "ready")
            {
                return (process, null);
            }

            process.Dispose();
            return (null, $"no PyTorch and torchvision for {device} in {interpreter} (set TORCHPOOLING_PYTHON)");
        }
        catch (Win32Exception e)
        {
            return (null, $"no {interpreter} (set TORCHPOOLING_PYTHON): {e.Message}");
        }
    }
}
