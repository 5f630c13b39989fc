using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

/// <summary>What every pooling over regions takes and refuses.</summary>
public class RegionArgumentsTests
{
    private static readonly (string Name, Func<Tensor, Tensor, Tensor> Pool, Func<Tensor, IReadOnlyList<Tensor>, Tensor> OfLists)[] Operators =
    [
        ("RoIAlign", (x, boxes) => new RoIAlign(2).call(x, boxes), (x, boxes) => new RoIAlign(2).forward(x, boxes)),
        ("RoIAlign 2", (x, boxes) => pooling.roi_align(x, boxes, 2, sampling_ratio: 2), (x, boxes) => pooling.roi_align(x, boxes, 2, sampling_ratio: 2)),
        ("RoIPool", (x, boxes) => new RoIPool(2).call(x, boxes), (x, boxes) => new RoIPool(2).forward(x, boxes)),
        ("PSRoIAlign", (x, boxes) => new PSRoIAlign(2).call(x, boxes), (x, boxes) => new PSRoIAlign(2).forward(x, boxes)),
        ("PSRoIPool", (x, boxes) => new PSRoIPool(2).call(x, boxes), (x, boxes) => new PSRoIPool(2).forward(x, boxes)),
        ("RoISpatialPyramidPool", (x, boxes) => new RoISpatialPyramidPool([2]).call(x, boxes), (x, boxes) => new RoISpatialPyramidPool([2]).forward(x, boxes)),
        ("MultiScaleRoIAlign", (x, boxes) => new MultiScaleRoIAlign(2, [1]).call([x], boxes), (x, boxes) => new MultiScaleRoIAlign(2, [1]).forward([x], boxes)),
    ];

    public static TheoryData<string> Names => new(Operators.Select(op => op.Name));

    [Theory, MemberData(nameof(Names))]
    public void A_list_for_each_image_is_one_tensor_with_the_image_in_front(string name)
    {
        using var scope = NewDisposeScope();
        var (_, pool, of_lists) = Operators.Single(op => op.Name == name);
        foreach (var dtype in new[] { ScalarType.Float32, ScalarType.Float64, ScalarType.Float16 })
        {
            var x = Seeded.Normal(1, [3, 4, 6, 5]).to(dtype);
            Tensor[] lists = [.. new[] { 2L, 0, 1 }.Select(count => (Seeded.Normal(count, [count, 4]) + 2).to(dtype))];
            var wide = dtype == ScalarType.Float16 ? ScalarType.Float32 : dtype;
            var rows = cat([tensor(new[] { 0.0, 0, 2 }).to(wide).unsqueeze(1), cat(lists).to(wide)], 1);
            Tolerance.AssertClose(pool(x, rows), of_lists(x, lists), 0);
        }

        var none = of_lists(rand(0, 4, 6, 5), []);
        Assert.Equal(0, none.numel());
    }

    [Theory, MemberData(nameof(Names))]
    public void No_boxes_give_no_rows_and_a_gradient_of_zero(string name)
    {
        using var scope = NewDisposeScope();
        var pool = Operators.Single(op => op.Name == name).Pool;
        var x = rand(2, 4, 6, 5).requires_grad_();
        var y = pool(x, zeros(0, 5));
        Assert.Equal(0, y.size(0));
        Assert.Equal(pool(x, zeros(1, 5)).shape[1..], y.shape[1..]);
        y.sum().backward();
        Tolerance.AssertClose(zeros_like(x), x.grad!, 0);
    }

    [Theory, MemberData(nameof(Names))]
    public void Boxes_take_no_gradient_and_the_output_of_nothing_to_train_needs_none(string name)
    {
        using var scope = NewDisposeScope();
        var pool = Operators.Single(op => op.Name == name).Pool;
        var (x, boxes) = (rand(1, 4, 6, 5), tensor(new float[,] { { 0, 1, 1, 4, 4 } }).requires_grad_());
        Assert.False(pool(x, boxes).requires_grad);
        pool(x.requires_grad_(), boxes).sum().backward();
        Assert.Null(boxes.grad);
    }

