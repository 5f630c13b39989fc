using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

/// <summary>An exported model trains in PyTorch as it does in C#, and comes back.</summary>
public class FineTuneTests
{
    [PyTorchFact]
    public void Training_steps_in_Python_change_the_model_as_the_same_steps_in_CSharp_do()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        (string Name, nn.Module<Tensor, Tensor> Model)[] models =
        [
            ("netvlad", nn.Sequential(new VggBackbone([[4], [6]], batch_norm: true, cut: VggCut.BeforeLastReLU), new NetVLAD(3, 6), nn.Linear(18, 5))),
            ("spp", nn.Sequential(new VggBackbone([[4], [6]]), new SpatialPyramidPool2d([1, 2]), nn.Linear(30, 5))),
            ("gem", nn.Sequential(new VggBackbone([[4], [6]], batch_norm: true), new GeM2d(), nn.Flatten(), new L2Normalize(), nn.Linear(6, 5))),
        ];
        var (x, labels) = (randn(6, 3, 16, 20), tensor(new long[] { 0, 1, 2, 3, 4, 0 }));
        Python.Write(folder.Path, "x", x);
        foreach (var (name, model) in models)
        {
            torchscript.save(model, folder.File($"{name}.pt"), x);
        }

        Python.Run(
            """
            import sys, numpy, torch
            folder, names = sys.argv[1], sys.argv[2].split(",")
            x = torch.from_numpy(numpy.fromfile(folder + "/x", "float32")).reshape(6, 3, 16, 20)
            for name in names:
                model = torch.jit.load(f"{folder}/{name}.pt").train()
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
                for step in range(3):
                    optimizer.zero_grad()
                    torch.nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 2, 3, 4, 0])).backward()
                    optimizer.step()
                model.save(f"{folder}/{name}.trained.pt")
            """, folder.Path, string.Join(',', models.Select(m => m.Name)));
        foreach (var (name, model) in models)
        {
            var before = model.named_parameters().ToDictionary(p => p.name, p => p.parameter.clone());
            model.train();
            var optimizer = optim.SGD(model.parameters(), 0.1, momentum: 0.9);
            for (var step = 0; step < 3; step++)
            {
                optimizer.zero_grad();
                nn.functional.cross_entropy(model.call(x), labels).backward();
                optimizer.step();
            }

            var ours = model.state_dict().ToDictionary(item => item.Key, item => item.Value.clone());
            Assert.Empty(torchscript.load_weights(model, folder.File($"{name}.trained.pt")));
            Assert.All(model.state_dict(), item => Tolerance.AssertClose(ours[item.Key], item.Value, 2e-5, $"{name}: {item.Key}"));
            Assert.All(model.named_parameters(), p => Assert.False(before[p.name].Equals(p.parameter), $"{name}: {p.name} did not change"));
        }
    }
}
