using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Has libtorch read TorchScript that may be wrong.</summary>
/// <remarks>
/// libtorch throws torch::jit::ErrorReport for source that does not compile, and exceptions of the C++ library for what
/// is wrong in other ways, which TorchSharp does not catch: on Linux the C++ runtime would end the process. So it reads on a
/// thread of its own under a terminate handler that hands the message over and never returns; that thread is lost. On
/// Windows .NET makes an exception of it.
/// </remarks>
internal static unsafe partial class ScriptLoader
{
    private const int StackSize = 512 << 20;   // reserved, not used: libtorch recurses over source and data (see SourceDepth)
    private const int CatchInVtable = 4;   // of std::type_info: after two destructors and two questions
    private const int WhatInVtable = 2;   // of std::exception: after two destructors

    private static readonly Lock OneAtATime = new();   // the handler is the process's

    [ThreadStatic]
    private static Attempt? running;
    private static delegate* unmanaged<void> previous;

    /// <summary>Runs <paramref name="load"/> on a thread of its own; what C++ throws in it becomes an exception.</summary>
    /// <exception cref="ExternalException">C++ code threw; the message is libtorch's.</exception>
    public static T Guard<T>(Func<T> load)
    {
        T? result = default;
        var attempt = new Attempt(() => result = load());
        if (OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64)
        {
            RunUnderHandler(attempt);
        }
        else
        {
            RunOnItsThread(attempt);
        }

        attempt.ThrowIfFailed();
        return result!;
    }

    /// <summary>Frees a loaded module. Its Dispose goes through all modules below it for each of them: nested 16 deep, for half a minute.</summary>
    public static void Release(jit.ScriptModule module)
    {
        foreach (var tensor in ModuleTensors.Own(module))
        {
            tensor.Value.Dispose();
        }

        var handle = (SafeHandle)typeof(nn.Module).GetField("handle", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(module)!;
        handle.Dispose();
        GC.SuppressFinalize(module);
    }

    /// <summary>libtorch's message without its C++ stack.</summary>
    public static string Message(Exception e) => e.Message.Split("\nException raised from")[0].Trim();

    private static void RunUnderHandler(Attempt attempt)
    {
        lock (OneAtATime)
        {
            previous = SetTerminate(&OnTerminate);
            try
            {
                RunOnItsThread(attempt);
            }
            finally
            {
                _ = SetTerminate(previous);
            }
        }
    }

    private static void RunOnItsThread(Attempt attempt)
    {
        new Thread(attempt.Run, StackSize) { IsBackground = true, Name = "TorchScript loading" }.Start();
        attempt.Done.Wait();
    }

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
        var type = CurrentExceptionType();
        if (type == 0)
        {
            return "the C++ runtime gave up";
        }

        CurrentException(out var thrown);
        var name = Marshal.PtrToStringUTF8(((nint*)type)[1]);
        var any = NativeLibrary.GetExport(NativeLibrary.Load("libstdc++.so.6"), "_ZTISt9exception");
        var catches = (delegate* unmanaged<nint, nint, nint*, uint, byte>)(*(nint**)any)[CatchInVtable];
        if (catches(any, type, &thrown, 1) == 0)
        {
            return $"a native exception of type {name}";
        }

        var what = (delegate* unmanaged<nint, nint>)(*(nint**)thrown)[WhatInVtable];
        return Marshal.PtrToStringUTF8(what(thrown))?.Trim() is { Length: > 0 } message ? message : $"a native exception of type {name}";
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
