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
    private readonly Process process;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("benchmarks-");

    private PythonReference(Process process) => this.process = process;

    /// <summary>The process, or null and why there is none.</summary>
    public static PythonReference? Start(int threads, out string? missing)
    {
        var interpreter = Environment.GetEnvironmentVariable("TORCHPOOLING_PYTHON") ?? "/usr/bin/python3";
        try
        {
            var process = Process.Start(new ProcessStartInfo(interpreter, [Path.Combine(AppContext.BaseDirectory, "reference.py"), $"{threads}"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            var ready = process.StandardOutput.ReadLine();
            missing = ready == "ready" ? null : $"no PyTorch and torchvision in {interpreter} (set TORCHPOOLING_PYTHON)";
            if (missing is null)
            {
                return new(process);
            }

            process.Dispose();
        }
        catch (Win32Exception e)
        {
            missing = $"no {interpreter} (set TORCHPOOLING_PYTHON): {e.Message}";
        }

        return null;
    }

    /// <summary>Hands over the inputs of a case.</summary>
    public void Prepare(Case item, IEnumerable<(string Name, Tensor Value)> inputs)
    {
        var described = inputs.Select(input =>
        {
            var path = Path.Combine(folder.FullName, input.Name);
            File.WriteAllBytes(path, input.Value.contiguous().bytes.ToArray());
            return new { name = input.Name, path, shape = input.Value.shape };
        }).ToArray();
        Ask(JsonSerializer.Serialize(new { expression = item.Reference, backward = item.Backward, inputs = described }));
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
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
        folder.Delete(recursive: true);
    }

    private string Ask(string line)
    {
        process.StandardInput.WriteLine(line);
        process.StandardInput.Flush();
        return process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{process.StartInfo.FileName} ended; its error is above");
    }
}
