using Experiments;

namespace TorchPooling.Tests.Samples;

/// <summary>The folder of a run: held, never overwritten, and no more left behind than was made.</summary>
public class RunFolderTests
{
    [Fact]
    public void What_the_run_would_write_must_not_be_there()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("b.json"));
        File.WriteAllText(folder.File("else"), "");
        new RunFolder(folder.Path, "a.html").Dispose();
        var error = Assert.Throws<UserException>(() => new RunFolder(folder.Path, "a.html", "b.json"));
        Assert.Equal($"{folder.Path} already holds b.json: choose another --out", error.Message);
        Assert.Equal(["b.json", "else"], Names(folder.Path));
        new RunFolder(folder.Path, "a.html").Dispose();   // not held any more
    }

    [Fact]
    public void Only_one_run_holds_a_folder()
    {
        using var folder = new TemporaryFolder();
        using (new RunFolder(folder.Path))
        {
            Assert.StartsWith($"{folder.Path}: another run is writing there (", Assert.Throws<UserException>(() => new RunFolder(folder.Path)).Message, StringComparison.Ordinal);
        }

        new RunFolder(folder.Path).Dispose();
        Assert.Empty(Names(folder.Path));
    }

    [Fact]
    public void A_folder_that_cannot_be_held_for_another_reason_is_told_as_it_is()
    {
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.File(".lock"), ".lock");   // leads nowhere but to itself
        Assert.IsNotType<UserException>(Assert.ThrowsAny<IOException>(() => new RunFolder(folder.Path)));
    }

    [Fact]
    public void Folders_that_were_there_stay_and_those_that_it_made_go_where_they_got_nothing()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("mine"));
        new RunFolder(folder.File("mine")).Dispose();
        Assert.True(Directory.Exists(folder.File("mine")));

        new RunFolder(folder.File("mine/runs/one/two")).Dispose();
        Assert.Empty(Names(folder.File("mine")));

        using (new RunFolder(folder.File("mine/runs/one")))
        {
            File.WriteAllText(folder.File("mine/runs/other"), "");
        }

        Assert.Equal(["other"], Names(folder.File("mine/runs")));

        using (var run = new RunFolder(folder.File("mine/kept")))
        {
            File.WriteAllText(run.File("result"), "");
        }

        Assert.Equal(["result"], Names(folder.File("mine/kept")));
    }

    private static IEnumerable<string?> Names(string path) => Directory.GetFileSystemEntries(path).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
