using TorchSharp;
using static TorchPooling.Tests.Export.Parity.ParityCase;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

internal static partial class ParityTable
{
    private static IEnumerable<ParityCase> Linears()
    {
        yield return Of("Linear", () => nn.Linear(6, 3), rows);
        yield return Of("Linear without bias", () => nn.Linear(13, 3, hasBias: false), map);
        yield return Of("Bilinear", () => nn.Bilinear(6, 4, 3), rows, Draw(5, 4));
        yield return Of("Bilinear without bias", () => nn.Bilinear(6, 4, 3, hasBias: false), rows, Draw(5, 4));
        yield return Of("CosineSimilarity", () => nn.CosineSimilarity(0, 1e-3), rows, Draw(5, 6) + 1);
        yield return Of("PairwiseDistance", () => nn.PairwiseDistance(3, 0.01, true), rows, Draw(5, 6) + 1);
    }

    private static IEnumerable<ParityCase> Embeddings()
    {
        yield return Of("Embedding", () => nn.Embedding(7, 5), words);
        yield return Of("Embedding with padding", () => nn.Embedding(7, 5, padding_idx: 3), words);
        yield return Of("Embedding with padding at the end", () => nn.Embedding(7, 5, padding_idx: -1), words);
        yield return Of("Embedding of bounded rows", () => nn.Embedding(7, 5, max_norm: 0.3), words);
        yield return Of("Embedding of rows bounded in another norm", () => nn.Embedding(7, 5, max_norm: 1.7, norm_type: 1), words);
        yield return Of("Embedding scaled by frequency", () => nn.Embedding(7, 5, scale_grad_by_freq: true), words);
        yield return Of("Embedding with sparse gradients", () => nn.Embedding(7, 5, padding_idx: 0, sparse: true), words);
        yield return Of("Embedding, frozen", () => nn.Embedding_from_pretrained(Draw(7, 5)), words);
        yield return Of("Embedding of one row", () => nn.Embedding(1, 5, scale_grad_by_freq: true, padding_idx: 0, max_norm: 0.5), words * 0);
        yield return Of("Embedding of one column", () => nn.Embedding(7, 1, max_norm: 0.1, norm_type: 3), words);
        yield return Of("EmbeddingBag of bounded rows, the first padding", () => nn.EmbeddingBag(7, 5, max_norm: 0.3, padding_index: 0), words, null, null);
        yield return Of("Embedding bounded in its largest entry", () => nn.Embedding(7, 5, max_norm: 0.3, norm_type: double.PositiveInfinity), words);
        foreach (var mode in Enum.GetValues<EmbeddingBagMode>())
        {
            yield return Of($"EmbeddingBag {mode}", () => nn.EmbeddingBag(7, 5, mode: mode), words, null, null);
            yield return Of($"EmbeddingBag {mode} of offsets", () => nn.EmbeddingBag(7, 5, mode: mode, padding_index: 3), words.flatten(), starts, null);
        }

        yield return Of(
            "EmbeddingBag of weighted rows", () => nn.EmbeddingBag(7, 5, mode: EmbeddingBagMode.Sum), words.flatten(), starts, Draw(6));
        yield return Of(
            "EmbeddingBag with the last offset", () => nn.EmbeddingBag(7, 5, max_norm: 0.5, include_last_offset: true, scale_grad_by_freq: true), words.flatten(), ends, null);
    }

    private static IEnumerable<ParityCase> Recurrents()
    {
        var (sequence, state, one) = (Draw(3, 5, 4), Draw(4, 5, 6), Draw(1, 5, 6));
        yield return Of("LSTM", () => nn.LSTM(4, 6), sequence, null);
        yield return Of("LSTM with a state", () => nn.LSTM(4, 6), sequence, (one, 2 * one));
        yield return Of("LSTM of two layers in both directions", () => nn.LSTM(4, 6, 2, bias: false, bidirectional: true), sequence, (state, state + 1));
        yield return Of("LSTM, batch first", () => nn.LSTM(4, 6, 2, batchFirst: true), Draw(5, 3, 4), null);
        yield return Of("GRU", () => nn.GRU(4, 6), sequence, one);
        yield return Of("GRU of two layers in both directions", () => nn.GRU(4, 6, 2, bidirectional: true), sequence, state);
        yield return Of("GRU, batch first, without a state", () => nn.GRU(4, 6, bias: false, batchFirst: true), sequence, null!);
        yield return Of("RNN", () => nn.RNN(4, 6), sequence, one);
        yield return Of("RNN of relu", () => nn.RNN(4, 6, 2, nn.NonLinearities.ReLU, bidirectional: true), sequence, state);
        yield return Of("RNN, batch first, without a state", () => nn.RNN(4, 6, batchFirst: true), sequence, null!);
        yield return Of("LSTM of zeros", () => Zeroed(nn.LSTM(2, 1, 2)), Draw(3, 5, 2), null);
        yield return Of("RNN of one hidden unit", () => nn.RNN(2, 1, 2, nn.NonLinearities.ReLU), Draw(3, 5, 2), Draw(2, 5, 1));
        yield return Of("RNN of zeros", () => Zeroed(nn.RNN(2, 1, 2)), Draw(3, 5, 2), Draw(2, 5, 1));
        yield return Of("LSTMCell", () => nn.LSTMCell(4, 6), Draw(5, 4), (Draw(5, 6), Draw(5, 6)));
        yield return Of("LSTMCell without bias", () => nn.LSTMCell(4, 6, bias: false), Draw(5, 4), (Draw(5, 6), Draw(5, 6)));
        yield return Of("GRUCell", () => nn.GRUCell(4, 6), Draw(5, 4), Draw(5, 6));
        yield return Of("GRUCell without a state", () => nn.GRUCell(4, 6, bias: false), Draw(5, 4), null!);
        yield return Of("RNNCell", () => nn.RNNCell(4, 6), Draw(5, 4), Draw(5, 6));
        yield return Of("RNNCell of relu", () => nn.RNNCell(4, 6, nn.NonLinearities.ReLU, bias: false), Draw(5, 4), null!);
    }

