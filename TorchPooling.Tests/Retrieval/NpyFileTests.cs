using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Retrieval;

public class NpyFileTests
{
    [Fact]
    public void The_bytes_of_the_format()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        NpyFile.Write(folder.File("a.npy"), [tensor(new[] { 1f, 2 }).reshape(1, 2), tensor(new[] { 3f, 4, 5, 6 }).reshape(2, 2)]);
        var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }".PadRight(117) + "\n";
        byte[] expected = [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(text), .. new[] { 1f, 2, 3, 4, 5, 6 }.SelectMany(BitConverter.GetBytes)];
        Assert.Equal(expected, File.ReadAllBytes(folder.File("a.npy")));
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Int64)]
    public void Comes_back_whole_and_in_blocks(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var path = folder.File("a.npy");
        var rows = (randn(3, 11) * 100).to(dtype).t();   // not contiguous
        NpyFile.Write(path, rows.requires_grad_(dtype != ScalarType.Int64));
        Assert.Equal(rows, NpyFile.Read(path));
        var blocks = NpyFile.ReadBlocks(path, 4).ToArray();
        Assert.Equal([4, 4, 3], blocks.Select(block => block.size(0)));
        Assert.Equal(rows, cat(blocks));

        NpyFile.Write(path, rows.narrow(0, 0, 0));   // an older file is replaced
        Assert.Equal([0, 3], NpyFile.Read(path).shape);
        Assert.Empty(NpyFile.ReadBlocks(path, 4));
    }

    [Fact]
    public void A_batch_of_several_pieces_is_written_and_read_whole()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var rows = arange(3L * (1 << 22)).view(-1, 3);   // 96 MiB
        NpyFile.Write(folder.File("large.npy"), rows);
        Assert.Equal(rows, NpyFile.Read(folder.File("large.npy")));
    }

    [PyTorchFact]   // whose Python has NumPy
    public void NumPy_reads_ours_and_we_read_its()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var rows = randn(70, 5, dtype: ScalarType.Float64);
        foreach (var (dtype, name) in new[] { (ScalarType.Float16, "f2"), (ScalarType.Float32, "f4"), (ScalarType.Float64, "f8"), (ScalarType.Int64, "i8") })
        {
            var values = (rows * 1000).to(dtype);
            NpyFile.Write(folder.File($"{name}.npy"), values.split(32));
            Python.Write(folder.Path, $"{name}.raw", values);
        }

        Python.Run(
            """
            import sys, numpy
            for name in ['f2', 'f4', 'f8', 'i8']:
                ours = numpy.load(f'{sys.argv[1]}/{name}.npy')
                assert ours.dtype == name and ours.shape == (70, 5) and ours.flags.c_contiguous
                assert (ours == numpy.fromfile(f'{sys.argv[1]}/{name}.raw', name).reshape(70, 5)).all()
                assert numpy.load(f'{sys.argv[1]}/{name}.npy', mmap_mode='r').offset % 64 == 0
                numpy.save(f'{sys.argv[1]}/{name}_its.npy', ours)
                with open(f'{sys.argv[1]}/{name}_v2.npy', 'wb') as file:
                    numpy.lib.format.write_array(file, ours, version=(2, 0))
            """,
            folder.Path);
        foreach (var name in new[] { "f2", "f4", "f8", "i8" })
        {
            Assert.Equal(NpyFile.Read(folder.File($"{name}.npy")), NpyFile.Read(folder.File($"{name}_its.npy")));
            Assert.Equal(NpyFile.Read(folder.File($"{name}.npy")), NpyFile.Read(folder.File($"{name}_v2.npy")));
        }
    }

    [FaissFact]
    public void Faiss_finds_the_same_neighbours_in_the_file()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var draw = new Generator(8);
        NpyFile.Write(folder.File("database.npy"), Enumerable.Range(0, 8).Select(_ => randn(500, 32, generator: draw)));
        NpyFile.Write(folder.File("queries.npy"), randn(20, 32, generator: draw));
        Python.Run(
            """
            import sys, faiss, numpy
            database, queries = (numpy.load(f'{sys.argv[1]}/{name}.npy') for name in ['database', 'queries'])
            for name, index in [('l2', faiss.IndexFlatL2(32)), ('ip', faiss.IndexFlatIP(32))]:
                index.add(database)
                values, numbers = index.search(queries, 10)
                numpy.save(f'{sys.argv[1]}/{name}_values.npy', values)
                numpy.save(f'{sys.argv[1]}/{name}_numbers.npy', numbers)
            """,
            folder.Path);
        foreach (var (name, innerProduct) in new[] { ("l2", false), ("ip", true) })
        {
            var blocks = NpyFile.ReadBlocks(folder.File("database.npy"), 300);
            var (values, indices) = NearestNeighbors.FindInBlocks(NpyFile.Read(folder.File("queries.npy")), blocks, 10, innerProduct);
            Assert.Equal(NpyFile.Read(folder.File($"{name}_numbers.npy")), indices);
            Tolerance.AssertClose(NpyFile.Read(folder.File($"{name}_values.npy")), values);
        }
    }

    [Fact]
    public void What_ends_early_leaves_the_older_file_and_no_draft()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var path = folder.File("a.npy");
        NpyFile.Write(path, ones(2, 3));
        foreach (var (rows, message) in new (IEnumerable<Tensor>, string)[]
        {
            ([], "expected at least one batch of rows, got none"),
            ([ones(2, 3), ones(2, 4)], "expected Float32 (n, 3) as the first batch, got Float32 (2, 4)"),
            ([ones(2, 3), ones(2, 3).@double()], "expected Float32 (n, 3) as the first batch, got Float64 (2, 3)"),
            ([ones(2)], "expected rows (n, D) of float16, float32, float64 or int64, D ≥ 1, at most 1 GiB each, got Float32 (2)"),
            ([ones(2, 0)], "got Float32 (2, 0)"),
            ([ones(2, 3, dtype: ScalarType.Bool)], "got Bool (2, 3)"),
        })
        {
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => NpyFile.Write(path, rows)).Message, StringComparison.Ordinal);
        }

        Assert.Throws<FormatException>(() => NpyFile.Write(path, Failing()));
        Assert.Equal(ones(2, 3), NpyFile.Read(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
        Assert.Throws<DirectoryNotFoundException>(() => NpyFile.Write(folder.File("no/a.npy"), ones(1, 1)));

        static IEnumerable<Tensor> Failing()
        {
            yield return ones(4, 3);
            throw new FormatException();
        }
    }

    [Fact]
    public void Batches_are_disposed_after_use()
    {
        using var folder = new TemporaryFolder();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        NpyFile.Write(folder.File("a.npy"), Enumerable.Range(0, 20).Select(_ =>
        {
            Assert.InRange(DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount - before, 0, 1);
            return ones(2, 3);
        }));
        Assert.Equal(0, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount - before);
        NpyFile.Read(folder.File("a.npy")).Dispose();
        Assert.Equal(0, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount - before);
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "expected rows in C order, got fortran_order True")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "expected one of the dtypes <f2, <f4, <f8, <i8, got '>f4'")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "expected one of the dtypes <f2, <f4, <f8, <i8, got '|O'")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "expected a header with 'descr', 'fortran_order' and 'shape', got {'descr': [('a'")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'shape': (2, 3), }", "expected a header with")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "expected a header with")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} or print(1)", "expected a header with")]
    [InlineData("", "expected a header with")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "expected a shape (N, D), D ≥ 1, at most 1 GiB a row, got (6,)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }", "got (2, 0)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999999999999999), }", "got (1, 99999999999999999999)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 999999999), }", "got (1, 999999999)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 268435456), }", " bytes for the shape (9223372036854775807, 268435456), got ")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", " bytes for the shape (2, 4), got ")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }", " bytes for the shape (1, 3), got ")]
    public void Refuses_other_and_damaged_files(string header, string message)
    {
        using var folder = new TemporaryFolder();
        byte[] file = [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. new byte[24]];
        AssertRefused(folder, file, message);
    }

    [Fact]
    public void Refuses_every_shortened_file_and_other_formats()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        NpyFile.Write(folder.File("whole.npy"), ones(2, 3));
        var whole = File.ReadAllBytes(folder.File("whole.npy"));
        for (var length = 0; length < whole.Length; length++)
        {
            AssertRefused(folder, whole[..length], length < 128 ? "expected the header of a .npy file, got " : "expected 152 bytes for the shape (2, 3), got ");
        }

        AssertRefused(folder, [.. "PK\u0003\u0004 a zip file"u8], "expected a .npy file of version 1, 2 or 3, got one that starts with 504B030420612");
        AssertRefused(folder, [.. whole[..6], 4, .. whole[7..]], "got one that starts with 934E554D50590400");
        AssertRefused(folder, [.. whole[..6], 2, 0, 255, 255, 255, 255], "expected a header of at most 65536 bytes, got 4294967295");
        Assert.Throws<FileNotFoundException>(() => NpyFile.ReadBlocks(folder.File("none.npy"), 1));
        Assert.Contains(folder.File("none/a.npy"), Assert.Throws<DirectoryNotFoundException>(() => NpyFile.Write(folder.File("none/a.npy"), zeros(2, 2))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => NpyFile.ReadBlocks(folder.File("whole.npy"), 0));
    }

    [Fact]
    public void A_long_header_of_spaces_is_read_in_no_time()
    {
        using var folder = new TemporaryFolder();
        var header = "{" + new string(' ', 32_000) + "'descr':" + new string(' ', 32_000) + "x";
        byte[] file = [0x93, .. "NUMPY"u8, 2, 0, .. BitConverter.GetBytes(header.Length), .. Encoding.ASCII.GetBytes(header)];
        var clock = System.Diagnostics.Stopwatch.StartNew();
        AssertRefused(folder, file, "expected a header with");
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);   // backtracking would take hours
    }

    private static void AssertRefused(TemporaryFolder folder, byte[] file, string message)
    {
        var path = folder.File("broken.npy");
        File.WriteAllBytes(path, file);
        Assert.StartsWith($"{path}: ", Assert.Throws<InvalidDataException>(() => NpyFile.Read(path)).Message, StringComparison.Ordinal);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => NpyFile.ReadBlocks(path, 1)).Message, StringComparison.Ordinal);
    }
}
