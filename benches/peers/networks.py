"""A forward pass of whole networks on the CPU: ONNX Runtime, PyTorch and tract where they are installed, and
unpool-cnn, by turns in one run.

usage: networks.py TIME_EXAMPLE MODEL.onnx ... [--threads N] [--runs N] [--json FILE]

TIME_EXAMPLE is the binary of `cargo build --release --example time -p unpool-cnn`. MODEL.onnx are files
with their weights, as tools like fill_weights.py, torch.onnx.export or tf2onnx write them. Needs numpy and
onnxruntime from PyPI. Each runtime gets N threads (2), tract one, as it has no more; times are medians in
milliseconds. PyTorch runs
networks of torchvision under their names (resnet50_dynamo.onnx is torchvision's resnet50), forward, and
forward with the gradient of one score with respect to the image.
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
options.add_argument("--threads", type=int, default=2)
options.add_argument("--runs", type=int, default=7)
options.add_argument("--json")
options = options.parse_args()
os.environ["RAYON_NUM_THREADS"] = str(options.threads)
# cuda.py beside this file is not the module that PyTorch imports by that name.
sys.path.pop(0)

import numpy as np
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
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0]
    shape = [n if isinstance(n, int) else 1 if i == 0 else 224 for i, n in enumerate(first.shape)]
    image = np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return median(lambda: session.run(None, {first.name: image})), image


def by_tract(path, image):
    """Also why tract does not run it, if it does not."""
    if tract is None:
        return None, None
    try:
        model = tract.onnx().load(path)
        extents = ",".join(map(str, image.shape))
        model.set_input_fact(0, f"{extents},f32")
        runnable = model.into_model().into_runnable()
        return median(lambda: runnable.run([image])), None
    except Exception as error:
        return None, str(error).strip().splitlines()[0]


def by_pytorch(path):
    name = os.path.basename(path).split("_dynamo")[0].split("_legacy")[0]
    make = getattr(torchvision.models, name, None) if torch else None
    if make is None:
        return None, None
    network = make(weights=None).eval()
    image = torch.rand(1, 3, 224, 224)

    def both():
        x = image.clone().requires_grad_(True)
        network(x)[0, 0].backward()

    with torch.no_grad():
        forward = median(lambda: network(image))
    return forward, median(both)


rows = []
for path in options.models:
    ours = json.loads(subprocess.check_output([options.example, path, str(options.runs), "cpu"]))
    theirs, image = by_onnxruntime(path)
    forward, both = by_pytorch(path)
    tracts, why = by_tract(path, image)
    again = json.loads(subprocess.check_output([options.example, path, str(options.runs), "cpu"]))
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
print(f"{platform.processor() or platform.machine()}, {options.threads} threads, onnxruntime {onnxruntime.__version__}")
if options.json:
    with open(options.json, "w") as file:
        json.dump(rows, file, indent=1)
