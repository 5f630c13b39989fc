using System.Text;
using static TorchPooling.Tests.Export.HandMadeScript;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

/// <summary>Files made to harm: each of these ended the process, or read memory that is not the file's, before it was refused.</summary>
public class HostileFileTests
{
    private const string Data = "is damaged: entry data.pkl is no data of TorchScript: ";

    [Fact]
    public void The_archive_that_the_others_differ_from_loads_and_runs()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var script = torchscript.load<Tensor, Tensor>(Write(folder.File("m.pt")));
        Assert.Equal(["w"], script.named_parameters().Select(p => p.name));
        Assert.Equal(3, script.call(ones(3)).sum().ToDouble());
    }

    [Fact]
    public void Tensors_lie_within_their_storages_and_storages_within_the_file()
    {
        Refused(Data + "a tensor that reaches beyond its storage", W(Tensor(offset: 1)));
        Refused(Data + "a tensor that reaches beyond its storage", W(Tensor(size: [2, 2], stride: [3, 1])));
        Refused(Data + "a tensor that reaches beyond its storage", W(Tensor(size: [1L << 40, 1L << 40], stride: [1L << 40, 1L << 40])));
        Refused(Data + "a tensor of more elements than can be counted", W(Tensor(size: [1L << 40, 1L << 40], stride: [0, 0])));
        Refused(Data + "a tensor with a negative size, stride or offset", W(Tensor(offset: -1)));
        Refused(Data + "a tensor with a negative size, stride or offset", W(Tensor(stride: [-1])));
        Refused(Data + "a tensor with a shape of its own kind", W(Tensor(stride: [1, 1])));
        Refused(Data + "the storage 0 is shorter than stated", W(Tensor(length: 5)));
        Refused(Data + "the storage 0 is shorter than stated", W(Tensor(length: 1L << 62)));
        Refused(Data + "the storage 0 is shorter than stated", W(Tensor("DoubleStorage")));
        Refused(Data + "a storage of negative length", W(Tensor(length: -1)));
        Refused(Data + "the storage 7 is not in the archive", W(Tensor(key: "7")));
        Refused(Data + "the storage 0 is shorter than stated", ("data/0", new byte[15]));
        Refused(Data + "the storage 0 is not in the archive", ("data/0", null));
        Refused("holds torch.QInt8Storage, which this library does not load", W(Tensor("QInt8Storage")));
    }

    [Fact]
    public void Objects_have_classes_and_the_attributes_and_types_that_these_declare()
    {
        Refused("is damaged: class __torch__.X that its data names is not in its code", ("data.pkl", Pickle(Object("__torch__", "X"))));
        Refused("is damaged: its data has no training, which class __torch__.M declares", ("data.pkl", Pickle(Object("__torch__", "M"))));
        Refused("is damaged: w is no Tensor, as class __torch__.M declares it", W(Int(1)));
        Refused("is damaged: training is no bool, as class __torch__.M declares it", Attributes(("training", Int(1))));
        Refused("is no TorchScript file: its data is no module", ("data.pkl", Pickle(Int(1))));
        Refused("is no TorchScript file: its data is no module", ("code/__torch__.py", Ascii(Source.Replace("(Module)", "", StringComparison.Ordinal))));
        Refused("is damaged: p is no Tuple[int,int], as class __torch__.M declares it", Attributes(("p", Tuple(Int(1)))), Declares("p : Tuple[int, int]"));
        Refused("is damaged: c is no __torch__.A, as class __torch__.M declares it", Attributes(("c", Object("__torch__", "B"))), Declares("c : __torch__.A", "class A(Module):\n  a : Tensor\nclass B(Module):\n  __parameters__ = []\n"));
        Refused("is damaged: c.a is no int, as class __torch__.A declares it", Attributes(("c", Object("__torch__", "A", ("a", [(byte)'N'])))), Declares("c : __torch__.A", "class A(Module):\n  a : int\n"));
        Refused(Data + "a List[int] that holds something else", Attributes(("l", Call("torch.jit._pickle", "build_intlist", [.. Ascii("]("), .. Text("a"), (byte)'e']))), Declares("l : List[int]"));
        Refused("which runs code while it is loaded (__setstate__)", ("code/__torch__.py", Ascii(Source + "  def __setstate__(self, s: int) -> NoneType:\n    return None\n")));
        Refused("holds __torch__.torch.classes.quantized.X, which this library does not load", W(Object("__torch__.torch.classes.quantized", "X")));
    }

    [Fact]
    public void Pickles_do_only_what_those_of_TorchScript_do()
    {
        Refused(Data + "values nested deeper than 400", W([(byte)')', .. Enumerable.Repeat((byte)0x85, 100_000)]));
        Refused("is damaged: entry constants.pkl is no data of TorchScript: values nested deeper than 400", ("constants.pkl", Pickle([(byte)')', .. Enumerable.Repeat((byte)0x85, 100_000)])));
        Refused(Data + "it remembers a value at a place that is not the next", W([.. Tensor(), (byte)'r', 255, 255, 255, 255]));
        Refused(Data + "it recalls a value that it has not remembered", W([(byte)'h', 9]));
        Refused(Data + "a value holds itself", W([.. Ascii("]q\0(h\0e")]));
        Refused(Data + "it takes more values than there are", W(Ascii("(\u0087")));
        Refused(Data + "a dict has a key of another kind", W(Ascii("}(NNu")));
        Refused(Data + "it adds to no dict", W(Ascii("}(Nu")));
        Refused(Data + "unknown instruction 105", W(Ascii("i")));
        Refused(Data + "it ends early", ("data.pkl", Pickle(Module())[..^1]));
        Refused(Data + "it is no pickle of protocol 2", ("data.pkl", Ascii("garbage")));
        Refused("holds os.system, which this library does not load", W(Call("os", "system", Text("true"))));
        Refused("is damaged: its constants are no tensors", ("constants.pkl", Pickle([(byte)'N'])));
        Refused("is damaged: entry code/__torch__.py.debug_pkl does not say where its source came from", ("code/__torch__.py.debug_pkl", Pickle(Tuple(Tuple(Int(0), Int(0))))));
    }

    [Fact]
    public void Modules_do_not_nest_without_end()
    {
        var source = new StringBuilder("class C0(Module):\n  __parameters__ = []\n");
        var value = Object("__torch__", "C0");
        for (var i = 1; i <= 30; i++)   // each holds the one before twice, which is 2^30 modules
        {
            source.Append($"class C{i}(Module):\n  a : __torch__.C{i - 1}\n  b : __torch__.C{i - 1}\n");
            value = Object("__torch__", $"C{i}", ("a", [.. value, (byte)'q', (byte)(i - 1)]), ("b", [(byte)'h', (byte)(i - 1)]));
        }

        Refused("has modules nested so deep that going through them takes minutes", Attributes(("c", value)), Declares("c : __torch__.C30", source.ToString()));
    }

    [Fact]
    public void Source_nests_and_runs_only_so_far_while_it_is_compiled()
    {
        const string no = "has source that is no TorchScript: ";
        Refused(no + "an expression nests deeper than 500 (entry code/__torch__.py, line 8)", Returns(new string('(', 100_000) + "x" + new string(')', 100_000)));
        Refused(no + "an expression nests deeper than 500", Returns(new string('-', 100_000) + "x"));
        Refused(no + "an expression nests deeper than 500", Returns("x" + string.Concat(Enumerable.Repeat(" + x", 100_000))));
        Refused(no + "an expression nests deeper than 500", Returns("x" + string.Concat(Enumerable.Repeat(".T", 100_000))));
        Refused(no + "brackets do not match", Returns("(x]"));
        Refused(no + "a string does not end", Returns("\"x"));
        Refused(no + "blocks nest deeper than 1000", Extra("def f(x: int) -> int:\n  if x == 0:\n    pass\n" + string.Concat(Enumerable.Repeat("  elif x == 1:\n    pass\n", 10_000)) + "  return x\n"));
        Refused(no + "blocks nest deeper than 1000", Extra("def f(x: bool) -> int:\n" + string.Concat(Enumerable.Range(1, 1200).Select(i => new string(' ', 2 * i) + "if x:\n")) + new string(' ', 2402) + "return 1\n"));
        Refused("has more source than this library loads", Extra("def f0(x: int) -> int:\n  return x\n" + string.Concat(Enumerable.Range(1, 30_000).Select(i => $"def f{i}(x: int) -> int:\n  return __torch__.f{i - 1}(x)\n"))));
        Refused("has source that is refused: a default value of f calls h, which would run while it is loaded (entry code/__torch__.py)", Extra("def h(x: int) -> int:\n  return x\ndef f(x: int=__torch__.h(1)) -> int:\n  return x\n"));
        Refused("has source that is refused: a whole number is divided by 0, which ends the process (entry code/__torch__.py)", Returns("torch.add(x, 1 % 0)"));
        Refused("is damaged: 'int+int' is no type of TorchScript", Declares("q : int + int"), Attributes(("q", Int(1))));
    }

    [Fact]
    public void Archives_have_one_entry_of_each_name_and_a_version()
    {
        Refused("is truncated or damaged: it has two entries m/DATA.pkl", ("DATA.pkl", Pickle(Int(1))));
        Refused("is damaged: it has no entry version", ("version", null));
        Refused("is damaged: its version is no number", ("version", Ascii("99999999999999999999")));
        Refused("is damaged: its version is no number", ("version", Ascii("")));
        Refused("is refused by libtorch: Attempted to read a PyTorch file with version 999", ("version", Ascii("999")));
        Refused("is damaged: it has no entry constants.pkl", ("constants.pkl", null));
        Refused("is no TorchScript file: it is a zip archive of something else", ("data.pkl", null));
        Refused("was written by a PyTorch older than 1.4", ("model.json", Ascii("{}")));
    }

    [Fact]
    public void Hundreds_of_damaged_files_load_or_say_why_not()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var good = folder.File("good.pt");
        torchscript.save(nn.Sequential(("conv", nn.Conv2d(1, 2, 2)), ("norm", nn.BatchNorm2d(2)), ("pool", new GeM2d())), good, rand(1, 1, 4, 4));
        var (whole, entries, random) = (File.ReadAllBytes(good), Entries(good), new Random(1));
        var (path, loaded) = (folder.File("bad.pt"), 0);
        for (var i = 0; i < 400; i++)
        {
            switch (i % 4)
            {
                case 0: File.WriteAllBytes(path, whole[..random.Next(whole.Length)]); break;
                case 1: File.WriteAllBytes(path, Flipped(whole, random)); break;
                default:
                    var which = random.Next(entries.Count);   // damaged before its checksum was made
                    WriteAll(path, entries.Select((entry, k) => (entry.Name, (byte[]?)(k == which ? Flipped(entry.Bytes, random) : entry.Bytes))));
                    break;
            }

            try
            {
                using var script = torchscript.load(path);
                script.eval();
                Assert.All(script.parameters(), p => p.sum().Dispose());
                loaded++;
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith(path + " ", e.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(loaded, 1, 200);   // tensors may hold any numbers
    }

    private static List<(string Name, byte[] Bytes)> Entries(string path)
    {
        using var archive = System.IO.Compression.ZipFile.OpenRead(path);
        return [.. archive.Entries.Select(entry =>
        {
            using var bytes = new MemoryStream();
            using var stream = entry.Open();
            stream.CopyTo(bytes);
            return (entry.FullName[(entry.FullName.IndexOf('/', StringComparison.Ordinal) + 1)..], bytes.ToArray());
        })];
    }

    private static byte[] Flipped(byte[] bytes, Random random)
    {
        var copy = bytes.ToArray();
        copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
        return copy;
    }

    private static void Refused(string reason, params (string, byte[]?)[] entries)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder.File("m.pt"), entries);
        var message = Assert.Throws<InvalidDataException>(() => torchscript.load(path)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.StartsWith(path + " ", message, StringComparison.Ordinal);
    }

    private static (string, byte[]?) Attributes(params (string, byte[])[] attributes) => ("data.pkl", Pickle(Module(attributes)));

    private static (string, byte[]?) W(byte[] value) => Attributes(("w", value));

    private static (string, byte[]?) Declares(string attribute, string classes = "") =>
        ("code/__torch__.py", Ascii(Source.Replace("  w : Tensor\n", $"  w : Tensor\n  {attribute}\n", StringComparison.Ordinal) + classes));

    private static (string, byte[]?) Returns(string expression) =>
        ("code/__torch__.py", Ascii(Source.Replace("return x", $"return {expression}", StringComparison.Ordinal)));

    private static (string, byte[]?) Extra(string source) => ("code/__torch__.py", Ascii(Source + source));
}