    private static IEnumerable<ParityCase> Losses()
    {
        var (x, y, positive, sign) = (rows, Draw(5, 6) * 0.5 + 0.2, rows.abs() + 0.1, rows.sign());
        var (labels, chances, weights) = (tensor(new long[] { 0, 5, 2, 2, 1 }).DetachFromDisposeScope(), rows.sigmoid(), Draw(6).abs().DetachFromDisposeScope());
        foreach (var reduction in Enum.GetValues<nn.Reduction>())
        {
            yield return Of($"L1Loss {reduction}", () => nn.L1Loss(reduction), x, y);
            yield return Of($"MSELoss {reduction}", () => nn.MSELoss(reduction), x, y);
            yield return Of($"SmoothL1Loss {reduction}", () => nn.SmoothL1Loss(reduction, 0.5), x, y);
            yield return Of($"HuberLoss {reduction}", () => nn.HuberLoss(0.5, reduction), x, y);
            yield return Of($"KLDivLoss {reduction}", () => nn.KLDivLoss(false, reduction), x, positive);
            yield return Of($"SoftMarginLoss {reduction}", () => nn.SoftMarginLoss(reduction), x, sign) with { Differentiable = 1 };
            yield return Of($"HingeEmbeddingLoss {reduction}", () => nn.HingeEmbeddingLoss(0.7, reduction), x, sign);
            yield return Of($"MultiMarginLoss {reduction}", () => nn.MultiMarginLoss(1, 0.7, reduction: reduction), x, labels);
            yield return Of($"MultiLabelMarginLoss {reduction}", () => nn.MultiLabelMarginLoss(reduction), x, words.new_full([5, 6], -1).index_fill_(1, tensor(0L), 2));
            yield return Of($"NLLLoss {reduction}", () => nn.NLLLoss(weights, reduction), x, labels);
            yield return Of($"CrossEntropyLoss {reduction}", () => nn.CrossEntropyLoss(weights, 2, reduction), x, labels);
            yield return Of($"BCELoss {reduction}", () => nn.BCELoss(weights, reduction), chances, positive.sigmoid());
            yield return Of($"BCEWithLogitsLoss {reduction}", () => nn.BCEWithLogitsLoss(null, reduction, weights), x, chances);
            yield return Of($"PoissonNLLLoss {reduction}", () => nn.PoissonNLLLoss(false, true, 1e-4f, reduction), positive, positive + 1);
            yield return Of($"MarginRankingLoss {reduction}", () => nn.MarginRankingLoss(0.2, reduction), x, y, sign);
            yield return Of($"TripletMarginLoss {reduction}", () => nn.TripletMarginLoss(0.7, 2, 1e-3, true, reduction), x, y, x * 0.9 + 0.3);
            yield return Of($"MultiLabelSoftMarginLoss {reduction}", () => nn.MultiLabelSoftMarginLoss(null, reduction), x, chances.round());
            yield return Of($"GaussianNLLLoss {reduction}", () => nn.GaussianNLLLoss(true, 0.2f, reduction), x, y, positive);
            yield return Of(
                $"CTCLoss {reduction}", () => nn.CTCLoss(1, true, reduction), Draw(7, 2, 5).log_softmax(2), words,
                tensor(new long[] { 7, 6 }).DetachFromDisposeScope(), tensor(new long[] { 3, 2 }).DetachFromDisposeScope())
                with
            { Differentiable = 0 };   // libtorch 2.10 and PyTorch 1.13 agree only on the gradient before log_softmax
            yield return Of($"CosineEmbeddingLoss {reduction}", () => nn.CosineEmbeddingLoss(0.2, reduction), x, y, sign.select(1, 0));
        }
    }

    private static IEnumerable<ParityCase> Containers()
    {
        yield return Of("Sequential", () => nn.Sequential(nn.Conv2d(4, 3, 3), nn.Sequential(nn.ReLU(), nn.Identity()), nn.Flatten()), map);
        yield return Of("Sequential with names", () => nn.Sequential(("first", nn.Linear(6, 3)), ("2nd", nn.Tanh())), rows);
        yield return Of("Sequential of a type of one's own", () => new Halves(), rows);
        yield return Of("ModuleList and ModuleDict", () => new Lists(), rows) with { OnlyFloat32 = true };
        yield return Of("ParameterList and ParameterDict", () => new Parameters(), rows);
        yield return Of("Identity", () => nn.Identity(), map);
        yield return Of("Lists, tuples and what may be absent", () => new Many(), new[] { rows, rows + 1 }, (rows, 2 * rows), null);
        yield return Of("What may be absent, given", () => new Many(), new[] { rows, rows + 1, rows + 2 }, (rows, 2 * rows), rows - 1);
    }

    private static IEnumerable<ParityCase> Own() => Registry.Cases.Select(item =>
        Of($"TorchPooling {item.Name}", item.Create, Draw(2, item.Channels, 9, 8)) with { Random = item.IsStochastic });

    private static T Zeroed<T>(T module)
        where T : nn.Module
    {
        using var gradients = no_grad();
        foreach (var parameter in module.parameters())
        {
            parameter.zero_();
        }

        return module;
    }
}
