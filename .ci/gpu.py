"""Runs exported place-recognition models on the CPU and on a GPU: the outputs must agree; prints images a second."""
import sys
import time

import torch

BATCH = 32


def images_per_second(model, x):
    seconds = []
    with torch.no_grad():
        for i in range(25):
            if x.is_cuda:
                torch.cuda.synchronize()
            start = time.perf_counter()
            model(x)
            if x.is_cuda:
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
    return BATCH / sorted(seconds[5:])[10]  # the median after warm-up


def main(paths):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name() if device == 'cuda' else 'no GPU: CPU against CPU'}")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    for path in paths:
        model = torch.jit.load(path, map_location="cpu").eval()
        height, width = dict(model.named_buffers())["image_size"].tolist()
        x = torch.rand(BATCH, 3, height, width)
        with torch.no_grad():
            expected = model(x)
        slow = images_per_second(model, x)
        model = model.to(device)
        with torch.no_grad():
            gap = (model(x.to(device)).cpu() - expected).abs().max().item()
        fast = images_per_second(model, x.to(device))
        print(f"{path}: difference {gap:.1e}, {slow:.0f} images/s on the CPU, {fast:.0f} on {device}")
        assert gap < 1e-4, f"{path}: CUDA and CPU differ by {gap}"


main(sys.argv[1:])
