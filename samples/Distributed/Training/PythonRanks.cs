using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Distributed.Training;

/// <summary>Runs finetune.py as several processes of this machine, the ranks, which find each other through the environment.</summary>
/// <param name="gpu">One GPU for each rank; CPU only where false.</param>
/// <param name="output">Takes what the ranks print.</param>
internal sealed class PythonRanks(string python, bool gpu, TextWriter output)
{
    /// <summary>The interpreter can be started and has what finetune.py imports.</summary>
    public void Check()
    {
        const string Missing = "import importlib.util as u, sys; sys.exit(', '.join(f'no {m}' for m in ('torch', 'torchvision') if not u.find_spec(m)) or 0)";
        using var process = Start(["-c", Missing], []);
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new UserException($"--python: expected a Python with torch and torchvision, got {python}, exit code {process.ExitCode}: {LastLine(error)}");
        }
    }

    /// <summary>Starts all ranks and waits for them; the first that fails, or a cancellation, ends them all.</summary>
    public void Run(int processes, IReadOnlyList<string> arguments, CancellationToken cancellation = default)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "finetune.py");
        var port = FreePort();
        var ranks = new List<Rank>();
        using var ended = new BlockingCollection<Rank>();
        try
        {
            for (var number = 0; number < processes; number++)
            {
                ranks.Add(new(number, Start([script, .. arguments], Environment(number, processes, port)), output, ended.Add));
            }

            for (var left = processes; left > 0; left--)
            {
                var rank = ended.Take(cancellation);
                cancellation.ThrowIfCancellationRequested();   // Ctrl+C reaches the ranks too
                rank.ThrowIfFailed();
            }
        }
        finally
        {
            foreach (var rank in ranks)
            {
                rank.Dispose();
            }
        }
    }

    /// <summary>What torchrun would set.</summary>
    private Dictionary<string, string> Environment(int rank, int processes, int port)
    {
        var environment = new Dictionary<string, string>
        {
            ["RANK"] = Text(rank),
            ["LOCAL_RANK"] = Text(rank),
            ["WORLD_SIZE"] = Text(processes),
            ["MASTER_ADDR"] = "127.0.0.1",
            ["MASTER_PORT"] = Text(port),
            ["OMP_NUM_THREADS"] = Text(Math.Max(1, System.Environment.ProcessorCount / processes)),   // ranks share the cores
        };
        if (!gpu)
        {
            environment["CUDA_VISIBLE_DEVICES"] = "";
        }

        return environment;

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    private Process Start(IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new UserException($"--python: {python} cannot be started: {e.Message}", e);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string LastLine(string text) => text.Trim().Split('\n')[^1].Trim();

    /// <summary>One process; disposing ends it.</summary>
    private sealed class Rank : IDisposable
    {
        private readonly int number;
        private readonly Process process;
        private readonly TextWriter output;
        private readonly StringBuilder error = new();

        public Rank(int number, Process process, TextWriter output, Action<Rank> onEnd)
        {
            (this.number, this.process, this.output) = (number, process, output);
            process.OutputDataReceived += (_, line) => Forward(line.Data);
            process.ErrorDataReceived += (_, line) => error.AppendLine(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            process.Exited += (_, _) => onEnd(this);
            process.EnableRaisingEvents = true;
        }

        public void ThrowIfFailed()
        {
            process.WaitForExit();   // until all that it printed is here
            Forward(error.ToString().TrimEnd());
            if (process.ExitCode != 0)
            {
                var reason = LastLine(error.ToString()).Replace($"rank {number}: ", "", StringComparison.Ordinal);
                throw new UserException($"rank {number} of finetune.py ended with exit code {process.ExitCode}: {reason}");
            }
        }

        public void Dispose()
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }

        private void Forward(string? text)
        {
            lock (output)
            {
                if (!string.IsNullOrEmpty(text))
                {
                    output.WriteLine(text);
                }
            }
        }
    }
}
