using System.Text.RegularExpressions;
using TorchPooling.Tests.Build;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

/// <summary>Every local pooling closes the blocks of a VGG backbone.</summary>
public partial class BackboneTests
{
    public static TheoryData<Case> Local =>
    [
        .. Registry.Cases.Where(item => item.IsLocal),
        new Case("nn.MaxPool2d", () => nn.MaxPool2d(2)),
        new Case("nn.AvgPool2d", () => nn.AvgPool2d(2)),
    ];

    [Fact]
    public void Local_are_all_poolings_of_windows_in_the_README()
    {
        var readme = File.ReadAllText(Path.Combine(Dotnet.Repository, "README.md")).ReplaceLineEndings("\n");
        var table = readme[readme.IndexOf("| windows of a map", StringComparison.Ordinal)..].Split("\n\n")[0];
        var named = OwnModules().Matches(table).Select(match => match.Groups[1].Value).ToList();
        Assert.True(named.Count > 10, $"{named.Count} poolings");
        Assert.Subset(Registry.Cases.Where(item => item.IsLocal).Select(item => item.Make().GetType().Name).ToHashSet(), named.ToHashSet());
    }

    [Theory, MemberData(nameof(Local))]
    public void A_backbone_with_it_learns_and_leaves_as_TorchScript(Case item)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var backbone = new VggBackbone([[item.Channels], [item.Channels]], pool: _ => item.Make());
        var network = nn.Sequential(backbone, nn.AdaptiveAvgPool2d([1, 1]), nn.Flatten(), nn.Linear(item.Channels, 2));
        Seeded.Start(network, 1);
        var (images, labels) = (Seeded.Normal(1, [8, 3, 16, 16]), tensor(new long[] { 0, 1, 0, 1, 0, 1, 0, 1 }));
        images[labels == 1] += 1;
        var optimizer = optim.Adam(network.parameters(), 0.02);
        var before = Loss();
        var after = before;
        for (var step = 1; step <= 200 && after >= 0.9 * before; step++)
        {
            optimizer.zero_grad();
            nn.functional.cross_entropy(network.call(images), labels).backward();
            Assert.All(network.named_parameters(), p => Assert.True(p.parameter.grad!.isfinite().all().ToBoolean(), p.name));
            optimizer.step();
            after = step % 10 == 0 ? Loss() : after;
        }

        Assert.True(after < 0.9 * before, $"{item}: the loss went from {before:0.000} to {after:0.000}");

        torchscript.save(network, folder.File("m.pt"), images[..2]);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        network.eval();
        script.eval();
        Tolerance.AssertClose(network.call(images), script.call(images), where: item.Name);

        double Loss()
        {
            network.eval();
            using var gradients = no_grad();
            var loss = nn.functional.cross_entropy(network.call(images), labels).ToDouble();
            network.train();
            return loss;
        }
    }

    [GeneratedRegex(@"`([A-Z]\w+)`")]
    private static partial Regex OwnModules();
}
