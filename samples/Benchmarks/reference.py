"""Times expressions of PyTorch and torchvision: a JSON line with a case or "run" in, a line with "ok" or
milliseconds out. {"check": [paths]} runs the case, too, and leaves y and the gradient of the first input there."""
import json
import sys
import time

try:
    import numpy
    import torch
    import torch.nn.functional as F
    from torchvision import ops
except ImportError as error:
    print(error)
    sys.exit()

torch.set_num_threads(int(sys.argv[1]))
device = sys.argv[2]


def wait():
    if device == "cuda":
        torch.cuda.synchronize()


if device == "cuda" and not torch.cuda.is_available():
    print("PyTorch sees no GPU")
    sys.exit()
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
print("ready", flush=True)
case, inputs, code = None, {}, None
for line in sys.stdin:
    request = json.loads(line)
    if "expression" in request:
        case, code = request, compile(request["expression"], "case", "eval")
        inputs = {i["name"]: torch.from_numpy(numpy.fromfile(i["path"], "float32").reshape(i["shape"])).to(device) for i in case["inputs"]}
        print("ok", flush=True)
        continue
    first = case["inputs"][0]["name"]
    with torch.set_grad_enabled(case["backward"]):
        values = dict(inputs)
        if case["backward"]:
            values[first] = inputs[first].detach().requires_grad_()
        wait()
        start = time.perf_counter()
        y = eval(code, {"torch": torch, "F": F, "ops": ops, **values})
        if case["backward"]:
            y.backward(torch.ones_like(y))
        wait()
        milliseconds = (time.perf_counter() - start) * 1000
    if "check" in request:
        y.detach().cpu().numpy().tofile(request["check"][0])
        if case["backward"]:
            values[first].grad.cpu().numpy().tofile(request["check"][1])
    del y, values  # before the answer: the other side is timed after it
    print(milliseconds, flush=True)
