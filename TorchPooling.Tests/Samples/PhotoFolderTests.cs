using Experiments;
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
        Write(folder.File("@-1.5@2e1@.PNG"), 9, 90, SKEncodedImageFormat.Png);
        File.WriteAllText(folder.File("notes.txt"), "not a picture, not read");
        var places = new PhotoFolder(skipUnreadable: false).ReadFolder(folder.Path);
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

        var error = Assert.ThrowsAny<Exception>(() => new PhotoFolder(false).ReadFolder(folder.Path));
        var user = error as UserException ?? Assert.IsType<UserException>(error.InnerException);
        Assert.Equal($"{path}: {problem} (--skip-unreadable leaves such files out)", user.Message);

        var skipping = new PhotoFolder(true);
        Assert.Single(skipping.ReadFolder(folder.Path));
        Assert.Equal(1, skipping.Skipped);
    }

    [Theory]
    [InlineData(1, "red green blue white")]
    [InlineData(2, "green red white blue")]
    [InlineData(3, "white blue green red")]
    [InlineData(4, "blue white red green")]
    [InlineData(5, "red blue green white")]
    [InlineData(6, "blue red white green")]
    [InlineData(7, "white green blue red")]
    [InlineData(8, "green white red blue")]
    public void A_photograph_is_turned_upright_as_its_EXIF_orientation_says(byte orientation, string corners)
    {
        // Stored: red and green in the upper corners, blue and white in the lower.
        using var folder = new TemporaryFolder();
        var path = folder.File("@1@2@.jpg");
        using (var bitmap = new SKBitmap(64, 32))
        {
            using (var canvas = new SKCanvas(bitmap))
            {
                foreach (var (x, y, color) in new[] { (0, 0, SKColors.Red), (32, 0, SKColors.Lime), (0, 16, SKColors.Blue), (32, 16, SKColors.White) })
                {
                    using var paint = new SKPaint { Color = color };
                    canvas.DrawRect(x, y, 32, 16, paint);
                }
            }

            using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 95);
            byte[] exif =
            [
                0xff, 0xe1, 0, 34, (byte)'E', (byte)'x', (byte)'i', (byte)'f', 0, 0, (byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8,
                0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
            ];
            File.WriteAllBytes(path, [.. data.ToArray()[..2], .. exif, .. data.ToArray()[2..]]);
        }

        using var upright = PhotoFolder.ReadOne(path).Picture(40, 40);
        Assert.Equal(corners, string.Join(' ', new[] { (10, 10), (30, 10), (10, 30), (30, 30) }.Select(p => Name(upright.GetPixel(p.Item1, p.Item2)))));

        static string Name(SKColor color) => (color.Red > 128, color.Green > 128, color.Blue > 128) switch
        {
            (true, true, true) => "white",
            (true, false, false) => "red",
            (false, true, false) => "green",
            (false, false, true) => "blue",
            _ => $"{color}",
        };
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
