using TorchPooling;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>The TorchScript form of a module as a contestant.</summary>
internal static class Exported
{
    public static Contestant Of(nn.Module<Tensor, Tensor> module, Tensor example)
    {
        var script = Load(path => torchscript.save(module, path, example), path => torchscript.load<Tensor, Tensor>(path, example.device), module);
        return new(Contestant.Script, t => script.call(t[0]));
    }

    public static Contestant Of(nn.Module<Tensor, Tensor, Tensor> module, Tensor example, Tensor second)
    {
        var script = Load(
            path => torchscript.save(module, path, example, second), path => torchscript.load<Tensor, Tensor, Tensor>(path, example.device), module);
        return new(Contestant.Script, t => script.call(t[0], t[1]));
    }

    private static T Load<T>(Action<string> save, Func<string, T> load, nn.Module module)
        where T : nn.Module
    {
        var path = Path.GetTempFileName();
        try
        {
            save(path);
            var script = load(path);
            script.train(module.training);
            return script;
        }
        finally
        {
            File.Delete(path);
        }
    }
}
