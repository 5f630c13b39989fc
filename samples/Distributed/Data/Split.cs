namespace Distributed.Data;

/// <summary>The images to train on and those held out, of the same classes.</summary>
internal sealed record Split(ImageFolder Train, ImageFolder Val)
{
    /// <summary>Reads FOLDER/train and FOLDER/val.</summary>
    public static Split Read(string folder)
    {
        var split = new Split(new(Path.Combine(folder, "train")), new(Path.Combine(folder, "val")));
        return split.Train.Classes.SequenceEqual(split.Val.Classes)
            ? split
            : throw new UserException(
                $"--data: expected the same classes in train and val of {folder}, got {string.Join(", ", split.Train.Classes)} and {string.Join(", ", split.Val.Classes)}");
    }
}
