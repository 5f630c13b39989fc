namespace PlaceRecognition.World;

/// <summary>How many streets there are, how long they are (metres), and how densely they are photographed.</summary>
internal sealed record WorldSize(
    int TrainStreets,
    int ValStreets,
    int TestStreets,
    double StreetLength,
    double DatabaseSpacing,
    int QueriesPerStreet);
