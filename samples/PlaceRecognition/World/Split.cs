namespace PlaceRecognition.World;

/// <summary>Which of the three disjoint sets of streets a view belongs to.</summary>
internal enum Split
{
    Train,
    Val,
    Test,
}
