using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Trains a module for a picture, on the photograph alone.</summary>
internal static class Training
{
    public static void Run(nn.Module pool, double rate, int steps, Func<Tensor> loss) => Run(pool.parameters(), rate, steps, loss);

    public static void Run(IEnumerable<Parameter> parameters, double rate, int steps, Func<Tensor> loss)
    {
        using var adam = optim.Adam(parameters, rate);
        for (var step = 0; step < steps; step++)
        {
            using var pass = NewDisposeScope();
            adam.zero_grad();
            loss().backward();
            adam.step();
        }
    }
}
