namespace PlaceRecognition.World;

/// <summary>One picture to be taken: where the camera stands, in metres, and where it looks.</summary>
/// <param name="Split">The set of streets it belongs to.</param>
/// <param name="IsQuery">A query (any weather and hour), or a database picture (mild daytime).</param>
/// <param name="Street">Index of the street in the whole world.</param>
/// <param name="East">Metres east, UTM-like.</param>
/// <param name="North">Metres north, UTM-like.</param>
/// <param name="Heading">Compass heading in degrees: 0 is north, 90 is east.</param>
/// <param name="Seed">Decides weather, traffic, tilt and sensor.</param>
/// <param name="Challenge">What makes it a hard one.</param>
internal sealed record View(
    Split Split, bool IsQuery, int Street, double East, double North, double Heading, int Seed, Challenge Challenge = Challenge.None);
