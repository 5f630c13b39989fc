using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Hooks on the layers of a network that hand over what each makes; gone when disposed.</summary>
internal sealed class LayerTaps : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> module;
    private readonly Action<string, Tensor> see;
    private readonly List<Action> removers = [];
    private readonly bool input, output;

    /// <param name="module">The network.</param>
    /// <param name="layers">Names; null for the input, all layers without children that can be tapped, and the output.</param>
    /// <param name="see">Takes the name of a layer and what it made.</param>
    public LayerTaps(nn.Module<Tensor, Tensor> module, IReadOnlyList<string>? layers, Action<string, Tensor> see)
    {
        (this.module, this.see) = (module, see);
        input = layers?.Contains(stability.Input) ?? true;
        output = layers?.Contains(stability.Output) ?? true;
        var taps = (layers is null ? Leaves(module) : Named(module, layers)).ToList();   // all checked before the first hook
        removers.AddRange(taps.Select(tap => Hook(tap.Layer, y => see(tap.Name, y))!));
    }

    public void Run(Tensor x)
    {
        if (input)
        {
            see(stability.Input, x);
        }

        var y = module.call(x);
        if (output)
        {
            see(stability.Output, y);
        }
    }

    public void Dispose() => removers.ForEach(remove => remove());

    private static IEnumerable<(string Name, nn.Module Layer)> Leaves(nn.Module module) =>
        module.named_modules().Where(child => !child.module.named_children().Any() && IsTappable(child.module)).DistinctBy(child => child.module);

    private static IEnumerable<(string Name, nn.Module Layer)> Named(nn.Module module, IReadOnlyList<string> layers)
    {
        if (layers.Count == 0)
        {
            throw new ArgumentException("expected names of layers, got none", nameof(layers));
        }

        foreach (var name in layers.Distinct().Where(name => name is not (stability.Input or stability.Output)))
        {
            var layer = module.named_modules().FirstOrDefault(child => child.name == name).module;
            if (layer is null)
            {
                var names = string.Join(", ", module.named_modules().Select(child => child.name).Prepend(stability.Output).Prepend(stability.Input));
                throw new ArgumentException($"expected layers among {names}, got \"{name}\"", nameof(layers));
            }

            if (!IsTappable(layer))
            {
                throw new ArgumentException($"expected layers that make one tensor of one to three, got \"{name}\", a {layer.GetType().Name}", nameof(layers));
            }

            yield return (name, layer);
        }
    }

    private static bool IsTappable(nn.Module layer) =>
        layer is nn.Module<Tensor, Tensor> or nn.Module<Tensor, Tensor, Tensor> or nn.Module<Tensor, Tensor, Tensor, Tensor>;

    private static Action? Hook(nn.Module layer, Action<Tensor> see)
    {
        return layer switch
        {
            nn.Module<Tensor, Tensor> one => one.register_forward_hook((_, _, y) => Seen(y)).remove,
            nn.Module<Tensor, Tensor, Tensor> two => two.register_forward_hook((_, _, _, y) => Seen(y)).remove,
            nn.Module<Tensor, Tensor, Tensor, Tensor> three => three.register_forward_hook((_, _, _, _, y) => Seen(y)).remove,
            _ => null,
        };

        Tensor Seen(Tensor y)
        {
            see(y);
            return y;
        }
    }
}
