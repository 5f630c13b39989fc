namespace TorchPooling;

/// <summary>The operators as functions, as <c>torch.nn.functional</c> is to its modules; each stands in the file of its module.</summary>
public static partial class pooling
{
}
