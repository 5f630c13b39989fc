using static TorchSharp.torch;

namespace Experiments;

internal static class Devices
{
    /// <summary>The device of a run, checked, and the number of threads of its CPU.</summary>
    /// <param name="name">As <see cref="Find"/> takes it.</param>
    /// <param name="threads">0 for as many as torch takes.</param>
    public static Device Use(string name, int threads)
    {
        UserException.ThrowUnless(threads >= 0, $"--threads: expected 1 or more, or 0 for all, got {threads}");
        var device = Find(name);
        if (threads > 0)
        {
            set_num_threads(threads);
        }

        return device;
    }

    /// <summary>Seeds what is drawn on the CPU and on every GPU; TorchSharp's own manual_seed is the CPU's alone.</summary>
    public static void Seed(long seed)
    {
        manual_seed(seed);
        if (cuda.is_available())
        {
            cuda.manual_seed_all(seed);
        }
    }

    /// <summary>cpu, cuda or cuda:N, checked.</summary>
    public static Device Find(string name)
    {
        if (name == "cpu")
        {
            return CPU;
        }

        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name[5..], out _)))
        {
            throw new UserException($"--device: expected cpu, cuda or cuda:N, got '{name}'");
        }

        return cuda.is_available()
            ? device(name)
            : throw new UserException($"--device {name}: no CUDA device is available (was it built with -p:TorchBackend=cuda-linux or cuda-windows?)");
    }
}
