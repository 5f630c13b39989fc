using System.Runtime.InteropServices;

namespace TorchPooling.Tests.Build;

public class WeakGlibcxxTests(WeakGlibcxxBuilds builds) : IClassFixture<WeakGlibcxxBuilds>
{
    [LinuxFact]
    public void The_real_library_gets_one_byte_changed_and_one_line_printed()
    {
        foreach (var (build, output) in new[] { ("hard links", "hard"), ("symbolic links", "symbolic"), ("copies", "copies") })
        {
            AssertFixed(builds.Real, builds.InOutput(output, "real"));
            var line = Assert.Single(builds.Printed(build, "real"));
            Assert.Equal($"{builds.InOutput(output, "real")}: the need for GLIBCXX_3.4.32 is now weak, so that an older libstdc++ will do.", line);
        }
    }

    [LinuxFact]
    public void A_made_library_gets_the_flag_beside_the_flags_that_it_had()
    {
        AssertFixed(builds.Synthetic, builds.InOutput("hard", "synthetic"));
        Assert.Equal(GlibcxxElf.WithFlag(builds.Synthetic, 3), File.ReadAllBytes(builds.InOutput("hard", "other-flag")));
    }

    [LinuxFact]
    public void The_changed_copy_keeps_permissions_and_time_and_is_a_file_of_its_own()
    {
        foreach (var output in new[] { "hard", "symbolic", "copies" })
        {
            var copy = new FileInfo(builds.InOutput(output, "real"));
            Assert.Null(copy.LinkTarget);
            Assert.Equal(WeakGlibcxxBuilds.PackageTime, copy.LastWriteTimeUtc);
            Assert.Equal(WeakGlibcxxBuilds.PackageMode, copy.UnixFileMode);
            Assert.Equal(["libLibTorchSharp.so"], copy.Directory!.GetFiles().Select(f => f.Name));
        }

        // What needs no change stays the link that the build made.
        Assert.Equal(builds.InPackages("real-patched"), new FileInfo(builds.InOutput("symbolic", "real-patched")).LinkTarget);
    }

    [LinuxFact]
    public void The_packages_folder_keeps_its_bytes_behind_hard_and_symbolic_links()
    {
        foreach (var (name, bytes) in builds.Packages)
        {
            Assert.Equal(bytes, File.ReadAllBytes(builds.InPackages(name)));
        }
    }

    [LinuxFact]
    public void A_second_build_changes_and_prints_nothing_more()
    {
        Assert.Empty(builds.Printed("hard links again", "real"));
        Assert.Empty(builds.Printed("symbolic links again", "real"));
        AssertFixed(builds.Real, builds.InOutput("hard", "real"));
    }

    [LinuxFact]
    public void A_patched_library_and_one_without_the_need_stay_as_they_are_without_a_word()
    {
        foreach (var name in new[] { "real-patched", "patched", "no-need" })
        {
            AssertUntouched(name);
            Assert.Empty(builds.Printed("hard links", name));
        }
    }

    [LinuxFact]
    public void A_library_truncated_at_any_length_stays_as_it_is_with_a_warning()
    {
        var truncated = builds.Packages.Keys.Where(name => name.Contains("truncated")).ToList();
        Assert.True(truncated.Count > builds.Synthetic.Length);
        foreach (var name in truncated)
        {
            AssertWarns(name, "");
        }

        AssertWarns("truncated-0", "it is no ELF file.");
        AssertWarns("truncated-63", "it is truncated.");
        AssertWarns("truncated-64", "its section table ends outside the file (truncated?).");
        AssertWarns($"truncated-{builds.Synthetic.Length - 1}", "a section ends outside the file (truncated?).");
        AssertWarns($"real-truncated-{builds.Real.Length - 1}", "its section table ends outside the file (truncated?).");
    }

