using TorchSharp;

namespace TorchPooling;

/// <summary>Numbers on their way into TorchScript.</summary>
internal static class ScriptNumbers
{
    /// <summary>Calls with the same arguments, numbers as Scalars that live until the call is over: TorchSharp makes its own of a long or
    /// a double and holds none, so that a garbage collection may free it before libtorch has read it.</summary>
    public static T Held<T>(object?[] arguments, Func<object?[], T> call)
    {
        var held = Array.ConvertAll(arguments, value => value switch
        {
            long number => (Scalar)number,
            double number => (Scalar)number,
            float number => (Scalar)number,
            _ => value,
        });
        try
        {
            return call(held);
        }
        finally
        {
            for (var i = 0; i < held.Length; i++)
            {
                if (arguments[i] is long or double or float)
                {
                    ((Scalar)held[i]!).Dispose();
                }
            }
        }
    }
}
