
namespace TorchPooling.Tests.Build;

/// <summary>A test that other systems than Linux show as skipped.</summary>
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
        {
            Skip = "Linux only: tests how its loader, its files or its /proc behave.";
        }
    }
}
