using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stability.Claims;
using Stability.Commands;
using Stability.Data;
using Stability.Measures;
using Stability.Model;
using Stability.Report.Sections;
using Stability.Training;

namespace Stability.Report;

/// <summary>All that a run measured: what <c>metrics.json</c> holds, and the report shows.</summary>
internal sealed record Metrics(
    RunOptions Options, Budget Budget, Source Source, IReadOnlyList<Transform> Transforms, IReadOnlyList<TrainedNetwork> Networks, IReadOnlyList<Retention> Retained,
    IReadOnlyList<TurnedGlyphs> Turned, IReadOnlyList<Heads> Heads, IReadOnlyList<TextureAndBackground> Texture, IReadOnlyList<Overlap> Overlaps,
    string Device, double Seconds)
{
    // A layer that is dead has no sensitivity: "NaN".
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The seeds of one kind of network.</summary>
    public IReadOnlyList<TrainedNetwork> Of(PoolingKind pooling, Start start) => [.. Networks.Where(network => network.Pooling == pooling && network.Start == start)];

    /// <summary>The notes', in the order of the report.</summary>
    public IReadOnlyList<Claim> Claims() =>
    [
        CentralSection.Of(this), TranslationSection.Of(this), RetainedSection.OfScale(this), TurnedSection.Of(this), RetainedSection.OfSlight(this), HeadsSection.Of(this), TextureSection.Of(this),
        OverlapSection.Of(this),
    ];

    public void Write(Stream stream) => JsonSerializer.Serialize(
        stream,
        new
        {
            options = new
            {
                data = Options.Data,
                quick = Options.Quick,
                epochs = Options.Epochs,
                seeds = Options.Seeds,
                batch_size = Budget.BatchSize,
                learning_rate = Budget.LearningRate,
                weight_decay = Budget.WeightDecay,
            },
            train_pictures = Source.Train.Count,
            test_pictures = Source.Test.Count,
            pixels_a_side = Source.Side,
            layers = Network.Layers.Select(layer => layer.Name),
            networks = Networks.Select(network => new
            {
                pooling = network.Pooling.Name,
                start = network.Start.Name,
                sigma = network.Start.Sigma,
                seed = network.Seed,
                parameters = network.Parameters,
                train_seconds = Math.Round(network.Curve.Seconds, 2),
                loss = network.Curve.Loss,
                before = Described(network.Before),
                after = Described(network.After),
            }),
            claims = Claims().Select(claim => new
            {
                claim = claim.Title,
                measured = claim.Word,
                parts = claim.Parts.Select(part => new { measured = part.Text, verdict = part.Word }),
            }),
            pooling_effects = Transforms.ToDictionary(transform => transform.Key, transform => new
            {
                scores_before = Effect(Central.PoolingEffect(this, transform.Key, Central.Scores, trained: false)),
                scores_after = Effect(Central.PoolingEffect(this, transform.Key, Central.Scores, trained: true)),
                last_pooling_before = Effect(Central.PoolingEffect(this, transform.Key, Central.LastPooling, trained: false)),
                last_pooling_after = Effect(Central.PoolingEffect(this, transform.Key, Central.LastPooling, trained: true)),
            }),
            smoothness_and_sensitivity = Central.Smoothness(this).Select(item => new
            {
                layer = item.Layer,
                networks = item.Networks,
                trained = item.Trained,
                pairs = item.Correlation.Count,
                correlation = Finite(item.Correlation.Value),
                by_chance = Finite(item.Correlation.Chance),
            }),
            translation_example = TranslationExample.Rows().Select(row => new { row = row.Input, max = row.Max, mean = row.Mean }),
            translation_same_maximum = TranslationExample.Shares().Select(share => new { window = share.Window, measured = share.Measured, expected = share.Expected }),
            retained = Retained.Select(item => new
            {
                transform = item.Transform,
                pooling = item.Pooling,
                window = item.Window,
                kept = Value(Estimate.Of(item.Kept)),
                change = Value(Estimate.Of(item.Change)),
            }),
            turned_glyphs = Turned.Select(item => new
            {
                network = item.Bank.Name,
                turned_by_up_to = item.Bank.Range,
                seed = item.Seed,
                parameters = item.Parameters,
                accuracy = item.Accuracy,
                found_by_each_and_maximum = item.Found,
                at_the_worst_angle = item.Worst,
                largest_answer = item.Wins,
                preferred_degrees = item.Preferred,
                closest_degrees = Finite(item.Apart),
            }),
            heads = Heads.Select(item => new
            {
                network = item.Name,
                parameters = item.Parameters,
                of_linear_layer = item.Linear,
                accuracy = Value(item.Of(run => run.Test)),
                train_accuracy = Value(item.Of(run => run.Train)),
                train_less_test = Value(item.Of(run => run.Gap)),
                train_seconds = Value(item.Of(run => run.Seconds)),
            }),
            texture_and_background = Texture.Select(item => new
            {
                pooling = item.Pooling,
                window = item.Window,
                bright_points_decibels = Value(item.Of(kept => kept.Bright)),
                dark_points_decibels = Value(item.Of(kept => kept.Dark)),
                dense_texture_decibels = Value(item.Of(kept => kept.Dense)),
                background_decibels = Value(item.Of(kept => kept.Background)),
                scatter = Value(item.Of(kept => kept.Scatter)),
                shift_of_mean = Value(item.Of(kept => kept.Shift)),
                shift_of_mean_in_own_deviations = Value(item.Of(kept => kept.OwnShift)),
            }),
            overlapping = Overlaps.Select(item => new
            {
                pooling = item.Pooling,
                window = item.Window,
                stride = item.Stride,
                outputs = item.Outputs,
                values_read = item.Reads,
                milliseconds = Value(Estimate.Of(item.Milliseconds)),
                reconstruction = Finite(item.Pictures.Explained),
                position_error_pixels = Finite(item.Places.Error),
            }),
            device = Device,
            seconds = Math.Round(Seconds, 1),
        },
        Indented);

    private static object Described(Snapshot snapshot) => new
    {
        accuracy = snapshot.Accuracy,
        shift_consistency = snapshot.ShiftConsistency,
        sensitivity = snapshot.Sensitivity,
        filters = snapshot.Blocks.Select(Described),
        all_filters = Described(snapshot.Filters),
    };

    private static object Described(Smoothness filters) => new
    {
        total_variation = filters.TotalVariation,
        total_variation_ratio = filters.Ratio,
        low_frequency_share = filters.LowFrequencyShare,
    };

    private static object Value(Estimate estimate) => new { mean = Finite(estimate.Mean), standard_error = Finite(estimate.Error) };

    /// <summary>Null for what cannot be told from so few networks.</summary>
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static object Effect(PoolingEffect effect) => new
    {
        explained = Finite(effect.Explained),
        by_chance = Finite(effect.Chance),
        most_over_least = Finite(effect.Ratio),
        deviation_over_poolings = Value(Estimate.Of(effect.Spread)),
    };
}
