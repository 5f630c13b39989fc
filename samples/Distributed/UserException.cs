namespace Distributed;

/// <summary>Something the user can mend: shown as one line, exit code 1.</summary>
internal sealed class UserException(string message, Exception? inner = null) : Exception(message, inner);
