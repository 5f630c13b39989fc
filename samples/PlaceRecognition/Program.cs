using TorchSharp;

Console.WriteLine(torch.arange(6).reshape(2, 3).sum().item<long>());
