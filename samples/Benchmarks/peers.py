"""Times TorchPooling's exported modules beside other ways to write them in PyTorch, on a GPU where there is one.

python3 peers.py FOLDER [--device cuda] [--rounds 20] [--json FILE], FOLDER as `Benchmarks --export FOLDER` left it.
All take turns on the same inputs, and have to agree first. On a GPU it tells, too, the memory beyond the input
(torch.cuda.max_memory_allocated), and whether a forward waits for the device (torch.cuda.set_sync_debug_mode)."""
import argparse
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

try:
    from torchvision import ops
except ImportError:
    ops = None

MAPS = [(1, 512, 30, 40), (8, 512, 30, 40), (32, 512, 14, 14), (8, 512, 31, 37)]
SMALL = [(2, 512, 14, 14)]
BOXES = 1000


def netvlad_loop(model, x):
    x = F.normalize(x, dim=1).flatten(2)
    share = torch.softmax(model.conv.weight.flatten(1) @ x, 1)
    rows = [(share[:, k:k + 1] * (x - c.view(1, -1, 1))).sum(2) for k, c in enumerate(model.centroids)]
    return F.normalize(F.normalize(torch.stack(rows, 1), dim=2).flatten(1), dim=1)


def netvlad_residuals(model, x):
    x = F.normalize(x, dim=1).flatten(2)
    share = torch.softmax(model.conv.weight.flatten(1) @ x, 1)
    residuals = (x.unsqueeze(1) - model.centroids.unsqueeze(0).unsqueeze(3)) * share.unsqueeze(2)
    return F.normalize(F.normalize(residuals.sum(3), dim=2).flatten(1), dim=1)


def netvlad_floor(model, x):
    x = x.flatten(2)
    return torch.bmm(model.conv.weight.flatten(1) @ x, x.transpose(1, 2)).flatten(1)


def levels(model, x):
    return torch.cat([F.adaptive_max_pool2d(x, n).flatten(1) for n in (1, 2, 4)], 1)


def windows(x, kernel, stride, padding, value=0.0):
    x = F.pad(x, (padding,) * 4, value=value)
    return x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)


def power(model, x):
    return windows(x, 3, 2, 1).abs().square().sum(4).sqrt()


def soft(model, x):
    x = windows(x, 2, 2, 0)
    return (x * x.softmax(4)).sum(4)


def center(model, x):
    at = torch.arange(3, device=x.device, dtype=x.dtype) - 1
    weight = torch.exp(-(at.view(-1, 1) ** 2 + at ** 2) / 2).flatten()
    valid = windows(torch.ones_like(x[:1, :1]), 3, 2, 1)
    return (windows(x, 3, 2, 1) * weight).sum(4) / (valid * weight).sum(4)


def gem(model, x):
    return x.clamp_min(1e-6).pow(model.p).mean((2, 3), keepdim=True).pow(1 / model.p)


# name: ours gets (x) or (x, boxes); peers, True where they compute the same
PEERS = {
    "netvlad": [("loop over clusters", netvlad_loop, True), ("residual tensor", netvlad_residuals, True), ("two products", netvlad_floor, False)],
    "spp": [("a pool per level", levels, True)],
    "power": [("unfold", power, True)],
    "soft": [("unfold", soft, True)],
    "center": [("unfold", center, True)],
    "gem": [("pow, mean, pow", gem, True)],
    "roi_align": [("torchvision", lambda model, x, boxes: ops.roi_align(x, boxes, 7, 1 / 16, 2), True)],
    "roi_pool": [("torchvision", lambda model, x, boxes: ops.roi_pool(x, boxes, 7, 1 / 16), True)],
}


def boxes_of(shape, device):
    generator = torch.Generator().manual_seed(1)
    size = 16 * torch.tensor([shape[3] - 1.0, shape[2] - 1.0])
    sides = torch.minimum(2 ** (1 + 4 * torch.rand(BOXES, 2, generator=generator)) * 16, size)
    corner = torch.rand(BOXES, 2, generator=generator) * (size - sides)
    image = torch.randint(shape[0], (BOXES, 1), generator=generator).float()
    return torch.cat([image, corner, corner + sides], 1).to(device)


