namespace TorchPooling.Tests.Samples;

/// <summary>Dropout draws from the generator of the process, so nothing else may draw meanwhile.</summary>
[Collection(nameof(AloneCollection))]
public class DropoutTests
{
    [Fact]
    public async Task A_stopped_run_with_dropout_resumes_to_the_same_numbers()
    {
        using var folder = new TemporaryFolder();
        string[] options = ["--quick", "--pooling", "salad", "--queries-per-epoch", "8", "--image-size", "36x48", "--epochs", "2"];
        await PlaceRecognitionTests.Succeeds([.. options, "--out", folder.File("whole")]);
        await PlaceRecognitionTests.StoppedAfter("salad", 1, [.. options, "--out", folder.File("parts")]);
        await PlaceRecognitionTests.Succeeds("--out", folder.File("parts"), "--resume");
        Assert.Equal(PlaceRecognitionTests.Numbers(folder.File("whole")), PlaceRecognitionTests.Numbers(folder.File("parts")));
    }
}
