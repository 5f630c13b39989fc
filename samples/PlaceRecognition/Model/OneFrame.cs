using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Model;

/// <summary>Gives a map (N, C, H, W) to a layer for videos, as a video of one frame.</summary>
internal sealed class OneFrame : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor> pool;

    public OneFrame(nn.Module<Tensor, Tensor> pool)
        : base(nameof(OneFrame))
    {
        this.pool = pool;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var video = x.unsqueeze(1);
        return pool.call(video);
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.pool.forward(x.unsqueeze(1))
        """);
}
