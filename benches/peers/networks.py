"""A forward pass of whole networks: ONNX Runtime, PyTorch and tract where they are installed, and unpool-cnn,
interleaved in one run. With --device, unpool-cnn on that adapter and PyTorch on CUDA, from an image on the host to a
result on the host.

usage: networks.py TIME_EXAMPLE MODEL.onnx ... [--device NAME] [--threads N] [--runs N] [--json FILE]

TIME_EXAMPLE is the binary of `cargo build --release --example time -p unpool-cnn`. MODEL.onnx are files
with their weights, as torch.onnx.export or tf2onnx write them. Needs numpy and
onnxruntime from PyPI; with --device, PyTorch alone. Each runtime gets N threads (2), tract one, as it has no
more; times are medians in milliseconds. PyTorch runs networks of torchvision under their names
(resnet50_dynamo.onnx is torchvision's resnet50), forward, and forward with the gradient of one score with respect
to the image.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time

options = argparse.ArgumentParser()
options.add_argument("example")
options.add_argument("models", nargs="+")
options.add_argument("--device", default="cpu")
options.add_argument("--threads", type=int, default=2)
options.add_argument("--runs", type=int, default=7)
options.add_argument("--json")
options = options.parse_args()
on_cpu = options.device == "cpu"
os.environ["RAYON_NUM_THREADS"] = str(options.threads)

import numpy as np

if on_cpu:
    import onnxruntime

try:
    import torch
    import torchvision

    torch.set_num_threads(options.threads)
except ImportError as error:
    torch = None
    print(f"PyTorch is left out: {error}", file=sys.stderr)

try:
    import tract
except ImportError as error:
    tract = None
    print(f"tract is left out: {error}", file=sys.stderr)


def median(call):
    call()
    times = []
    for _ in range(options.runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def by_onnxruntime(path):
    if not on_cpu:
        return None, None
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0]
    shape = [n if isinstance(n, int) else 1 if i == 0 else 224 for i, n in enumerate(first.shape)]
    image = np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return median(lambda: session.run(None, {first.name: image})), image


def by_tract(path, image):
    """Also why tract does not run it, if it does not."""
    if tract is None or not on_cpu:
        return None, None
    try:
        model = tract.onnx().load(path)
        extents = ",".join(map(str, image.shape))
        model.set_input_fact(0, f"{extents},f32")
        runnable = model.into_model().into_runnable()
        return median(lambda: runnable.run([image])), None
    except Exception as error:
        return None, str(error).strip().splitlines()[0]


def by_pytorch(path, shape):
    name = os.path.basename(path).split(".onnx")[0].split("_dynamo")[0].split("_legacy")[0]
    make = getattr(torchvision.models, name, None) if torch else None
    if make is None:
        return None, None
    device = "cpu" if on_cpu else "cuda"
    # These two take a minute to draw their first weights.
    drawn = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = make(weights=None, **drawn).eval().to(device)
    image = torch.rand(shape)

    def both():
        x = image.to(device, copy=True).requires_grad_(True)
        network(x)[0, 0].backward()
        x.grad.cpu()

    with torch.no_grad():
        forward = median(lambda: network(image.to(device)).cpu())
    return forward, median(both)


rows = []
for path in options.models:
    ours = json.loads(subprocess.check_output([options.example, path, str(options.runs), options.device]))
    theirs, image = by_onnxruntime(path)
    forward, both = by_pytorch(path, ours["shape"])
    tracts, why = by_tract(path, image)
    again = json.loads(subprocess.check_output([options.example, path, str(options.runs), options.device]))
    row = {
        "model": os.path.basename(path),
        "unpool": min(ours["forward"], again["forward"]),
        "unpool_both": min(ours["forward_and_back"], again["forward_and_back"]),
        "open": ours["read"] + ours["plan"] + ours["prepare"],
        "onnxruntime": theirs,
        "pytorch": forward,
        "pytorch_both": both,
        "tract": tracts,
        "tract_refuses": why,
    }
    rows.append(row)
    show = lambda x: "      -" if x is None else f"{1000 * x:7.1f}"
    ratio = lambda a, b: "    -" if b is None else f"{a / b:5.2f}"
    print(
        f"{row['model']:42} unpool {show(row['unpool'])} {show(row['unpool_both'])}"
        f"  onnxruntime {show(theirs)} ({ratio(row['unpool'], theirs)})"
        f"  pytorch {show(forward)} {show(both)} ({ratio(row['unpool'], forward)} {ratio(row['unpool_both'], both)})"
        f"  tract {show(tracts)} ({ratio(row['unpool'], tracts)})",
        flush=True,
    )
processor = f"{platform.processor() or platform.machine()}, {options.threads} threads"
where = f"{processor}, onnxruntime {onnxruntime.__version__}" if on_cpu else ours["device"]
print(where + (f", PyTorch {torch.__version__}" if torch else ""))
if options.json:
    with open(options.json, "w") as file:
        json.dump(rows, file, indent=1)
