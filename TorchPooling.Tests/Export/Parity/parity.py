"""Runs the exported files of a folder in PyTorch, and leaves what ParityRun measures in C#, as float64."""
import json
import sys

import numpy
import torch

folder, part = sys.argv[1:]
torch.set_num_threads(1)   # the other part runs beside this one
dtypes = {"Float32": torch.float32, "Float64": torch.float64}


def tensor(case, i):
    kind, shape = case["tensors"][i]
    values = numpy.fromfile(f"{folder}/{case['id']}.in{i}", "float64").reshape(shape)
    return torch.from_numpy(values).to(torch.int64 if kind == "Int64" else dtypes[kind])


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for item in value for t in flat(item)] if isinstance(value, (tuple, list)) else []


def dense(gradient):
    return torch.zeros(0) if gradient is None else gradient.to_dense()


def measure(model, case):
    leaves, given = [], []

    def t(i):
        value = tensor(case, i)
        leaves.append(value.requires_grad_(value.is_floating_point() and i < case["differentiable"]))
        given.append(value.clone())
        return given[-1]

    inputs = eval(case["inputs"], {"t": t})
    for parameter in model.parameters():
        parameter.grad = None
    torch.manual_seed(5)
    outputs = flat(model(*inputs))
    results = [(f"output {i}", o.detach().clone()) for i, o in enumerate(outputs)]
    results += [(f"input {i} after", x.detach().clone()) for i, x in enumerate(given)]
    totals = [
        (o * torch.arange(o.numel(), dtype=torch.float64).cos().reshape(o.shape).to(o.dtype)).sum() for o in outputs if o.requires_grad
    ]
    if totals and not case["no_gradient"]:
        sum(totals).backward()
    results += [(f"gradient of input {i}", dense(leaf.grad)) for i, leaf in enumerate(leaves)]
    results += [(f"gradient of {name}", dense(p.grad)) for name, p in model.named_parameters()]
    results += [(name, b.clone()) for name, b in sorted(model.named_buffers())]
    return results


def inference(model, case):
    """The largest difference of the frozen and of the optimized model in eval mode."""
    def outputs(module):
        torch.manual_seed(5)
        with torch.no_grad():
            return flat(module(*eval(case["inputs"], {"t": lambda i: tensor(case, i)})))

    expected = outputs(model)
    gap = 0.0
    for change in torch.jit.freeze, torch.jit.optimize_for_inference:
        for a, b in zip(expected, outputs(change(model))):
            gap = max(gap, (a - b).abs().max().item() / max(1.0, a.abs().max().item()))
    return gap


report = {}
for case in json.load(open(f"{folder}/cases{part}.json")):
    entry = report[case["id"]] = {}
    try:
        for mode in "eval", "train":
            model = torch.jit.load(f"{folder}/{case['id']}.pt").train(mode == "train")
            start = {name: value.clone() for name, value in model.state_dict().items()}
            measure(model, case)  # TorchScript watches the first pass, and has derivatives of its own from then on
            model.load_state_dict(start)
            results = measure(model, case)
            numpy.concatenate([v.double().reshape(-1).numpy() for _, v in results]).tofile(f"{folder}/{case['id']}.{mode}")
            entry[mode] = [[name, list(v.shape)] for name, v in results]
        entry["inference"] = inference(torch.jit.load(f"{folder}/{case['id']}.pt").eval(), case)
    except Exception as error:
        entry["error"] = str(error)
json.dump(report, open(f"{folder}/report{part}.json", "w"))
