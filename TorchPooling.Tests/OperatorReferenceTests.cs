using System.Text.RegularExpressions;
using OperatorPictures;
using OperatorPictures.Gallery;
using SkiaSharp;
using TorchPooling.Tests.Build;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>The operator reference, TorchPooling/README.md, has an entry and a picture for every pooling, and the sample draws them.</summary>
/// <remarks>Alone, because some pictures draw from torch's own generator, as the modules do that they show.</remarks>
[Collection(nameof(AloneCollection))]
public partial class OperatorReferenceTests
{
    // Modules that pool nothing: their entries, where they have one, show no picture.
    private static readonly Type[] NoPoolings = [typeof(ContextGating), typeof(L2Normalize), typeof(PcaWhitening), typeof(SppNet), typeof(VggBackbone)];

    private static readonly string Folder = Path.Combine(Dotnet.Repository, "TorchPooling", "pictures");
    private static readonly string Reference = File.ReadAllText(Path.Combine(Dotnet.Repository, "TorchPooling", "README.md")).ReplaceLineEndings("\n");

    private static IEnumerable<string> Pictures => Link().Matches(Reference).Select(link => link.Groups[1].Value);

    public static TheoryData<string> Drawn => [.. Illustrations.All.Select(illustration => illustration.Name)];

    [Fact]
    public void Every_pooling_of_the_library_has_an_entry()
    {
        var poolings = typeof(NetVLAD).Assembly.GetExportedTypes()
            .Where(type => type.IsSubclassOf(typeof(nn.Module)) && !type.IsAbstract).Except(NoPoolings).Select(type => type.Name);
        Assert.Empty(poolings.Except(Entries().SelectMany(entry => entry.Modules)));
    }

    [Fact]
    public void Every_entry_is_of_a_module_and_shows_a_picture_named_after_one()
    {
        var modules = typeof(NetVLAD).Assembly.GetExportedTypes().Concat(typeof(TorchSharp.Modules.Linear).Assembly.GetExportedTypes())
            .Where(type => type.IsSubclassOf(typeof(nn.Module))).Select(type => type.Name).ToHashSet();
        Assert.All(Entries(), entry =>
        {
            Assert.All(entry.Modules, name => Assert.Contains(name, modules));
            var pictures = entry.Pictures;
            if (NoPoolings.Any(type => entry.Modules.Contains(type.Name)))
            {
                Assert.Empty(pictures);
                return;
            }

            Assert.Contains(Assert.Single(pictures), entry.Modules);
        });
    }

    [Fact]
    public void The_sample_draws_what_the_reference_shows_in_its_order()
    {
        Assert.Equal(Pictures, Illustrations.All.Select(illustration => illustration.Name));
        Assert.Equal(Pictures.Order(StringComparer.Ordinal), Directory.GetFiles(Folder).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Drawn))]
    public void The_kept_picture_is_what_the_sample_draws(string name)
    {
        var file = Path.Combine(Folder, $"{name}.png");
        Assert.InRange(new FileInfo(file).Length, 1000, 60_000);
        using var kept = SKBitmap.Decode(file);
        using var photograph = new Photograph();
        using var drawn = Illustrations.All.Single(illustration => illustration.Name == name).Draw(photograph);
        Assert.Equal((drawn.Width, drawn.Height), (kept.Width, kept.Height));
        var difference = kept.Pixels.Zip(drawn.Pixels, (a, b) => Math.Abs(a.Red - b.Red) + Math.Abs(a.Green - b.Green) + Math.Abs(a.Blue - b.Blue)).Average() / 3;
        Assert.InRange(difference, 0, 2);   // of 255: the palette, and another processor's rounding
    }

    [Fact]
    public async Task The_command_draws_one_picture_and_says_so()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal((0, $"1 picture in {folder.File("new")}\n", ""), await Run("--only", "SoftPool2d", "--out", folder.File("new")));
        using var picture = SKBitmap.Decode(Path.Combine(folder.File("new"), "SoftPool2d.png"));
        Assert.Equal((784, 244), (picture.Width, picture.Height));
    }

    [Fact]
    public async Task The_command_says_what_to_mend()
    {
        using var folder = new TemporaryFolder();
        var (code, _, error) = await Run("--only", "SoftPool");
        Assert.Equal(1, code);
        Assert.StartsWith("--only: expected one of MaxPool2d, AvgPool2d, ", error, StringComparison.Ordinal);
        Assert.EndsWith(", got 'SoftPool'\n", error, StringComparison.Ordinal);

        File.WriteAllText(folder.File("file"), "");
        (code, _, error) = await Run("--only", "SoftPool2d", "--out", folder.File("file"));
        Assert.Equal(1, code);
        Assert.StartsWith("--out: ", error, StringComparison.Ordinal);
        Assert.Equal((1, "", "Unrecognized command or argument '--bogus'.\n"), await Run("--bogus"));
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        return (await new Cli(output, error).Run(args), output.ToString(), error.ToString());
    }

    private static IEnumerable<(string[] Modules, string[] Pictures)> Entries() =>
        Heading().Split(Reference)[1..].Chunk(2).Select(entry => (
            entry[0].Split(", "), Link().Matches(entry[1]).Select(link => link.Groups[1].Value).ToArray()));

    [GeneratedRegex(@"^### (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^!\[(\w+)\]\(pictures/\1\.png\)$", RegexOptions.Multiline)]
    private static partial Regex Link();
}
