
namespace TorchPooling.Tests.Build;

/// <summary>A test that other systems than Linux show as skipped.</summary>
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
        {
            Skip = "Linux only: its loader or its /proc is what counts.";
        }
    }
}
