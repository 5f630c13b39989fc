namespace PlaceRecognition.World;

/// <summary>What makes a query hard, beyond hour and weather.</summary>
internal enum Challenge
{
    None,

    /// <summary>The camera points up: much of the picture is sky.</summary>
    Sky,

    /// <summary>The camera points down: much of it is road.</summary>
    Road,

    /// <summary>The picture is out of focus.</summary>
    Blur,
}
