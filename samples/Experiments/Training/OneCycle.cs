namespace Experiments.Training;

/// <summary>A learning rate that rises in a straight line for a quarter of the training, then falls in one to 0.</summary>
/// <remarks>Smith, Topin: Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates, 2017.</remarks>
internal static class OneCycle
{
    private const double Rise = 0.25;

    /// <param name="done">Share of the training that lies behind, from 0 to 1.</param>
    /// <param name="peak">The largest rate.</param>
    public static double Rate(double done, double peak) => peak * (done < Rise ? (0.05 + (0.95 * done / Rise)) : (1 - done) / (1 - Rise));
}
