"""The cases of `unpool bench` by PyTorch on CUDA: events around ten calls, the median of some runs.

    python3 cuda.py [--json FILE] [--beside unpool.json] [--case NAME] [--compile]

Needs PyTorch with CUDA, and no network. Prints what it could not run, and why.
"""

import argparse
import json
import statistics
import sys

import torch
import torch.nn.functional as F

CALLS = 10
RUNS = 10

# name, channels last, shape with channels first, kernel, stride, padding, rounding up, element
F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16
LARGE, HALF = (64, 64, 112, 112), (32, 64, 112, 112)
CASES = [
    ("nhwc_2x2", True, LARGE, 2, 2, 0, False, F32),
    ("nchw_2x2", False, LARGE, 2, 2, 0, False, F32),
    ("nhwc_3x3s2", True, LARGE, 3, 2, 1, False, F32),
    ("nchw_3x3s2", False, LARGE, 3, 2, 1, False, F32),
    ("nhwc_3x3s1", True, HALF, 3, 1, 1, False, F32),
    ("nchw_3x3s1", False, HALF, 3, 1, 1, False, F32),
    ("nhwc_odd", True, (32, 67, 113, 111), 2, 2, 0, True, F32),
    ("nchw_odd", False, (32, 64, 113, 111), 2, 2, 0, True, F32),
    ("nhwc_c3", True, (1, 3, 4096, 4096), 2, 2, 0, False, F32),
    ("nchw_one", False, (1, 1, 8192, 4096), 2, 2, 0, False, F32),
    ("nchw_3d", False, (16, 32, 16, 56, 56), 2, 2, 0, False, F32),
    ("ncl_1d", False, (64, 64, 16384), 4, 4, 0, False, F32),
    ("nhwc_2x2_f16", True, LARGE, 2, 2, 0, False, F16),
    ("nchw_2x2_f16", False, LARGE, 2, 2, 0, False, F16),
    ("nhwc_3x3s2_f16", True, LARGE, 3, 2, 1, False, F16),
    ("nchw_3x3s2_f16", False, LARGE, 3, 2, 1, False, F16),
    ("nhwc_2x2_bf16", True, LARGE, 2, 2, 0, False, BF16),
    ("nchw_2x2_bf16", False, LARGE, 2, 2, 0, False, BF16),
]


def milliseconds(call):
    """The median time of a call."""
    call()
    times = []
    for _ in range(RUNS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(CALLS):
            call()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / CALLS)
    return statistics.median(times)


def warm_up(x, y):
    """Some 300 ms of copies: a GPU that was idle runs at low clock rates."""
    for _ in range(2000):
        y.copy_(x)
    torch.cuda.synchronize()


def measure(case, compiled):
    """Rows of a case: the four operations, and pooling by torch.compile if asked for."""
    name, channels_last, shape, kernel, stride, padding, ceil, element = case
    rank = len(shape) - 2
    pool = [F.max_pool1d, F.max_pool2d, F.max_pool3d][rank - 1]
    unpool = [F.max_unpool1d, F.max_unpool2d, F.max_unpool3d][rank - 1]
    x = torch.randn(shape, device="cuda").to(element)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)

    def pooled(x):
        return pool(x, kernel, stride, padding, ceil_mode=ceil, return_indices=True)

    warm_up(x, torch.empty_like(x))
    rows = [("copy", milliseconds(lambda y=torch.empty_like(x): y.copy_(x)))]
    with torch.no_grad():
        values, indices = pooled(x)
        rows.append(("max_pool", milliseconds(lambda: pooled(x))))
        # Overlapping windows name one cell twice, which PyTorch leaves undefined; the time is that of any.
        output = lambda v: unpool(v, indices, kernel, stride, padding, output_size=shape)
        try:
            rows.append(("max_unpool", milliseconds(lambda: output(values))))
        except (RuntimeError, ValueError) as error:
            print(f"{name} max_unpool: {error}", file=sys.stderr)
        if compiled:
            fast = torch.compile(pooled)
            rows.append(("max_pool torch.compile", milliseconds(lambda: fast(x))))
    gradient = torch.randn_like(values)
    leaf = x.clone().requires_grad_()
    graph, _ = pooled(leaf)
    backward = lambda: torch.autograd.grad(graph, leaf, gradient, retain_graph=True)
    rows.append(("max_pool_backward", milliseconds(backward)))
    leaf = values.clone().requires_grad_()
    try:
        graph = unpool(leaf, indices, kernel, stride, padding, output_size=shape)
        backward = lambda: torch.autograd.grad(graph, leaf, x, retain_graph=True)
        rows.append(("max_unpool_backward", milliseconds(backward)))
    except (RuntimeError, ValueError) as error:
        print(f"{name} max_unpool_backward: {error}", file=sys.stderr)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--beside", help="the JSON file of `unpool bench` on the same GPU")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    parser.add_argument("--compile", action="store_true", help="pooling by torch.compile, too")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("PyTorch finds no CUDA device: nothing is measured")
    device = f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}"
    print(device)
    ours = {}
    if arguments.beside:
        with open(arguments.beside, encoding="utf-8") as file:
            ours = {(row["case"], row["op"]): row["median_ms"] for row in json.load(file)}
    everything = []
    for case in CASES:
        if arguments.case not in case[0]:
            continue
        for op, took in measure(case, arguments.compile):
            own = ours.get((case[0], op.split(" ")[0]))
            ratio = f"{took / own:6.2f} of ours, {own:.3f} ms" if own else ""
            print(f"{case[0]:<14} {op:<22} {took:7.3f} ms {ratio}", flush=True)
            everything.append({"device": device, "case": case[0], "op": op, "median_ms": took})
        torch.cuda.empty_cache()
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(everything, file, indent=2)


if __name__ == "__main__":
    main()
