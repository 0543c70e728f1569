"""The cases of `unpool bench` by PyTorch: on CUDA events around ten calls, on the CPU each call, the median of some.

    python3 pytorch.py [--device cuda|cpu] [--small] [--threads N] [--json FILE] [--compare unpool.json]
                       [--case NAME] [--compile]

Functions are called as users call them: each call allocates its results. Needs PyTorch, on CUDA with it, and no
network. Prints what it could not run, and why.
"""

import argparse
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

CALLS = 10
RUNS = 10

# name, channels last, shape with channels first, kernel, stride, padding, rounding up, element
F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16
LARGE, HALF = (64, 64, 112, 112), (32, 64, 112, 112)
# With --small an eighth of the images, or of each side of the largest ones.
SMALL = {
    LARGE: (8, 64, 112, 112),
    HALF: (4, 64, 112, 112),
    (32, 67, 113, 111): (4, 67, 113, 111),
    (32, 64, 113, 111): (4, 64, 113, 111),
    (1, 3, 4096, 4096): (1, 3, 512, 512),
    (1, 1, 8192, 4096): (1, 1, 1024, 512),
    (16, 32, 16, 56, 56): (2, 32, 16, 56, 56),
    (64, 64, 16384): (16, 64, 16384),
}
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


def milliseconds(call, device):
    """The median time of a call."""
    call()
    times = []
    if device == "cpu":
        for _ in range(2 * RUNS):
            start = time.perf_counter()
            call()
            times.append(1000 * (time.perf_counter() - start))
        return statistics.median(times)
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


def measure(case, device, small, compiled):
    """Rows of a case: the four operations, and pooling by torch.compile if asked for."""
    name, channels_last, shape, kernel, stride, padding, ceil, element = case
    shape = SMALL[shape] if small else shape
    timed = lambda call: milliseconds(call, device)
    rank = len(shape) - 2
    pool = [F.max_pool1d, F.max_pool2d, F.max_pool3d][rank - 1]
    unpool = [F.max_unpool1d, F.max_unpool2d, F.max_unpool3d][rank - 1]
    x = torch.randn(shape, device=device).to(element)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)

    def pooled(x):
        return pool(x, kernel, stride, padding, ceil_mode=ceil, return_indices=True)

    if device == "cuda":
        warm_up(x, torch.empty_like(x))
    rows = [("copy", timed(lambda y=torch.empty_like(x): y.copy_(x)))]
    with torch.no_grad():
        values, indices = pooled(x)
        rows.append(("max_pool", timed(lambda: pooled(x))))
        # Overlapping windows name one cell twice, which PyTorch leaves undefined; the time is that of any.
        output = lambda v: unpool(v, indices, kernel, stride, padding, output_size=shape)
        try:
            rows.append(("max_unpool", timed(lambda: output(values))))
        except (RuntimeError, ValueError) as error:
            print(f"{name} max_unpool: {error}", file=sys.stderr)
        if compiled:
            fast = torch.compile(pooled)
            rows.append(("max_pool torch.compile", timed(lambda: fast(x))))
    gradient = torch.randn_like(values)
    leaf = x.clone().requires_grad_()
    graph, _ = pooled(leaf)
    backward = lambda: torch.autograd.grad(graph, leaf, gradient, retain_graph=True)
    rows.append(("max_pool_backward", timed(backward)))
    leaf = values.clone().requires_grad_()
    try:
        graph = unpool(leaf, indices, kernel, stride, padding, output_size=shape)
        backward = lambda: torch.autograd.grad(graph, leaf, x, retain_graph=True)
        rows.append(("max_unpool_backward", timed(backward)))
    except (RuntimeError, ValueError) as error:
        print(f"{name} max_unpool_backward: {error}", file=sys.stderr)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--small", action="store_true", help="tensors of up to 25 MB, as unpool's --small")
    parser.add_argument("--threads", type=int, default=2, help="on the CPU")
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--compare", help="the JSON file of `unpool bench` on the same device")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    parser.add_argument("--compile", action="store_true", help="pooling by torch.compile, too")
    arguments = parser.parse_args()
    on_gpu = arguments.device == "cuda"
    if on_gpu and not torch.cuda.is_available():
        sys.exit("PyTorch finds no CUDA device: nothing is measured")
    torch.set_num_threads(arguments.threads)
    where = torch.cuda.get_device_name() if on_gpu else f"{arguments.threads} threads of the CPU"
    device = f"PyTorch {torch.__version__}, {where}"
    print(device)
    ours = {}
    if arguments.compare:
        with open(arguments.compare, encoding="utf-8") as file:
            ours = {(row["case"], row["op"]): row["median_ms"] for row in json.load(file)}
    everything = []
    for case in CASES:
        if arguments.case not in case[0]:
            continue
        for op, took in measure(case, arguments.device, arguments.small, arguments.compile):
            own = ours.get((case[0], op.split(" ")[0]))
            ratio = f"{took / own:6.2f} of ours, {own:.3f} ms" if own else ""
            print(f"{case[0]:<14} {op:<22} {took:7.3f} ms {ratio}", flush=True)
            everything.append({"device": device, "case": case[0], "op": op, "median_ms": took})
        if on_gpu:
            torch.cuda.empty_cache()
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(everything, file, indent=2)


if __name__ == "__main__":
    main()
