using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PlaceRecognition.Data;
using PlaceRecognition.Model;

namespace PlaceRecognition.Training;

/// <summary>What a run was asked for, as far as it decides the result: a resumed run has the same.</summary>
/// <param name="Data">Folder of photographs; the drawn streets where null.</param>
/// <param name="HardQueries">Whether queries of the drawn streets show much sky or road, or are blurred, three of four.</param>
internal sealed record RunOptions(string? Data, bool SkipUnreadable, bool Quick, bool HardQueries, ImageSize ImageSize, TrainingOptions Training)
{
    /// <param name="fewestEpochs">0 where nothing need be trained.</param>
    /// <exception cref="UserException">An option has a value that cannot be.</exception>
    public void Check(int fewestEpochs = 1)
    {
        UserException.ThrowUnless(
            Math.Min(ImageSize.Height, ImageSize.Width) >= PlaceNetwork.MinimumSide,
            $"--image-size: the network takes images from {PlaceNetwork.MinimumSide}x{PlaceNetwork.MinimumSide} pixels, got {ImageSize}");
        UserException.ThrowUnless(Training.Poolings.Length > 0, "--pooling: expected one or more poolings");
        UserException.ThrowUnless(Training.Poolings.Distinct().Count() == Training.Poolings.Length, $"--pooling: expected each pooling once, got {string.Join(',', Training.Poolings)}");
        foreach (var kind in Training.Poolings)
        {
            Pooling.Find(kind);
        }

        AtLeast(fewestEpochs, "--epochs", Training.Epochs);
        AtLeast(1, "--queries-per-epoch", Training.QueriesPerEpoch);
        AtLeast(1, "--clusters", Training.Clusters);
        AtLeast(1, "--negatives", Training.Negatives);
        UserException.ThrowUnless(Training.LearningRate > 0 && double.IsFinite(Training.LearningRate), $"--learning-rate: expected a positive number, got {Training.LearningRate}");
    }

    /// <summary>The options and a fingerprint of the places, as a checkpoint keeps them.</summary>
    public string Settings(IEnumerable<PlaceSet> sets)
    {
        var places = string.Join('\n', sets.SelectMany(set => set.Database.Concat(set.Queries.Prepend(new Place(set.Name, 0, 0, _ => { })))
            .Select(place => FormattableString.Invariant($"{Path.GetFileName(place.Name)} {place.East} {place.North}"))));
        var json = JsonSerializer.SerializeToNode(this)!.AsObject();
        json["Places"] = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(places)))[..16];
        return json.ToJsonString();
    }

    public static RunOptions OfSettings(string settings) => JsonSerializer.Deserialize<RunOptions>(settings)!;

    /// <summary>What differs between two settings, as <c>Training.Epochs was 2, is 3</c>; empty where nothing does.</summary>
    public static string Difference(string before, string now)
    {
        var (old, current) = (Flat(JsonNode.Parse(before)!, ""), Flat(JsonNode.Parse(now)!, ""));
        return string.Join(", ", old.Keys.Union(current.Keys).Where(key => old.GetValueOrDefault(key) != current.GetValueOrDefault(key))
            .Select(key => $"{key} was {old.GetValueOrDefault(key) ?? "absent"}, is {current.GetValueOrDefault(key) ?? "absent"}"));
    }

    private static Dictionary<string, string> Flat(JsonNode node, string prefix) => node.AsObject()
        .SelectMany(member => member.Value is JsonObject inner
            ? Flat(inner, $"{prefix}{member.Key}.")
            : new Dictionary<string, string> { [prefix + member.Key] = member.Value?.ToJsonString() ?? "none" })
        .ToDictionary(item => item.Key, item => item.Value);

    private static void AtLeast(int fewest, string option, int value) => UserException.ThrowUnless(value >= fewest, $"{option}: expected {fewest} or more, got {value}");
}
