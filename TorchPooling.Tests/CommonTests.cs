using TorchPooling.Tests.Export.Parity;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>What holds for every module of <see cref="Registry"/>.</summary>
public class CommonTests
{
    public static TheoryData<Case> All => Registry.All;

    public static TheoryData<Case> ExpectMaps => new(Registry.Cases.Where(item => item.ExpectsMaps));

    public static TheoryData<Case, ScalarType> HalfPrecision
    {
        get
        {
            var data = new TheoryData<Case, ScalarType>();
            foreach (var item in Registry.Cases)
            {
                data.Add(item, ScalarType.Float16);
                data.Add(item, ScalarType.BFloat16);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Gradients_agree_with_central_differences(Case item)
    {
        using var scope = NewDisposeScope();
        var module = Double(item);
        var x = Input(item, 2, item.MinSize + 2, item.MinSize + 1).to(ScalarType.Float64).requires_grad_();
        var direction = randn_like(module.call(x));
        Tensor Loss() => (module.call(x) * direction).sum();
        Loss().backward();

        foreach (var (name, value) in module.named_parameters().Select(p => (p.name, (Tensor)p.parameter)).Append(("x", x)))
        {
            var analytic = value.grad!;
            Tolerance.AssertClose(CentralDifferences.Of(value, Loss), analytic, 1e-6, $"{item}: gradient of {name}");
        }
    }

    [Theory, MemberData(nameof(All))]
    public void No_tensor_is_left_behind(Case item)
    {
        using var module = item.Create();
        using var x = Input(item, 1, item.MinSize + 2, item.MinSize + 2);
        for (var i = 0; i < 3; i++)
        {
            var before = Live;
            using var y = module.call(x);
            Assert.Equal(before + 1, Live);
        }
    }

    [Theory, MemberData(nameof(All))]
    public void A_constructor_leaves_its_parameters_and_buffers_alone(Case item)
    {
        var before = Live;
        using var module = item.Make();
        var body = module is SwitchedMaxPool2d ? module.parameters().Count(p => p.dim() == 1) : 0;   // TorchSharp's Conv2d with a bias leaves one
        Assert.Equal(before + module.parameters().Count() + module.buffers().Count() + body, Live);
    }

    [Theory, MemberData(nameof(All))]
    public void What_is_made_inside_a_dispose_scope_lives_on_after_it(Case item)
    {
        nn.Module<Tensor, Tensor> module;
        using (NewDisposeScope())
        {
            module = item.Create();
        }

        using var scope = NewDisposeScope();
        module.call(Input(item, 2, item.MinSize + 1, item.MinSize + 1).requires_grad_()).sum().backward();
        module.to(ScalarType.Float64);
        Assert.All(module.state_dict().Values, value => Assert.False(value.IsInvalid));
        module.Dispose();
    }

    [Theory, MemberData(nameof(All))]
    public void Export_leaves_no_tensor(Case item)
    {
        using var folder = new TemporaryFolder();
        using var module = item.Create();
        using var x = Input(item, 2, item.MinSize + 1, item.MinSize + 1);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        torchscript.save(module, folder.File("m.pt"), x);
        var loaded = module.parameters().Count() + module.buffers().Count();   // made on the loader's thread, disposed on this one
        Assert.Equal(before - loaded, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Theory, MemberData(nameof(All))]
    public void The_script_form_has_the_same_gradients_zero_descriptors_included(Case item)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = Double(item);
        var x = Input(item, 2, item.MinSize + 3, item.MinSize + 2).to(ScalarType.Float64);
        torchscript.save(module, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        module.eval();
        script.eval();
        x[0].zero_();
        x[1, .., 0, 0] = 0;
        var (ours, theirs) = (x.clone().requires_grad_(), x.clone().requires_grad_());
        var y = module.call(ours);
        var direction = randn_like(y);
        (y * direction).sum().backward();
        (script.call(theirs) * direction).sum().backward();
        Tolerance.AssertClose(ours.grad!, theirs.grad!, 1e-9, item.Name);
        var parameters = script.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        Assert.All(module.named_parameters(), p => Tolerance.AssertClose(p.parameter.grad!, parameters[p.name].grad!, 1e-9, p.name));
    }

    [Theory, MemberData(nameof(All))]
    public void A_hundred_training_passes_leave_no_tensor(Case item)
    {
        using var module = item.Create();
        using var x = Input(item, 1, item.MinSize, item.MinSize).requires_grad_();
        long Pass()
        {
            using (var scope = NewDisposeScope())
            {
                module.call(x).sum().backward();
                module.zero_grad();
                x.grad?.zero_();
            }

            return Live;
        }

        Pass();
        var before = Live;
        for (var i = 0; i < 100; i++)
        {
            Pass();
        }

        Assert.Equal(before, Live);
    }

    [Theory, MemberData(nameof(All))]
    public void Weights_survive_the_round_trip_through_a_state_dict(Case item)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var module = item.Create();
        var other = item.Create(1);
        module.save(folder.File("weights"));
        other.load(folder.File("weights"));
        var x = Input(item, 1, item.MinSize + 3, item.MinSize + 3);
        module.eval();
        other.eval();
        Tolerance.AssertClose(module.call(x), other.call(x), 0);
    }

    [Theory, MemberData(nameof(All))]
    public void Odd_sizes_and_layouts_give_the_same_as_one_contiguous_map(Case item)
    {
        using var scope = NewDisposeScope();
        var module = item.Create();
        module.eval();
        foreach (var (h, w) in new[] { (1, 1), (3, 5), (1, 7), (6, 2), (13, 9) })
        {
            var (height, width) = (item.MinSize + h - 1, item.MinSize + w - 1);
            var wide = Input(item, 4, height, 2 * width);
            var strided = wide.slice(0, 0, 4, 2).slice(3, 0, 2 * width, 2);
            var expected = module.call(strided.contiguous());
            var channels_last = strided.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
            Tolerance.AssertClose(expected, module.call(strided), 1e-5, $"{item}: strided {height}×{width}");
            Tolerance.AssertClose(expected, module.call(channels_last), 1e-5, $"{item}: channels-last {height}×{width}");
        }
    }

    [Theory, MemberData(nameof(All))]
    public void A_batch_is_its_images_one_by_one_and_may_be_empty(Case item)
    {
        using var scope = NewDisposeScope();
        var module = item.Create();
        module.eval();
        var x = Input(item, 3, item.MinSize + 2, item.MinSize + 4);
        var one_by_one = cat([.. x.split(1).Select(module.call)]);
        Tolerance.AssertClose(one_by_one, module.call(x), 1e-5);

        var none = module.call(x.narrow(0, 0, 0));
        Assert.Equal((long[])[0, .. one_by_one.shape[1..]], none.shape);
    }

    [Theory, MemberData(nameof(HalfPrecision))]
    public void Half_precision_stays_near_single_precision_and_keeps_its_dtype(Case item, ScalarType dtype) =>
        HalfIsNearSingle(item, dtype, CPU);

    [CudaTheory, MemberData(nameof(HalfPrecision))]
    public void On_CUDA_half_precision_stays_near_single_precision_and_keeps_its_dtype(Case item, ScalarType dtype) =>
        HalfIsNearSingle(item, dtype, CUDA);

    private static void HalfIsNearSingle(Case item, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        var module = item.Create();
        module.eval();
        var x = Input(item, 2, item.MinSize + 3, item.MinSize + 2).to(dtype).to(device);
        module.to(dtype).to(device);
        var actual = module.call(x);
        Assert.Equal(dtype, actual.dtype);
        module.to(ScalarType.Float32);
        var expected = module.call(x.to(ScalarType.Float32));
        Tolerance.AssertClose(expected, actual.to(ScalarType.Float32), 3 * Tolerance.Of(dtype), item.Name);
    }

    [Theory, MemberData(nameof(All))]
    public void To_moves_every_parameter_and_the_computation(Case item)
    {
        using var scope = NewDisposeScope();
        var module = item.Create();
        var names = module.state_dict().Keys.ToArray();
        module.to(ScalarType.Float64);
        Assert.All(module.parameters(), p => Assert.Equal(ScalarType.Float64, p.dtype));
        Assert.Equal(names, module.state_dict().Keys);
        var y = module.call(Input(item, 1, item.MinSize + 1, item.MinSize + 1).to(ScalarType.Float64));
        Assert.Equal(ScalarType.Float64, y.dtype);
    }

    [Theory, MemberData(nameof(All))]
    public void A_case_has_the_same_parameters_whenever_it_is_made(Case item)
    {
        using var scope = NewDisposeScope();
        nn.Module[] modules = [item.Create(), item.Create(), item.Create(1)];
        var (first, second, other) = (modules[0].state_dict(), modules[1].state_dict(), modules[2].state_dict());
        Assert.All(first, entry => Tolerance.AssertClose(entry.Value, second[entry.Key], 0, entry.Key));
        var random = first.Where(entry => entry.Key.Split('.')[^1] is "weight" or "centroids" && entry.Value.dim() > 1);
        Assert.All(random, entry => Assert.False(entry.Value.equal(other[entry.Key]).all().ToBoolean(), entry.Key));
        GC.KeepAlive(modules);   // a collected BatchNorm2d frees its weights, whoever holds them
    }

    [Theory, MemberData(nameof(All))]
    public void The_same_input_gives_the_same_bits_again(Case item)
    {
        using var scope = NewDisposeScope();
        var module = item.Create();
        module.eval();
        var x = Input(item, 2, item.MinSize + 5, item.MinSize + 5);
        Tolerance.AssertClose(module.call(x), module.call(x), 0);
    }

    [Theory, MemberData(nameof(All))]
    public void Two_threads_share_one_model_and_get_the_single_thread_answers(Case item)
    {
        using var module = item.Create();
        module.eval();
        using var inputs = Input(item, 16, item.MinSize + 5, item.MinSize + 5);
        using var gradients = no_grad();
        using var expected = cat([.. inputs.split(1).Select(module.call)]);
        var threads = get_num_threads();
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i =>
        {
            set_num_threads(threads);   // a new thread has the number that any other test set last, and products round by it
            using var scope = NewDisposeScope();
            Tolerance.AssertClose(expected.narrow(0, i % 16, 1), module.call(inputs.narrow(0, i % 16, 1)), 0, $"{item}: image {i % 16}");
        });
    }

    [Theory, MemberData(nameof(All))]
    public void The_script_form_computes_the_same_for_other_batches_and_sizes(Case item)
    {
        foreach (var dtype in ParityTable.AllDtypes ? [ScalarType.Float32, ScalarType.BFloat16] : new[] { ScalarType.Float32 })   // at one size: ParityTests
        {
            using var scope = NewDisposeScope();
            using var folder = new TemporaryFolder();
            var module = item.Create();
            module.to(dtype);
            torchscript.save(module, folder.File("m.pt"), Input(item, 2, item.MinSize + 2, item.MinSize + 2).to(dtype));
            using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
            script.eval();
            module.eval();
            foreach (var (n, h, w) in new[] { (1, 0, 0), (3, 4, 7), (2, 11, 3) })
            {
                var x = Input(item, n, item.MinSize + h, item.MinSize + w).to(dtype);
                Tolerance.AssertClose(module.call(x), script.call(x), where: $"{item} {dtype} {n}×{h}×{w}");
            }
        }
    }

    [CudaTheory, MemberData(nameof(All))]
    public void On_CUDA_outputs_and_gradients_are_those_of_the_CPU(Case item)
    {
        var before = backends.cudnn.allow_tf32;
        try
        {
            backends.cudnn.allow_tf32 = false;   // float32 is float32
            On_CUDA(item, ScalarType.Float64, channelsLast: false);
            On_CUDA(item, ScalarType.Float64, channelsLast: true);
            On_CUDA(item, ScalarType.Float32, channelsLast: false);
            On_CUDA(item, ScalarType.Float32, channelsLast: true);
        }
        finally
        {
            backends.cudnn.allow_tf32 = before;
        }
    }

    private static void On_CUDA(Case item, ScalarType dtype, bool channelsLast)
    {
        using var scope = NewDisposeScope();
        var tolerance = Tolerance.OnCuda(dtype);
        var module = Double(item);
        module.to(dtype);
        var x = Input(item, 2, item.MinSize + 6, item.MinSize + 5).to(dtype);
        x = channelsLast ? x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : x;
        var (expected, gradient) = Pass(x);
        module.to(CUDA);
        var (actual, on_cuda) = Pass(x.to(CUDA));
        Tolerance.AssertClose(expected, actual, tolerance, $"{item} {dtype}");
        Tolerance.AssertClose(gradient, on_cuda, tolerance, $"{item} {dtype}: gradient");

        using var folder = new TemporaryFolder();
        torchscript.save(module, folder.File("m.pt"), x.to(CUDA));   // leaves the model where it is
        Assert.All(module.parameters(), p => Assert.Equal(DeviceType.CUDA, p.device_type));
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.All(script.parameters(), p => Assert.Equal(DeviceType.CPU, p.device_type));
        Tolerance.AssertClose(expected, script.call(x), tolerance, $"{item} {dtype}: the file on the CPU");
        using var scriptThere = torchscript.load<Tensor, Tensor>(folder.File("m.pt"), CUDA);
        Tolerance.AssertClose(expected, scriptThere.call(x.to(CUDA)), tolerance, $"{item} {dtype}: the file on CUDA");

        (Tensor Output, Tensor Gradient) Pass(Tensor input)
        {
            var leaf = input.detach().requires_grad_();
            var y = module.call(leaf);
            y.square().sum().backward();
            return (y, leaf.grad!);
        }
    }

    [Theory, MemberData(nameof(ExpectMaps))]
    public void What_is_no_feature_map_is_refused_with_its_shape(Case item)
    {
        using var scope = NewDisposeScope();
        var module = item.Create();
        var (sets, extents) = item.TakesSets ?? module is ClusterPooling ? (" or descriptors (N, C, M)", "C, H, W, M") : ("", "C, H, W");
        Refused($"expected a feature map (N, C, H, W){sets}, got 2 dimensions (3, 4)", rand(3, 4));
        Refused($"expected a feature map (N, C, H, W){sets} with {extents} ≥ 1, got (1, {item.Channels}, 0, 4)", rand(1, item.Channels, 0, 4));
        Refused($"expected a floating-point tensor, got Int64 (1, {item.Channels}, 8, 8)", ones(1, item.Channels, 8, 8, dtype: ScalarType.Int64));
        if (!item.TakesAnyChannels)
        {
            Refused($"expected {item.Channels} channels, got a feature map (1, 7, 8, 8) with 7", rand(1, 7, 8, 8));
        }

        if (!item.TakesAnyChannels && !item.TakesAnyDtype)
        {
            Refused("expected Float32 on cpu as the parameters have, got Float64 on cpu", rand(1, item.Channels, 8, 8, dtype: ScalarType.Float64));
        }

        void Refused(string message, Tensor x) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(() => module.call(x)).Message, StringComparison.Ordinal);
    }

    /// <summary>Distinct values of both signs, so that no maximum is tied.</summary>
    private static Tensor Input(Case item, long n, long height, long width)
    {
        using var generator = new Generator(7);
        return randn([n, item.Channels, height, width], generator: generator);
    }

    private static nn.Module<Tensor, Tensor> Double(Case item)
    {
        var module = item.Create();
        module.to(ScalarType.Float64);
        module.train(!item.IsStochastic);
        return module;
    }

    private static long Live => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
}
