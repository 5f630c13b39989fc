using System.Text;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

public class LoadTests
{
    [Fact]
    public void Divisions_by_a_fraction_are_none_by_zero()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        torchscript.save(new ProofTests.Formed(x => x.remainder(0.5), "x % 0.5"), folder.File("m.pt"), rand(2, 3) + 1);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(full(1, 0.25f), script.call(full(1, 1.75f)));
    }

    [PyTorchFact]
    public void What_PyTorch_writes_for_ordinary_modules_is_loaded()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Python.Run(
            """
            import sys, tempfile, importlib.util, torch
            folder = sys.argv[1]
            source = "import torch\nfrom typing import Any, Dict, List, Optional\n"
            source += "class Settings(torch.nn.Module):\n    cfg: Dict[str, Any]\n    def __init__(self):\n        super().__init__()\n        self.cfg = {'a': [1, 2], 'b': (1, 2), 'c': {'q': 1}}\n        self.k = 1\n"
            source += "    @property\n    def pr(self) -> int:\n        return self.k\n    @pr.setter\n    def pr(self, v: int): self.k = v\n"
            source += "    def forward(self, x):\n        return x + len(self.cfg) + self.pr\n"
            source += "class Choice(torch.nn.Module):\n    def forward(self, x, k: int = 2, d: torch.device = torch.device('cpu')):\n        if k == 0:\n            return x\n"
            source += "".join(f"        elif k == {i}:\n            return x + {i}\n" for i in range(1, 130)) + "        return x.to(d)\n"
            source += "class Unet(torch.nn.Module):\n    def __init__(self, depth):\n        super().__init__()\n        self.model = torch.nn.Sequential(torch.nn.ReLU(), Unet(depth - 1)) if depth else torch.nn.Identity()\n"
            source += "    def forward(self, x):\n        return self.model(x) + 1\n"
            open(folder + "/modules.py", "w").write(source)
            spec = importlib.util.spec_from_file_location("modules", folder + "/modules.py")
            modules = importlib.util.module_from_spec(spec); sys.modules["modules"] = modules; spec.loader.exec_module(modules)
            for name, module in ("settings", modules.Settings()), ("choice", modules.Choice()), ("unet", modules.Unet(9)):
                torch.jit.script(module).save(f"{folder}/{name}.pt")
            """, folder.Path);
        foreach (var (name, expected) in new[] { ("settings", 5f), ("choice", 3), ("unet", 11) })
        {
            var script = torchscript.load(folder.File(name + ".pt"));
            Tolerance.AssertClose(full(1, expected), (Tensor)script.forward(ones(1)), where: name);
            ScriptLoader.Release(script);
        }
    }

    [Fact]
    public void What_was_saved_is_loaded_in_every_form_and_outlives_the_scope_that_it_was_loaded_in()
    {
        using var folder = new TemporaryFolder();
        using var model = new GeM2d();
        using var x = rand(1, 2, 3, 3);
        torchscript.save(model, folder.File("m.pt"), x);
        jit.ScriptModule<Tensor, Tensor> script;
        using (NewDisposeScope())
        {
            script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        }

        using var scope = NewDisposeScope();
        using (script)
        {
            Tolerance.AssertClose(model.call(x), script.call(x));
            Assert.Equal(3, script.parameters().Single().ToDouble());
        }

        using var any = torchscript.load(folder.File("m.pt"), CPU);
        using var several = torchscript.load<Tensor>(folder.File("m.pt"));
        using var two = torchscript.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(model.call(x), (Tensor)any.call(x));
        Tolerance.AssertClose(model.call(x), several.call(x));
        Assert.Contains("forward", Assert.Throws<System.Runtime.InteropServices.ExternalException>(() => two.call(x, x)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_are_not_there_or_may_not_be_read_are_what_they_are()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(folder.File("m.pt"), Assert.Throws<FileNotFoundException>(() => torchscript.load(folder.File("m.pt"))).Message, StringComparison.Ordinal);
        Assert.Contains(folder.File("none/m.pt"), Assert.Throws<DirectoryNotFoundException>(() => torchscript.load(folder.File("none/m.pt"))).Message, StringComparison.Ordinal);
        Assert.Throws<UnauthorizedAccessException>(() => torchscript.load(folder.Path));
        Assert.Throws<ArgumentException>(() => torchscript.load(""));
        Assert.Throws<ArgumentNullException>(() => torchscript.load(null!));
    }

    [Theory]
    [InlineData("", "it is empty (0 bytes)")]
    [InlineData("garbage", "it is no zip archive, it starts with \"garbage\"")]
    [InlineData("\u0001\u0002", "it is no zip archive, it starts with the bytes 0102")]
    [InlineData("\u0080\u0002}q\0.", "it is a pickle of torch.save (state_dict or module); in Python, torch.jit.script(model).save(path) makes a TorchScript file")]
    [InlineData("\u0010\u0001\0\0\0\0\0\0{\"weight\":{}}", "it is a safetensors file, which holds weights without code")]
    [InlineData("\u0008\u0007\u0012\u0007pytorch", "it looks like an ONNX model")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n", "it stands for a file in Git LFS; git lfs pull brings the file")]
    [InlineData("\n<!DOCTYPE html>", "it is a web page or XML")]
    [InlineData("\u001f\u008b\u0008", "it is compressed with gzip")]
    [InlineData("\u0089HDF\r\n\u001a\n", "it is an HDF5 file")]
    [InlineData("\u0093NUMPY\u0001\0", "it is a NumPy array")]
    [InlineData("\u0018\0\0\0PTMF\0\0", "it is a model for PyTorch Mobile; in Python, model.save(path) makes a TorchScript file")]
    public void Files_of_other_kinds_are_called_by_their_names(string content, string what)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.pt");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(content));
        Assert.Equal($"{path} is no TorchScript file: {what}", Assert.Throws<InvalidDataException>(() => torchscript.load(path)).Message);
        Assert.Equal($"{path} is no TorchScript file: {what}", Assert.Throws<InvalidDataException>(() => torchscript.load_weights(new GeM2d(), path)).Message);
    }

    [Fact]
    public void The_format_of_TorchSharp_is_told_from_TorchScript()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        foreach (var model in new nn.Module[] { new GeM2d(), new VggBackbone([[2]]), nn.Linear(1, 1) })
        {
            model.save(folder.File("m.dat"));
            Assert.EndsWith(
                "m.dat is no TorchScript file: it is the format of TorchSharp's module.save, which module.load(path) reads",
                Assert.Throws<InvalidDataException>(() => torchscript.load(folder.File("m.dat"))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Truncated_and_changed_files_are_damaged_tensors_included()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var path = HandMadeScript.Write(folder.File("m.pt"));
        var whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..^100]);
        Assert.Equal($"{path} is truncated or damaged: it does not end with a directory of entries", Message());

        var tensor = whole.AsSpan().IndexOf("m/data/0"u8) + 8;   // its zeros follow the name
        whole[tensor + 5] ^= 1;
        File.WriteAllBytes(path, whole);
        Assert.Equal($"{path} is truncated or damaged: entry data/0 does not have the checksum that the archive states", Message());

        string Message() => Assert.Throws<InvalidDataException>(() => torchscript.load(path)).Message;
    }

    [Fact]
    public void Source_that_does_not_compile_is_shown_and_the_process_goes_on()
    {
        using var folder = new TemporaryFolder();
        foreach (var (expression, what) in new[] { ("x +", "expected"), ("torch.nothing(x)", "Unknown builtin op: aten::nothing"), ("self.v", "v"), ("__torch__.f(x)", "f") })
        {
            var source = HandMadeScript.Source.Replace("return x", $"return {expression}", StringComparison.Ordinal);
            var path = HandMadeScript.Write(folder.File("m.pt"), ("code/__torch__.py", HandMadeScript.Ascii(source)));
            var message = Assert.Throws<InvalidDataException>(() => torchscript.load(path)).Message;
            Assert.StartsWith($"{path} has source that does not compile: ", message, StringComparison.Ordinal);
            Assert.Contains(what, message, StringComparison.Ordinal);
            Assert.Contains("File \"code/__torch__.py\", line ", message, StringComparison.Ordinal);
        }
    }

    [PyTorchFact]
    public void Models_of_PyTorch_load_and_what_torch_save_wrote_is_named()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Python.Run(
            """
            import sys, torch, torchvision
            folder = sys.argv[1]
            linear = torch.nn.Linear(2, 2)
            torch.save(linear.state_dict(), folder + "/state.pt")
            torch.save(linear.state_dict(), folder + "/old.pt", _use_new_zipfile_serialization=False)
            torch.save(linear, folder + "/whole.pt")
            small = torchvision.models.shufflenet_v2_x0_5(weights=None).eval()
            torch.jit.script(small).save(folder + "/scripted.pt")
            torch.jit.trace(small, torch.rand(1, 3, 64, 64)).save(folder + "/traced.pt")
            torch.jit.freeze(torch.jit.script(small)).save(folder + "/frozen.pt")
            torch.jit.script(torch.nn.LSTM(3, 4, 2)).save(folder + "/lstm.pt")
            torch.jit.script(torch.nn.TransformerEncoderLayer(8, 2)).save(folder + "/transformer.pt")
            """, folder.Path);
        foreach (var name in new[] { "state.pt", "old.pt", "whole.pt" })
        {
            Assert.Equal(
                $"{folder.File(name)} is no TorchScript file: it is a pickle of torch.save (state_dict or module); in Python, torch.jit.script(model).save(path) makes a TorchScript file",
                Assert.Throws<InvalidDataException>(() => torchscript.load(folder.File(name))).Message);
        }

        foreach (var name in new[] { "scripted.pt", "traced.pt", "frozen.pt" })
        {
            using var script = torchscript.load<Tensor, Tensor>(folder.File(name));
            script.eval();
            Assert.Equal([2, 1000], script.call(rand(2, 3, 64, 64)).shape);
        }

        using var lstm = torchscript.load(folder.File("lstm.pt"));
        using var transformer = torchscript.load<Tensor, Tensor>(folder.File("transformer.pt"));
        Assert.Equal([5, 2, 8], transformer.call(rand(5, 2, 8)).shape);
    }
}
