using System.Globalization;
using Experiments;

namespace TorchPooling.Tests.Samples;

/// <summary>What becomes a line for the user, and what stays an exception.</summary>
public class CommandLineTests
{
    private readonly StringWriter error = new(CultureInfo.InvariantCulture) { NewLine = "\n" };

    [Fact]
    public async Task What_the_user_can_mend_is_one_line()
    {
        Assert.Equal(0, await Guard(null));
        Assert.Equal(1, await Guard(new UserException("--size: expected 1,\n\tgot 0")));
        Assert.Equal(1, await Guard(new AggregateException(new IOException("the disk is full"))));
        Assert.Equal(130, await Guard(new OperationCanceledException()));
        Assert.Equal("--size: expected 1, got 0\nthe disk is full\nStopped. Nothing is kept.\n", error.ToString());
    }

    [Fact]
    public async Task A_mistake_of_the_program_keeps_its_stack()
    {
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => new CommandLine(error).Guard(() => Array.Empty<int>().First()));
        Assert.Contains(nameof(A_mistake_of_the_program_keeps_its_stack), thrown.StackTrace, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => Guard(new ArgumentException("NaN cannot be written")));
        Assert.Equal("", error.ToString());
    }

    private Task<int> Guard(Exception? thrown) => new CommandLine(error).Guard(() =>
    {
        if (thrown is not null)
        {
            throw thrown;
        }
    });
}