    [LinuxFact]
    public void A_file_that_is_not_understood_stays_as_it_is_with_a_warning_that_says_why()
    {
        AssertWarns("text", "it is no ELF file.");
        AssertWarns("elf32", "it is no 64-bit little-endian ELF file.");
        AssertWarns("big-endian", "it is no 64-bit little-endian ELF file.");
        AssertWarns("stripped", "it has no section table of the usual form.");
        AssertWarns("called", "it takes 1 symbol(s) of GLIBCXX_3.4.32, expected _ZSt21ios_base_library_initv alone.");
        AssertWarns("two-symbols", "it takes 2 symbol(s) of GLIBCXX_3.4.32, expected _ZSt21ios_base_library_initv alone.");
        AssertWarns("endless-entries", "its version needs are not chained as expected.");
        AssertWarns("backwards", "its version needs are not chained as expected.");
    }

    [LinuxFact]
    public void A_garbled_library_stops_no_build_and_gets_the_flag_or_nothing()
    {
        Assert.DoesNotContain(builds.Printed("hard links"), line => line.Contains(" error "));
        foreach (var name in builds.Packages.Keys.Where(name => name.StartsWith("garbled")))
        {
            var before = builds.Packages[name];
            var after = File.ReadAllBytes(builds.InOutput("hard", name));
            Assert.Equal(before.Length, after.Length);
            var changed = Enumerable.Range(0, before.Length).Where(i => before[i] != after[i]).ToList();
            Assert.True(changed.Count <= 1, $"{name}: {changed.Count} bytes changed");
            Assert.All(changed, i => Assert.Equal(before[i] | 2, after[i]));
        }
    }

    [LinuxFact]
    public void Mode_never_leaves_everything_as_it_is()
    {
        Assert.Empty(builds.Printed("never"));
        Assert.Equal(builds.Real, File.ReadAllBytes(builds.InOutput("never", "real")));
    }

    [LinuxFact]
    public void Mode_auto_acts_just_where_the_loader_lacks_the_version()
    {
        var loader = dlvsym(NativeLibrary.Load("libstdc++.so.6"), GlibcxxElf.UncalledSymbol, GlibcxxElf.Version);
        var expected = loader == 0 ? GlibcxxElf.WithFlag(builds.Real, 2) : builds.Real;

        Assert.Equal(expected, File.ReadAllBytes(builds.InOutput("auto", "real")));
        Assert.Equal(loader == 0 ? 1 : 0, builds.Printed("auto", "real").Length);
    }

    [LinuxFact]
    public void Any_other_mode_ends_the_build_with_a_message_that_lists_the_known_ones() =>
        Assert.Contains(builds.Printed("wrong mode"), line =>
            line.Contains("error : TorchSharpWeakGlibcxx is 'maybe', expected one of: auto, always, never."));

    [LinuxFact]
    public void Warnings_as_errors_make_an_error_of_a_file_left_as_it_is() =>
        Assert.Contains(builds.Printed("warnings as errors", "text"), line => line.Contains(": error TPB001: left as it is: it is no ELF file."));

    private static void AssertFixed(byte[] before, string file) =>
        Assert.Equal(GlibcxxElf.WithFlag(before, 2), File.ReadAllBytes(file));

    private void AssertUntouched(string package)
    {
        var file = builds.InOutput("hard", package);
        Assert.Equal(builds.Packages[package], File.ReadAllBytes(file));
        Assert.Equal(WeakGlibcxxBuilds.PackageTime, File.GetLastWriteTimeUtc(file));
    }

    private void AssertWarns(string package, string reason)
    {
        AssertUntouched(package);
        var line = Assert.Single(builds.Printed("hard links", package));
        Assert.Contains($"{builds.InOutput("hard", package)} : warning TPB001: left as it is: {reason}", line);
        Assert.Contains("TorchSharp will not load where libstdc++ lacks GLIBCXX_3.4.32.", line);
    }

    [DllImport("libc.so.6", CharSet = CharSet.Ansi)]
    private static extern nint dlvsym(nint library, string symbol, string version);
}
