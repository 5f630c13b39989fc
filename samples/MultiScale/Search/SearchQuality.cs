namespace MultiScale.Search;

/// <summary>How many objects there are, how many answers, and how many of these are right.</summary>
internal sealed record SearchQuality(int Found, int Right, int Objects)
{
    public double Precision => (double)Right / Math.Max(1, Found);

    public double Recall => (double)Right / Math.Max(1, Objects);

    /// <summary>One standard error.</summary>
    public double PrecisionError => StandardError.OfShare(Precision, Math.Max(1, Found));

    /// <summary>One standard error.</summary>
    public double RecallError => StandardError.OfShare(Recall, Math.Max(1, Objects));
}
