using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The TorchScript forms of modules that do not say their own, by type: TorchSharp's, and those that users register.</summary>
internal static class ScriptForms
{
    private static readonly ConcurrentDictionary<Type, Func<nn.Module, ScriptDefinition>> forms = new();

    static ScriptForms()
    {
        ActivationForms.Add();
        ContainerForms.Add();
        ConvolutionForms.Add();
        DropoutForms.Add();
        EmbeddingForms.Add();
        LinearForms.Add();
        LossForms.Add();
        NormalizationForms.Add();
        PoolingForms.Add();
        RecurrentForms.Add();
        ShapeForms.Add();
    }

    /// <summary>Gives modules of exactly the type <typeparamref name="T"/> a form: a subclass may compute anything.</summary>
    public static void Add<T>(Func<T, ScriptDefinition> form)
        where T : nn.Module => forms[typeof(T)] = module => form((T)module);

    /// <summary>The same, or for all constructions of a generic type.</summary>
    public static void Add(Type type, Func<nn.Module, ScriptDefinition> form) => forms[type] = form;

    /// <summary>The form of <paramref name="module"/>, or null where none is known.</summary>
    /// <exception cref="NotSupportedException">The module is known, but has no form with its settings.</exception>
    public static ScriptDefinition? Find(nn.Module module)
    {
        var type = module.GetType();
        return forms.TryGetValue(type, out var form) || (type.IsGenericType && forms.TryGetValue(type.GetGenericTypeDefinition(), out form))
            ? form(module)
            : (module as IScriptable)?.script();
    }

    /// <summary>The form of a module that is one expression of its input x.</summary>
    public static ScriptDefinition Line(string expression, params (string, object?)[] attributes) =>
        new($"def forward(self, x: Tensor) -> Tensor:\n    return {expression}", attributes);

    /// <summary>The name of a function that exists in place too.</summary>
    public static string InPlace(this string function, bool inplace) => inplace ? function + "_" : function;

    /// <summary>A parameter or buffer that this instance does not have reads as None.</summary>
    public static (string, object?)[] Absent(params (string name, Tensor? value)[] members) =>
        [.. members.Where(member => member.value is null).Select(member => (member.name, (object?)null))];

    /// <summary>Runs what tries a module out and may change its weights, and leaves these as they were.</summary>
    public static T Restored<T>(IReadOnlyList<Tensor> weights, Func<T> body)
    {
        using var scope = NewDisposeScope();
        var saved = weights.Select(weight => (weight, value: weight.detach().clone(), weight.requires_grad)).ToList();
        try
        {
            return body();
        }
        finally
        {
            using var gradients = no_grad();
            foreach (var (weight, value, trainable) in saved)
            {
                weight.copy_(value);
                weight.requires_grad_(trainable);
            }
        }
    }

    /// <summary>One number for each of <paramref name="count"/> dimensions, where TorchSharp may hold one for all or none.</summary>
    public static long[] Each(long[]? sizes, int count, long otherwise = 0) => sizes switch
    {
        null => [.. Enumerable.Repeat(otherwise, count)],
        [var size] => [.. Enumerable.Repeat(size, count)],
        _ => sizes,
    };
}