    [Theory, MemberData(nameof(Names))]
    public void What_are_no_boxes_of_the_map_is_refused(string name)
    {
        using var scope = NewDisposeScope();
        var (_, pool, of_lists) = Operators.Single(op => op.Name == name);
        var x = rand(2, 4, 6, 5);
        Refused("expected boxes (M, 5) of image, x1, y1, x2, y2, got 2 dimensions (3, 4)", () => pool(x, rand(3, 4)));
        Refused("expected boxes (M, 5) of image, x1, y1, x2, y2, got 1 dimensions (5)", () => pool(x, zeros(5)));
        Refused("expected boxes of Float32 on cpu as the map, got Float64 on cpu", () => pool(x, zeros(1, 5, dtype: ScalarType.Float64)));
        Refused("expected boxes of Float32 on cpu as the map, got Int64 on cpu", () => pool(x, zeros(1, 5, dtype: ScalarType.Int64)));
        Refused("expected boxes of Float64 on cpu as the map, got Float32 on cpu", () => pool(x.to(ScalarType.Float64), zeros(1, 5)));
        Refused("expected finite boxes of the images 0 to 1, got (2, 0, 0, 1, 1) in row 1", () => pool(x, tensor(new float[,] { { 1, 0, 0, 1, 1 }, { 2, 0, 0, 1, 1 } })));
        Refused("got (-1, 0, 0, 1, 1) in row 0", () => pool(x, tensor(new float[,] { { -1, 0, 0, 1, 1 } })));
        Refused("got (0.5, 0, 0, 1, 1) in row 0", () => pool(x, tensor(new float[,] { { 0.5f, 0, 0, 1, 1 } })));
        Refused("got (0, 0, NaN, 1, 1) in row 0", () => pool(x, tensor(new float[,] { { 0, 0, float.NaN, 1, 1 } })));
        Refused("got (0, 0, 0, Infinity, 1) in row 0", () => pool(x, tensor(new float[,] { { 0, 0, 0, float.PositiveInfinity, 1 } })));
        Refused("(Parameter 'boxes')", () => pool(x, null!));
        Refused("expected one tensor of boxes for each image of (2, 4, 6, 5), got 1", () => of_lists(x, [rand(1, 4)]));
        Refused("expected boxes (M, 4) of x1, y1, x2, y2 for image 1, got 2 dimensions (1, 5)", () => of_lists(x, [rand(1, 4), rand(1, 5)]));
        Refused("expected boxes (M, 4) of x1, y1, x2, y2 for image 0, got null", () => of_lists(x, [null!, rand(1, 4)]));
    }

    /// <summary>What the CPU refuses and a GPU cannot look for, given to the computation itself.</summary>
    [Theory]
    [InlineData("one_map", 1, 0)]
    [InlineData("one_map", 2, 0)]
    [InlineData("one_map", 0, 2)]
    [InlineData("one_map", 0, 6)]
    [InlineData("one_map", 0, -1)]
    [InlineData("many_maps", 0, 2)]
    [InlineData("many_maps", 0, -1)]
    public void A_bad_box_gives_zeros_whatever_stands_in_the_map(string function, long mode, long ratio)
    {
        using var scope = NewDisposeScope();
        foreach (var value in new[] { float.NaN, float.PositiveInfinity })
        {
            foreach (var planes in function == "one_map" ? new[] { 1L, 4 } : [1])
            {
                var x = full(2, 4, 6, 5, value).requires_grad_();
                var boxes = tensor(new float[,]
                {
                    { 0, 1, 1, 4, 4 }, { 2, 1, 1, 4, 4 }, { -1, 1, 1, 4, 4 }, { 0.5f, 1, 1, 4, 4 }, { float.NaN, 1, 1, 4, 4 }, { 0, 1, float.NaN, 4, 4 },
                    { 1, 1, 1, float.PositiveInfinity, 4 }, { 1, float.NegativeInfinity, 1, 4, 4 },
                });
                var y = function == "one_map"
                    ? TorchPooling.Regions.Invoke(function, x, boxes, planes, 2L, 2L, 1.0, mode, ratio, planes > 1)
                    : TorchPooling.Regions.Invoke(function, new[] { x, x.slice(2, 0, 6, 2) }, boxes, 2L, 2L, 1.0, ratio, 4.0, 1L, 0L);
                Assert.False(y[0].isfinite().any().ToBoolean());
                Tolerance.AssertClose(zeros_like(y[1..]), y[1..], 0);
                y[1..].sum().backward();
                Assert.False(x.grad!.isnan().any().ToBoolean());
            }
        }
    }

