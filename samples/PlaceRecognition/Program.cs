using System.Diagnostics;
using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using PlaceRecognition.World;
using TorchSharp;

string Arg(string name, string fallback) { var i = Array.IndexOf(args, "--" + name); return i < 0 ? fallback : args[i + 1]; }
var size = ImageSize.Parse(Arg("size", "96x128"));
var clock = Stopwatch.StartNew();
var data = StreetData.Create(int.Parse(Arg("seed", "1")), new WorldSize(int.Parse(Arg("train", "12")), 3, int.Parse(Arg("test", "6")), double.Parse(Arg("length", "240")), double.Parse(Arg("spacing", "8")), int.Parse(Arg("q", "50"))));
Pictures Load(IReadOnlyList<Place> p) => new(p, size);
var (trainD, trainQ, valD, valQ, testD, testQ) = (Load(data.Train.Database), Load(data.Train.Queries), Load(data.Val.Database), Load(data.Val.Queries), Load(data.Test.Database), Load(data.Test.Queries));
Console.WriteLine($"rendered {trainD.Places.Count} {trainQ.Places.Count} {valD.Places.Count} {valQ.Places.Count} {testD.Places.Count} {testQ.Places.Count} in {clock.Elapsed.TotalSeconds:0.0} s");
var options = new TrainingOptions(Arg("pooling", "netvlad,avg").Split(','), System.Text.Json.JsonSerializer.Deserialize<long[][]>(Arg("blocks", "[[16],[32],[64],[64]]"))!, int.Parse(Arg("k", "16")), int.Parse(Arg("epochs", "5")), int.Parse(Arg("qpe", "300")), int.Parse(Arg("neg", "5")), double.Parse(Arg("lr", "0.001")), 1);
foreach (var kind in options.Poolings)
{
    torch.manual_seed(options.Seed);
    using var network = new PlaceNetwork(kind, options.Blocks, options.Clusters, size);
    string Test(Pictures d, Pictures q)
    {
        network.eval();
        using var s = torch.NewDisposeScope();
        var r = Recall.Of(Descriptors.Of(network.call, q), Descriptors.Of(network.call, d), q.Places, d.Places);
        return $"{r.At(1):0.000}/{r.At(5):0.000}/{r.At(10):0.000}";
    }
    network.eval();
    if (network.NetVLAD is { } v)
    {
        using var s = torch.NewDisposeScope(); using var g = torch.no_grad();
        var map = network.Features(trainD.Batch([.. Enumerable.Range(0, 100).Select(i => i * trainD.Places.Count / 100)]));
        clock.Restart();
        Console.WriteLine($"alpha {v.Initialize(map.permute(0, 2, 3, 1).reshape(-1, map.size(1))):0.0} {clock.Elapsed.TotalSeconds:0.0} s");
    }
    Console.WriteLine($"{kind} untrained val {Test(valD, valQ)} test {Test(testD, testQ)}");
    using var trainer = new Trainer(network, trainD, trainQ, new TupleMiner(data.Train, options), options);
    for (var e = 0; e < options.Epochs; e++)
    {
        clock.Restart();
        var loss = trainer.Epoch(e, _ => { }, default);
        Console.WriteLine($"{kind} {e} loss {loss:0.0000} val {Test(valD, valQ)} test {Test(testD, testQ)} {clock.Elapsed.TotalSeconds:0.0} s");
    }
}
