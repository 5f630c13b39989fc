namespace Experiments.Training;

/// <summary>A training that diverges ends there: what follows would be NaN.</summary>
internal static class FiniteLoss
{
    /// <param name="when">Begins the message: where in the training.</param>
    /// <param name="rate">The largest learning rate, for the message.</param>
    /// <returns><paramref name="loss"/>.</returns>
    /// <exception cref="UserException">It is not finite.</exception>
    public static double Check(double loss, string when, double rate) => double.IsFinite(loss)
        ? loss
        : throw new UserException(FormattableString.Invariant($"{when}: the loss is no longer finite (learning rate {rate})"));
}
