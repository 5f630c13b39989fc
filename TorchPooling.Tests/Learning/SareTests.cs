using static TorchPooling.Tests.Learning.LossTesting;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Learning;

public class SareTests
{
    public static TheoryData<bool, SareKernel> All
    {
        get
        {
            var data = new TheoryData<bool, SareKernel>();
            foreach (var kernel in Enum.GetValues<SareKernel>())
            {
                data.Add(true, kernel);
                data.Add(false, kernel);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(All))]
    public void The_loss_equals_the_loops_of_the_paper(bool joint, SareKernel kernel)
    {
        using var scope = NewDisposeScope();
        var (queries, database) = (Random(1, 6, 5), Random(2, 9, 5));
        var (positives, negatives) = (Mask(1, 0.3, 6, 9), Mask(2, 0.5, 6, 9));
        var expected = Loops(queries, database, positives, negatives, joint, kernel);
        Assert.True(expected > 0.1);
        Assert.Equal(expected, losses.sare(queries, database, positives, negatives, joint, kernel).ToDouble(), 1e-12);
        AssertGradients(x => losses.sare(x[0], x[1], positives, negatives, joint, kernel), queries, database);
        AssertNoLeak(x => losses.sare(x[0], x[1], positives, negatives, joint, kernel), queries, database);

        var half = losses.sare(queries.to(ScalarType.Float16), database.to(ScalarType.Float16), positives, negatives, joint, kernel);
        Assert.Equal(ScalarType.Float32, half.dtype);
        Assert.Equal(expected, half.ToDouble(), expected * 4e-3);
    }

    [Fact]
    public void Hand_computed_queries()
    {
        using var scope = NewDisposeScope();
        var (query, database) = (zeros(1, 1), tensor(new[] { 1f, 1, -1, 2, 5 }).unsqueeze(1));
        var positives = tensor(new[] { true, false, false, false, true }).unsqueeze(0);   // the nearer at d = 1
        var negatives = tensor(new[] { false, true, true, false, false }).unsqueeze(0);   // two, also at d = 1
        foreach (var kernel in Enum.GetValues<SareKernel>())
        {
            Assert.Equal(Math.Log(3), losses.sare(query, database, positives, negatives, true, kernel).ToDouble(), 1e-6);
            Assert.Equal(2 * Math.Log(2), losses.sare(query, database, positives, negatives, false, kernel).ToDouble(), 1e-6);
        }

        // One negative at d = 2: h is e⁻¹ and e⁻⁴, 1/2 and 1/5, e⁻¹ and e⁻².
        negatives = tensor(new[] { false, false, false, true, false }).unsqueeze(0);
        Assert.Equal(Math.Log(1 + Math.Exp(-3)), losses.sare(query, database, positives, negatives).ToDouble(), 1e-6);
        Assert.Equal(Math.Log(1.4), losses.sare(query, database, positives, negatives, kernel: SareKernel.Cauchy).ToDouble(), 1e-6);
        Assert.Equal(Math.Log(1 + Math.Exp(-1)), losses.sare(query, database, positives, negatives, kernel: SareKernel.Exponential).ToDouble(), 1e-6);
    }

    [Theory, MemberData(nameof(All))]
    public void Gradients_are_finite_for_equal_far_and_missing_vectors(bool joint, SareKernel kernel)
    {
        using var scope = NewDisposeScope();
        var positives = tensor(new[,] { { true, false, false }, { false, false, false }, { true, false, false } });
        var negatives = tensor(new[,] { { false, true, true }, { true, true, true }, { false, false, false } });
        var equal = joint ? Math.Log(3) : 2 * Math.Log(2);   // of the first query; the second has no positive, the third no negatives
        Assert.Equal(equal / 3, Finite(x => losses.sare(x[0], x[1], positives, negatives, joint, kernel), zeros(3, 2), zeros(3, 2)), 1e-6);
        Assert.Equal(equal / 3, Finite(x => losses.sare(x[0], x[1], positives, negatives, joint, kernel), ones(3, 2), ones(3, 2)), 1e-6);

        // The positive at d = 100: exp(−d²) is 0 in every precision, −log of it is not.
        var far = tensor(new float[,] { { 100, 0 }, { 0, 0 }, { 0, 0 } });
        var attracted = kernel switch { SareKernel.Gaussian => 10000, SareKernel.Cauchy => Math.Log(10001), _ => 100 };
        var expected = joint ? Math.Log(Math.Exp(-attracted) + 2) + attracted : 2 * Math.Log(1 + Math.Exp(-attracted)) + 2 * attracted;
        Assert.Equal(expected / 3, Finite(x => losses.sare(x[0], x[1], positives, negatives, joint, kernel), zeros(3, 2), far), 1e-3);

        var none = zeros(0, 3, dtype: ScalarType.Bool);
        Assert.Equal(0, Finite(x => losses.sare(x[0], x[1], none, none, joint, kernel), zeros(0, 2), far));
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var (q, d, mask) = (rand(2, 3), rand(4, 3), zeros(2, 4, dtype: ScalarType.Bool));
        Refused<ArgumentException>("expected descriptors (M, D ≥ 1), got 1 dimensions (3)", () => losses.sare(rand(3), d, mask, mask));
        Refused<ArgumentException>("expected the shape (2, 4), got 2 dimensions (2, 3)", () => losses.sare(q, d, mask, mask[.., ..3]));
        Refused<ArgumentException>("expected Bool on cpu, got Float32 on cpu (Parameter 'positives')", () => losses.sare(q, d, mask.to(ScalarType.Float32), mask));
        Refused<ArgumentOutOfRangeException>("expected Gaussian, Cauchy or Exponential", () => losses.sare(q, d, mask, mask, kernel: (SareKernel)3));
    }

    private static double Loops(Tensor queries, Tensor database, Tensor positives, Tensor negatives, bool joint, SareKernel kernel)
    {
        var (q, d, isPositive, isNegative) = (Rows(queries), Rows(database), Marks(positives), Marks(negatives));
        double sum = 0;
        for (var i = 0; i < q.Length; i++)
        {
            var similarity = Array.ConvertAll(d, row => Kernel(Squared(q[i], row)));
            double best = 0, all = 0;
            for (var j = 0; j < d.Length; j++)
            {
                best = isPositive[i][j] ? Math.Max(best, similarity[j]) : best;
            }

            for (var j = 0; j < d.Length && best > 0; j++)
            {
                all += isNegative[i][j] ? similarity[j] : 0;
                sum += isNegative[i][j] && !joint ? -Math.Log(best / (best + similarity[j])) : 0;
            }

            sum += joint && best > 0 ? -Math.Log(best / (best + all)) : 0;
        }

        return sum / q.Length;

        double Kernel(double squared) => kernel switch
        {
            SareKernel.Gaussian => Math.Exp(-squared),
            SareKernel.Cauchy => 1 / (1 + squared),
            _ => Math.Exp(-Math.Sqrt(squared)),
        };
    }
}
