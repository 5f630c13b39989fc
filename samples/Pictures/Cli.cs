using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using OperatorPictures.Drawing;
using OperatorPictures.Gallery;

namespace OperatorPictures;

/// <summary>The command line: exit code 0 done, 1 something to mend.</summary>
internal sealed class Cli(TextWriter output, TextWriter error)
{
    public async Task<int> Run(string[] args)
    {
        var folder = new Option<string>("--out") { Description = "folder of the pictures", DefaultValueFactory = _ => ReferenceFolder() };
        var only = new Option<string?>("--only") { Description = "draws one picture; the names are those of the operator reference" };
        var root = new RootCommand("Draws the pictures of the operator reference: what each pooling does to one photograph.") { folder, only };
        root.SetAction(parsed => Draw(parsed.GetValue(folder)!, parsed.GetValue(only)));
        var command = root.Parse(args);
        return command.Errors.Count > 0
            ? Fail(string.Join(" ", command.Errors.Select(problem => problem.Message)))
            : await command.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
    }

    private int Draw(string folder, string? only)
    {
        var chosen = Illustrations.All.Where(illustration => only is null || illustration.Name == only).ToList();
        if (chosen.Count == 0)
        {
            return Fail($"--only: expected one of {string.Join(", ", Illustrations.All.Select(illustration => illustration.Name))}, got '{only}'");
        }

        try
        {
            Directory.CreateDirectory(folder);
            using var photograph = new Photograph();
            foreach (var illustration in chosen)
            {
                using var panel = illustration.Draw(photograph);
                File.WriteAllBytes(Path.Combine(folder, $"{illustration.Name}.png"), PalettePng.Encode(panel));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException { ParamName: "path" })
        {
            return Fail($"--out: {e.Message}");
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{chosen.Count} picture{(chosen.Count == 1 ? "" : "s")} in {folder}"));
        return 0;
    }

    private int Fail(string message)
    {
        error.WriteLine(message);
        return 1;
    }

    /// <summary>Where the operator reference shows them, from this file's place in the repository.</summary>
    private static string ReferenceFolder([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../../TorchPooling/pictures"));
}