class Bench:
    def __init__(self, device, rounds):
        self.device, self.rounds = device, rounds
        self.cuda = device == "cuda"

    def once(self, call, inputs, backward):
        """Milliseconds, output, gradient, and bytes at most beyond the inputs (on a GPU)."""
        x = inputs[0].detach().requires_grad_(backward)
        before = 0
        if self.cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
        start = time.perf_counter()
        with torch.set_grad_enabled(backward):
            y = call(x, *inputs[1:])
            if backward:
                y.backward(torch.ones_like(y))
        if self.cuda:
            torch.cuda.synchronize()
        taken = (time.perf_counter() - start) * 1000
        extra = torch.cuda.max_memory_allocated() - before if self.cuda else None
        return taken, y.detach(), x.grad, extra

    def case(self, ours, peers, inputs, backward):
        runs = [("TorchPooling", ours, True)] + peers
        taken, extra, first = {}, {}, None
        for name, call, same in runs:
            for _ in range(3):  # TorchScript compiles in the first two
                _, y, gradient, extra[name] = self.once(call, inputs, backward)
            if first is None:
                first = (y, gradient)
            elif same:
                for what, a, b in ("output", first[0], y), ("gradient", first[1], gradient):
                    gap = 0.0 if a is None else ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item()
                    assert gap < 1e-3, f"{what} differs from that of {name} by {gap}"
            taken[name] = []
        for i in range(self.rounds):
            for j in range(len(runs)):
                name, call, _ = runs[(i + j) % len(runs)]
                taken[name].append(self.once(call, inputs, backward)[0])
        return taken, extra

    def waits(self, call, inputs):
        """Whether a forward waits for the GPU: 'no', or what did."""
        with torch.no_grad():
            call(*inputs)
            torch.cuda.synchronize()
            torch.cuda.set_sync_debug_mode("error")
            try:
                call(*inputs)
                return "no"
            except RuntimeError as error:
                return str(error).strip().splitlines()[-1]
            finally:
                torch.cuda.set_sync_debug_mode("default")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("folder")
    options.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--quick", action="store_true", help="one small map, two rounds")
    options.add_argument("--json")
    options = options.parse_args()
    if options.quick:
        options.rounds = 2
    bench = Bench(options.device, options.rounds)
    if bench.cuda:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    machine = torch.cuda.get_device_name() if bench.cuda else "CPU"
    print(f"PyTorch {torch.__version__}, {machine}, float32, {options.rounds} rounds in turns: ms, median (least to most), x times ours; MB beyond the input")
    results, failed = [], False
    for name in json.load(open(f"{options.folder}/exports.json")):
        model = torch.jit.load(f"{options.folder}/{name}.pt", map_location=options.device).eval()
        regions = name.startswith("roi")
        if regions and ops is None:
            print(f"{name}: no torchvision here, so nothing to compare with")
            continue
        peers = [(title, lambda *t, peer=peer: peer(model, *t), same) for title, peer, same in PEERS[name]]
        for shape in SMALL if options.quick else MAPS:
            torch.manual_seed(1)
            inputs = [torch.randn(shape, device=options.device)] + ([boxes_of(shape, options.device)] if regions else [])
            for backward in False, True:
                try:
                    taken, extra = bench.case(model, peers, inputs, backward)
                except AssertionError as error:
                    failed = True
                    print(f"{name} {'x'.join(map(str, shape))}{' with gradient' if backward else ''}: {error}", flush=True)
                    continue
                ours = statistics.median(taken["TorchPooling"])
                cells = [
                    f"{who} {statistics.median(t):.3f} ({min(t):.3f} to {max(t):.3f}) x{statistics.median(t) / ours:.2f}"
                    + (f" {extra[who] / 1e6:.1f} MB" if bench.cuda else "")
                    for who, t in taken.items()
                ]
                print(f"{name} {'x'.join(map(str, shape))}{' with gradient' if backward else ''}: " + "; ".join(cells), flush=True)
                results.append({"name": name, "shape": shape, "backward": backward, "milliseconds": taken, "bytes": extra})
            if bench.cuda:
                print(f"{name}: waits for the GPU: {bench.waits(model, inputs)}", flush=True)
    if options.json:
        json.dump({"machine": machine, "torch": torch.__version__, "cases": results}, open(options.json, "w"), indent=1)
    sys.exit(failed)


main()
