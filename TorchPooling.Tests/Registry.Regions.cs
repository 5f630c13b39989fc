namespace TorchPooling.Tests;

public static partial class Registry
{
    private static Case[] Regions =>
    [
    ];
}
