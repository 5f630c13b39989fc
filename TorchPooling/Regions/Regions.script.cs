using static TorchSharp.torch;

namespace TorchPooling;

internal static partial class Regions
{
    /// <summary>The computation of every pooling over regions as TorchScript methods, which the exported modules carry and the C#
    /// forwards call.</summary>
    /// <remarks>
    /// <para>The maps become one table of pixels, (N·planes·H·W, C), and a bin of a box a bag of its rows: their mean or weighted
    /// sum is an <c>embedding_bag</c> over many boxes, and so is their maximum where few boxes lie on a large map. Coordinates go through the operations of torchvision's kernels in
    /// their order and dtype, because their rounding decides where a bin ends.</para>
    /// </remarks>
    private const string Functions = Bags + Maxima + Aligned +
        """
        def table(self, x: Tensor, planes: int) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            parts = wide.reshape(x.size(0), x.size(1) // planes, planes, x.size(2), x.size(3))
            return parts.permute(0, 2, 3, 4, 1).reshape(x.size(0) * planes * x.size(2) * x.size(3), x.size(1) // planes).contiguous()

        def usable(self, boxes: Tensor, images: int) -> Tensor:
            image = boxes.select(1, 0)
            return boxes.isfinite().all(1) & (image >= 0) & (image < images) & (image == image.floor())

        def regions(self, maps: List[Tensor], level: Tensor, scale: Tensor, boxes: Tensor, planes: int, h: int, w: int, mode: int, ratio: int, aligned: bool) -> Tensor:
            x = maps[0]
            channels = x.size(1) // planes
            if boxes.size(0) == 0 or x.size(0) == 0:
                nothing = torch.zeros([boxes.size(0), channels, h, w], dtype=x.dtype, device=x.device)
                for each in maps:
                    nothing = nothing + each.flatten()[:0].sum()
                return nothing
            good = self.usable(boxes, x.size(0))
            tables: List[Tensor] = []
            height = torch.zeros_like(level)
            width = torch.zeros_like(level)
            first = torch.zeros_like(level)
            image = boxes.select(1, 0).masked_fill(good.logical_not(), 0.0).long()
            rows = 0
            for k in range(len(maps)):
                pixels = maps[k].size(2) * maps[k].size(3)
                height = height.masked_fill(level == k, maps[k].size(2))
                width = width.masked_fill(level == k, maps[k].size(3))
                first = torch.where(level == k, image * (planes * pixels) + rows, first)
                tables.append(self.table(maps[k], planes))
                rows = rows + x.size(0) * planes * pixels
            table = tables[0]
            if len(tables) > 1:
                table = torch.cat(tables, 0)
            base = first.view(-1, 1, 1).expand(-1, h, w)
            if planes > 1:
                base = base + (torch.arange(planes, device=x.device) * (x.size(2) * x.size(3))).view(h, w)
            at = boxes[:, 1:].to(table.dtype).masked_fill(good.logical_not().unsqueeze(1), 0.0) * scale.to(table.dtype).unsqueeze(1)
            if mode > 0:
                pooled = self.reduce(table, at, good, base, height, width, mode, x.size(0), x.size(3))
            else:
                pooled = self.sliced(table, at, good, base, height, width, ratio, aligned)
            return pooled.view(-1, channels, h, w).to(x.dtype)

        def one_map(self, x: Tensor, boxes: Tensor, planes: int, h: int, w: int, spatial_scale: float, mode: int, ratio: int, aligned: bool) -> Tensor:
            scale = torch.full([boxes.size(0)], spatial_scale, dtype=7, device=x.device)
            level = torch.zeros([boxes.size(0)], dtype=4, device=x.device)
            return self.regions([x], level, scale, boxes, planes, h, w, mode, ratio, aligned)

        def many_maps(self, maps: List[Tensor], boxes: Tensor, h: int, w: int, spatial_scale: float, ratio: int, canonical_scale: float, canonical_level: int, finest: int) -> Tensor:
            wide = boxes.to(torch.promote_types(boxes.dtype, 6))
            area = (wide.select(1, 3) - wide.select(1, 1)) * (wide.select(1, 4) - wide.select(1, 2))
            level = (canonical_level + torch.log2(area.sqrt() / canonical_scale) + 1e-6).floor() - finest
            if len(maps) > 1:  # a box inverted on one axis is on no level
                boxes = torch.where(level.isnan().unsqueeze(1), torch.full_like(boxes, -1.0), boxes)
            level = torch.nan_to_num(level, 0.0).clamp(0.0, len(maps) - 1.0)
            scale = spatial_scale * torch.pow(0.5, level.double())
            return self.regions(maps, level.long(), scale, boxes, 1, h, w, 0, ratio, False)

        """;

    /// <summary>The same with <c>self.checked(boxes, x, planes)</c>, which stands for the checks of C# in an exported file.</summary>
    public const string Script = Functions +
        """
        def checked(self, boxes: Tensor, x: Tensor, planes: int) -> Tensor:
            if x.dim() != 4:
                ops.prim.RaiseException("expected a feature map (N, C, H, W)")
            if x.size(1) % planes != 0:
                ops.prim.RaiseException("expected channels in multiples of the number of bins")
            if boxes.dim() != 2 or boxes.size(1) != 5:
                ops.prim.RaiseException("expected boxes (M, 5) of image, x1, y1, x2, y2")
            if boxes.dtype != x.dtype and not (boxes.dtype == 6 and (x.dtype == 5 or x.dtype == 15)):
                ops.prim.RaiseException("expected boxes of the map's dtype, or float32 where that is half precision")
            if not boxes.is_cuda and not bool(self.usable(boxes, x.size(0)).all()):  # there a look would wait for the device
                ops.prim.RaiseException("expected finite boxes of images that are there")
            return boxes.detach()

        """;

    /// <summary>The methods as functions.</summary>
    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(
        Functions.ReplaceLineEndings("\n").Replace("(self, ", "(", StringComparison.Ordinal).Replace("self.", "", StringComparison.Ordinal)));
}
