namespace TorchPooling.Tests;

/// <summary>Collects garbage, on a thread of its own and as often as it can, until it is disposed.</summary>
internal sealed class GarbageCollector : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Thread thread;

    public GarbageCollector()
    {
        thread = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        thread.Start();
    }

    public void Dispose()
    {
        stop.Cancel();
        thread.Join();
        stop.Dispose();
    }
}
