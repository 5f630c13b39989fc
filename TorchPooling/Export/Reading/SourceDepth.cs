namespace TorchPooling;

/// <summary>Bounds how deep libtorch goes into itself to compile source: it follows nested expressions and blocks, and compiles
/// every function and class in the middle of the one that names it first.</summary>
internal sealed class SourceDepth
{
    private const int MaxBlocks = 1000;   // PyTorch writes elif as a block in the block before
    private const int MaxTotal = 100_000;   // 4 KB of stack for each, ScriptLoader has 5

    private readonly Stack<(int Indent, int Branches)> blocks = [];
    private int exits;
    private int definition;
    private int total;

    /// <exception cref="InvalidDataException">Blocks nest too deep, or all of the source could.</exception>
    public void Add(string entry, IEnumerable<SourceLine> lines)
    {
        blocks.Clear();
        foreach (var line in lines)
        {
            var depth = Enter(line);
            if (depth > MaxBlocks)
            {
                throw new InvalidDataException($"has source that is no TorchScript: blocks nest deeper than {MaxBlocks} (entry {entry})");
            }

            if (line.First is "def" or "class")
            {
                (total, definition, exits) = (total + 2, 0, 0);
            }

            total += Math.Max(0, depth + line.Depth - definition);
            definition = Math.Max(definition, depth + line.Depth);
            if (total > MaxTotal)
            {
                throw new InvalidDataException("has more source than this library loads");
            }
        }
    }

    /// <summary>How many blocks the line lies in, as libtorch rewrites them: what follows an elif or a return is one deeper.</summary>
    private int Enter(SourceLine line)
    {
        while (blocks.TryPeek(out var block) && block.Indent > line.Indent)
        {
            blocks.Pop();
        }

        if (!blocks.TryPeek(out var here) || here.Indent < line.Indent)
        {
            blocks.Push((line.Indent, 0));
        }
        else if (line.First is not "else")
        {
            blocks.Pop();
            blocks.Push((line.Indent, line.First is "elif" ? here.Branches + 1 : 0));
        }

        exits += line.First is "return" or "break" or "continue" or "raise" && blocks.Count > 2 ? 1 : 0;
        return blocks.Count + blocks.Sum(block => block.Branches) + exits;
    }
}
