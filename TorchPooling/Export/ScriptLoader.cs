using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace TorchPooling;

/// <summary>Has libtorch read TorchScript whose source may be wrong, and write it in its own form.</summary>
/// <remarks>
/// libtorch throws torch::jit::ErrorReport for source that does not compile, which TorchSharp does not catch: on Linux the
/// C++ runtime would end the process. So it reads on a thread of its own under a terminate handler that hands the
/// message over and never returns; that thread is lost. On Windows .NET makes an exception of it.
/// </remarks>
internal static unsafe partial class ScriptLoader
{
    private const string ErrorReport = "N5torch3jit11ErrorReportE";
    private const int WhatInVtable = 2;   // after the two destructors of std::exception

    private static readonly Lock OneAtATime = new();   // the handler is the process's

    [ThreadStatic]
    private static Attempt? running;
    private static delegate* unmanaged<void> previous;

    /// <exception cref="ExternalException">The file is no TorchScript archive, or its source does not compile; libtorch's
    /// message says where.</exception>
    public static T Guard<T>(Func<T> load)
    {
        T result = default!;
        var attempt = new Attempt(() => result = load());
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            attempt.Run();
            attempt.ThrowIfFailed();
            return result;
        }

        lock (OneAtATime)
        {
            previous = SetTerminate(&OnTerminate);
            try
            {
                new Thread(attempt.Run) { IsBackground = true, Name = "TorchScript compilation" }.Start();
                attempt.Done.Wait();
            }
            finally
            {
                _ = SetTerminate(previous);
            }
        }

        attempt.ThrowIfFailed();
        return result;
    }

    /// <summary>libtorch's message without its C++ stack.</summary>
    public static string Message(Exception e) => e.Message.Split("\nException raised from")[0].Trim();

    [UnmanagedCallersOnly]
    private static void OnTerminate()
    {
        if (running is { } attempt)
        {
            attempt.Fail(CurrentMessage());
            Thread.Sleep(Timeout.Infinite);
        }

        previous();
    }

    private static string CurrentMessage()
    {
        var type = Marshal.PtrToStringUTF8(((nint*)CurrentExceptionType())[1]) ?? "";
        if (type != ErrorReport)
        {
            return $"a native exception of type {type}";
        }

        CurrentException(out var thrown);
        var what = (delegate* unmanaged<nint, nint>)(*(nint**)thrown)[WhatInVtable];
        return Marshal.PtrToStringUTF8(what(thrown))?.Trim() ?? type;
    }

    [LibraryImport("libstdc++.so.6", EntryPoint = "_ZSt13set_terminatePFvvE")]
    private static partial delegate* unmanaged<void> SetTerminate(delegate* unmanaged<void> handler);

    [LibraryImport("libstdc++.so.6", EntryPoint = "__cxa_current_exception_type")]
    private static partial nint CurrentExceptionType();

    // std::exception_ptr, one pointer to the thrown object, is returned through a hidden first argument.
    [LibraryImport("libstdc++.so.6", EntryPoint = "_ZSt17current_exceptionv")]
    private static partial void CurrentException(out nint thrown);

    private sealed class Attempt(Action load)
    {
        private Exception? error;

        public ManualResetEventSlim Done { get; } = new();

        public void Run()
        {
            running = this;
            try
            {
                load();
            }
            catch (Exception e)
            {
                error = e;
            }

            running = null;
            Done.Set();
        }

        public void Fail(string message)
        {
            error = new ExternalException(message);
            Done.Set();
        }

        public void ThrowIfFailed()
        {
            if (error is not null)
            {
                ExceptionDispatchInfo.Throw(error);
            }
        }
    }
}
