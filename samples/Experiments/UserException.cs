namespace Experiments;

/// <summary>Something the user can mend: shown as one line, exit code 1.</summary>
internal sealed class UserException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Refuses what an option says, unless it holds.</summary>
    public static void ThrowUnless(bool holds, string message)
    {
        if (!holds)
        {
            throw new UserException(message);
        }
    }
}