    [Fact]
    public void Settings_that_are_none_are_refused()
    {
        using var scope = NewDisposeScope();
        Refused("expected 1 to 2147483647", () => new RoIPool(0));
        Refused("expected 1 to 1024", () => new RoIPool((2, int.MaxValue)));
        Refused("expected one number or (height, width), got [1, 2, 3]", () => new RoIPool((1, 2, 3)));
        Refused("expected 1 to 1024 bins a side", () => new RoISpatialPyramidPool([1, 0]));
        Refused("expected 1 to 1024 bins a side", () => new RoISpatialPyramidPool([long.MaxValue]));
        Refused("expected one or more levels, got none", () => new RoISpatialPyramidPool([]));
        Refused("expected at most 1024", () => new RoIAlign(2, sampling_ratio: long.MaxValue));
        Refused("expected at most 1024", () => new PSRoIAlign(2, sampling_ratio: 1025));
        foreach (var scale in new[] { 0, -1, double.NaN, double.PositiveInfinity, 1e39 })
        {
            Refused("expected a positive number that float32 holds", () => new RoIAlign(2, scale));
        }

        Refused(
            "expected channels in multiples of 2·3 = 6 bins, got a feature map (1, 4, 5, 5) with 4",
            () => pooling.ps_roi_pool(rand(1, 4, 5, 5), zeros(1, 5), (2, 3)));
        Refused(
            "expected at most 2147483647 numbers in the output, got 3000 boxes of 1×1024×1024",
            () => pooling.roi_pool(rand(1, 1, 5, 5), zeros(3000, 5), 1024));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_exported_file_refuses_what_the_module_refuses(bool has_planes)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        nn.Module<Tensor, Tensor, Tensor>[] modules = has_planes ? [new PSRoIAlign(2), new PSRoIPool(2)] : [new RoIAlign(2), new RoIPool(2), new RoISpatialPyramidPool([2])];
        var (x, boxes) = (rand(2, 4, 6, 5), tensor(new float[,] { { 1, 0, 0, 3, 3 } }));
        foreach (var module in modules)
        {
            torchscript.save(module, folder.File("m.pt"), x, boxes);
            using var script = jit.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
            Tolerance.AssertClose(module.call(x, boxes), script.call(x, boxes), 0);
            Tolerance.AssertClose(module.call(x.to(ScalarType.BFloat16), boxes), script.call(x.to(ScalarType.BFloat16), boxes), 0);
            Refuses("expected boxes of the map's dtype", x, boxes.to(ScalarType.Float64));
            Refuses("expected boxes of the map's dtype", x, boxes.to(ScalarType.Int64));
            Refuses("expected boxes of the map's dtype", x.to(ScalarType.Float64), boxes);
            Refuses("expected boxes of the map's dtype", x.to(ScalarType.Float16), boxes.to(ScalarType.Float64));
            Refuses("expected boxes (M, 5)", x, boxes[.., 1..]);
            Refuses("expected finite boxes of images that are there", x, boxes + 1);
            Refuses("expected a feature map (N, C, H, W)", x[0], boxes);
            if (has_planes)
            {
                Refuses("expected channels in multiples of the number of bins", rand(2, 6, 6, 5), boxes);
            }

            void Refuses(string message, Tensor map, Tensor rows)
            {
                Assert.ThrowsAny<ArgumentException>(() => module.call(map, rows));
                Assert.Contains(message, Assert.ThrowsAny<Exception>(() => script.call(map, rows)).Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void An_output_that_does_not_fit_into_memory_is_refused(string name)
    {
        using var scope = NewDisposeScope();
        var pool = Operators.Single(op => op.Name == name).Pool;
        var x = rand(1, 400, 2, 2);
        var channels = name.StartsWith("PS", StringComparison.Ordinal) ? 100 : 400;
        try
        {
            Check.MemoryLimit = 1 << 20;
            Assert.Equal(channels * 4, pool(x, zeros(10, 5)).numel() / 10);
            Refused($"expected what fits into 0 GiB of memory, got 2 times Float32 (1000, {channels}, ", () => pool(x, zeros(1000, 5)));
            Refused("(Parameter 'boxes')", () => pool(x, zeros(1000, 5)));
            Check.MemoryLimit = 1 << 10;
            Refused(name == "RoISpatialPyramidPool" ? "(Parameter 'levels')" : "(Parameter 'output_size')", () => pool(x, zeros(10, 5)));
        }
        finally
        {
            Check.MemoryLimit = null;
        }
    }

    /// <summary>No combination may end in native code: an exception with a message, or an output of the shape promised.</summary>
    [Fact]
    public void Hostile_numbers_give_an_output_or_an_ArgumentException()
    {
        var tried = 0;
        float[] corners = [0, -0f, 0.5f, -3, 1e-38f, 2147483648f, -1e20f, 3e38f, -3e38f, float.Epsilon];
        foreach (var dtype in new[] { ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16 })
        {
            foreach (var (height, width) in new[] { (1, 1), (3, 5), (1, 7) })
            {
                foreach (var scale in new[] { 1, 1e-300, 1e-30, 3e38 })
                {
                    using var scope = NewDisposeScope();
                    var x = rand(1, 4, height, width).to(dtype).requires_grad_();
                    var box = from a in corners from b in corners select new[] { 0, a, b, b, a };
                    var boxes = stack([.. box.Select(row => tensor(row))]).to(dtype == ScalarType.BFloat16 ? ScalarType.Float32 : dtype);
                    Tensor[] outputs =
                    [
                        pooling.roi_pool(x, boxes, (2, 3), scale), pooling.ps_roi_pool(x, boxes, 2, scale), pooling.roi_spatial_pyramid_pool(x, boxes, [2], scale),
                        .. new long[] { long.MinValue, -1, 0, 1, 4, 5, 1024 }.SelectMany(ratio => new[]
                        {
                            pooling.roi_align(x, boxes, (2, 3), scale, ratio), pooling.roi_align(x, boxes, 1, scale, ratio, true), pooling.ps_roi_align(x, boxes, 2, scale, ratio),
                        }),
                        pooling.multi_scale_roi_align([x], boxes, 2, [Math.Pow(2, 100)]),
                    ];
                    Assert.All(outputs, y => Assert.True(y.isfinite().all().ToBoolean()));
                    cat([.. outputs.Select(y => y.flatten())]).sum().backward();
                    Assert.True(x.grad!.isfinite().all().ToBoolean());
                    tried += outputs.Length * (int)boxes.size(0);
                }
            }
        }

        Assert.True(tried > 50_000, $"{tried} boxes");
    }

    private static void Refused(string message, Func<object> make) =>
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
}
