using PlaceRecognition;
using PlaceRecognition.Data;
using SkiaSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

public class PhotoFolderTests
{
    [Fact]
    public void Pictures_of_any_size_and_format_are_read_with_their_positions()
    {
        using var folder = new TemporaryFolder();
        Write(folder.File("@584244.12@4477123.40@17@T@@.jpg"), 40, 30, SKEncodedImageFormat.Jpeg);
        Write(folder.File("@-1.5@2e1@.PNG"), 7, 90, SKEncodedImageFormat.Png);
        File.WriteAllText(folder.File("notes.txt"), "not a picture, not read");
        var places = new PhotoFolder(skipUnreadable: false, minimumSide: 1).ReadFolder(folder.Path);
        Assert.Equal([(-1.5, 20), (584244.12, 4477123.40)], places.Select(place => (place.East, place.North)));

        using var scope = NewDisposeScope();
        var batch = new Pictures(places, new(6, 8)).Batch([1, 0]);
        Assert.Equal([2, 3, 6, 8], batch.shape);
        Assert.InRange(batch.min().item<float>(), 0.75f, 0.85f);   // the pictures are of one grey, 204 of 255
        Assert.InRange(batch.max().item<float>(), 0.75f, 0.85f);
    }

    [Theory]
    [InlineData("street.jpg", "expected a name like @utm_east@utm_north@….jpg")]
    [InlineData("@1@north@.jpg", "expected a name like @utm_east@utm_north@….jpg")]
    [InlineData("@1@2@text.jpg", "not a JPEG or PNG picture")]
    [InlineData("@1@2@empty.png", "not a JPEG or PNG picture")]
    [InlineData("@1@2@half.jpg", "the picture is damaged (IncompleteInput)")]
    [InlineData("@1@2@small.png", "3x3 pixels are too few, the network takes pictures from 8x8")]
    public void A_file_of_no_use_is_named_and_skipped_on_request(string name, string problem)
    {
        using var folder = new TemporaryFolder();
        Write(folder.File("@1@2@good.jpg"), 64, 64, SKEncodedImageFormat.Jpeg);
        var path = folder.File(name);
        switch (Path.GetFileNameWithoutExtension(name))
        {
            case "@1@2@text": File.WriteAllText(path, "this is no picture at all"); break;
            case "@1@2@empty": File.WriteAllBytes(path, []); break;
            case "@1@2@half": WriteHalf(path); break;
            case "@1@2@small": Write(path, 3, 3, SKEncodedImageFormat.Png); break;
            default: Write(path, 64, 64, SKEncodedImageFormat.Jpeg); break;
        }

        var error = Assert.ThrowsAny<Exception>(() => new PhotoFolder(false, 8).ReadFolder(folder.Path));
        var user = error as UserException ?? Assert.IsType<UserException>(error.InnerException);
        Assert.Equal($"{path}: {problem} (--skip-unreadable leaves such files out)", user.Message);

        var skipping = new PhotoFolder(true, 8);
        Assert.Single(skipping.ReadFolder(folder.Path));
        Assert.Equal(1, skipping.Skipped);
    }

    [Fact]
    public void Names_of_drawn_places_say_where_they_are() =>
        Assert.Equal((500012.25, 5400003.5), PhotoName.Position(PhotoName.Of(500012.25, 5400003.5, 90)));

    /// <summary>The first half of a JPEG with enough detail that most of the file is picture.</summary>
    private static void WriteHalf(string path)
    {
        using var bitmap = new SKBitmap(128, 128);
        var random = new Random(1);
        for (var i = 0; i < 128 * 128; i++)
        {
            bitmap.SetPixel(i % 128, i / 128, new SKColor((byte)random.Next(256), (byte)random.Next(256), 0));
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        File.WriteAllBytes(path, data.ToArray()[..(int)(data.Size / 2)]);
    }

    private static void Write(string path, int width, int height, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(width, height);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(new SKColor(204, 204, 204));
        }

        using var data = bitmap.Encode(format, 90);
        using var stream = File.Create(path);
        data.SaveTo(stream);
    }
}
