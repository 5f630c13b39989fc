using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Recurrent layers. TorchSharp tells neither their order of dimensions nor what is native in them, so that is read off
/// what they do; what cannot be seen is refused.</summary>
internal static class RecurrentForms
{
    private const string Attention = "TorchSharp does not tell its number of heads and its dropout: register a form that states them";

    public static void Add()
    {
        ScriptForms.Add<LSTM>(m => Long(Shape.Of(m, x => m.forward(x).Item2)));
        ScriptForms.Add<GRU>(m => Short("gru", Shape.Of(m, x => m.forward(x).Item2)));
        ScriptForms.Add<RNN>(m => Short($"rnn_{Nonlinearity(m, x => m.forward(x, null).Item1)}", Shape.Of(m, x => m.forward(x, null).Item2)));
        ScriptForms.Add<LSTMCell>(m => new(
            """
            def forward(self, x: Tensor, hx: Optional[Tuple[Tensor, Tensor]]=None) -> Tuple[Tensor, Tensor]:
                if hx is None:
                    h = torch.zeros([x.size(0), self.weight_hh.size(1)], dtype=x.dtype, device=x.device)
                    c = h
                else:
                    h, c = hx
                return torch.lstm_cell(x, [h, c], self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
            """,
            Biases(m)));
        ScriptForms.Add<GRUCell>(m => Cell("gru_cell", m));
        ScriptForms.Add<RNNCell>(m => Cell($"rnn_{Nonlinearity(m, x => m.forward(x))}_cell", m));
        ScriptForms.Add<MultiheadAttention>(_ => throw new NotSupportedException(Attention));
        ScriptForms.Add<Transformer>(_ => throw new NotSupportedException(Attention));
        ScriptForms.Add<TransformerEncoder>(_ => throw new NotSupportedException(Attention));
        ScriptForms.Add<TransformerEncoderLayer>(_ => throw new NotSupportedException(Attention));
        ScriptForms.Add<TransformerDecoder>(_ => throw new NotSupportedException(Attention));
        ScriptForms.Add<TransformerDecoderLayer>(_ => throw new NotSupportedException(Attention));
    }

    private static ScriptDefinition Long(Shape shape) => new(
        $"""
        def forward(self, x: Tensor, hx: Optional[Tuple[Tensor, Tensor]]=None) -> Tuple[Tensor, Tensor, Tensor]:
            if hx is None:
                h = {shape.Zeros}
                c = h
            else:
                h, c = hx
            weights = [{shape.Weights}]
            return torch.lstm(x, [h, c], weights, {Shape.Arguments})
        """,
        shape.Attributes);

    private static ScriptDefinition Short(string function, Shape shape) => new(
        $"""
        def forward(self, x: Tensor, h0: Optional[Tensor]=None) -> Tuple[Tensor, Tensor]:
            h = h0
            if h is None:
                h = {shape.Zeros}
            weights = [{shape.Weights}]
            return torch.{function}(x, h, weights, {Shape.Arguments})
        """,
        shape.Attributes);

    private static ScriptDefinition Cell(string function, nn.Module module) => new(
        $"""
        def forward(self, x: Tensor, h0: Optional[Tensor]=None) -> Tensor:
            h = h0
            if h is None:
                h = torch.zeros([x.size(0), self.weight_hh.size(1)], dtype=x.dtype, device=x.device)
            return torch.{function}(x, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        """,
        Biases(module));

    private static (string, object?)[] Biases(nn.Module cell) =>
        cell.get_parameter("bias_ih") is null ? [("bias_ih", null), ("bias_hh", null)] : [];

    /// <summary>Only relu goes beyond 1.</summary>
    private static string Nonlinearity(nn.Module module, Func<Tensor, Tensor> forward) => Tried(module, () =>
    {
        var weight = module.parameters().First();
        var input = Held(1000) * ones(module is RNN ? [1, 1, weight.size(1)] : [1, weight.size(1)], dtype: weight.dtype, device: weight.device);
        return forward(input).max().ToDouble() > 1 ? "relu" : "tanh";
    });

    /// <summary>Tries a module out with weights that let everything through.</summary>
    private static T Tried<T>(nn.Module module, Func<T> body)
    {
        Tensor[] weights = [.. module.parameters()];
        return ScriptForms.Restored(weights, () =>
        {
            using var gradients = no_grad();
            Array.ForEach(weights, weight => weight.fill_(Held(0.5)));
            return body();
        });
    }

    /// <summary>The settings of a recurrent layer, off the names and shapes of its parameters and the shape of its state.</summary>
    private sealed record Shape(string Weights, bool Biased, long Layers, bool Bidirectional, long Hidden, bool BatchFirst)
    {
        public const string Arguments = "self.bias, self.num_layers, 0.0, self.training, self.bidirectional, self.batch_first";

        public string Zeros =>
            $"torch.zeros([{(Bidirectional ? 2 : 1)} * self.num_layers, x.size(0 if self.batch_first else 1), self.hidden_size], dtype=x.dtype, device=x.device)";

        public (string, object?)[] Attributes =>
        [
            ("bias", Biased), ("num_layers", Layers), ("hidden_size", Hidden), ("bidirectional", Bidirectional), ("batch_first", BatchFirst),
        ];

        /// <param name="module">The layer.</param>
        /// <param name="state">From an input to the last hidden state (layers, N, hidden).</param>
        public static Shape Of(nn.Module module, Func<Tensor, Tensor> state)
        {
            var weights = module.named_parameters().ToList();
            var names = weights.Select(w => w.name).ToList();
            var layers = names.Count(name => name.StartsWith("weight_hh_l", StringComparison.Ordinal) && !name.EndsWith("_reverse", StringComparison.Ordinal));
            var (first, hidden) = (weights[0].parameter, weights[1].parameter.size(1));
            var (batchFirst, drops) = Tried(module, () =>
            {
                var input = ones([2, 64, first.size(1)], dtype: first.dtype, device: first.device);
                return (state(input).size(1) == 2, layers > 1 && Drops(module, () => state(input)));
            });
            if (drops)
            {
                throw new NotSupportedException("TorchSharp does not tell the dropout between its layers: register a form that states it");
            }

            return new(
                string.Join(", ", names.Select(name => $"self.{name}")), names.Contains("bias_ih_l0"), layers, names.Contains("weight_hh_l0_reverse"),
                hidden, batchFirst);
        }

        private static bool Drops(nn.Module module, Func<Tensor> state)
        {
            var (training, random) = (module.training, get_rng_state());
            try
            {
                module.train();
                var once = state();
                return Enumerable.Range(0, 8).Any(_ => !state().Equals(once));
            }
            finally
            {
                module.train(training);
                set_rng_state(random);
            }
        }
    }
}
