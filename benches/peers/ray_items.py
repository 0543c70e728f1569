"""What Ray costs: images per second of unpool.ray in one process and by actors, on this machine.

usage: python3 benches/peers/ray_items.py [--images N] [--rounds N]

Needs `pip install "crates/python[ray]"`. Each way runs in a process of its own, with N and with N/4
images; the slope is the time of an image, and what is left is the start. Also measured: what reading an
image takes, and the bytes that move for one.
"""

import argparse
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "crates" / "cnn" / "tests" / "data"
#: Model, image, and rules: little work, and more.
JOBS = {
    "digits, 32×32, gradient": ("digits.onnx", "digit-3.png", "npy"),
    "flowers, 128×128, gradient": ("flowers.onnx", "tulips.jpg", "npy"),
    "flowers, Parquet": ("flowers.onnx", "tulips.jpg", "parquet"),
}
#: Actors, and threads of each process; 0 actors are one process without Ray.
WAYS = [(0, 1), (0, 2), (1, 1), (2, 1), (1, 2)]


def seconds(job, actors, threads, count):
    """The time of a job of some images, as a process of its own measures it."""
    with tempfile.TemporaryDirectory() as scratch:
        given = json.dumps([job, actors, threads, count, scratch])
        line = [sys.executable, __file__, "--one", given]
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "RAY_USAGE_STATS_ENABLED": "0"}
        done = subprocess.run(line, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return float(done.stdout.split()[-1])


def one(job, actors, threads, count, scratch):
    import unpool.ray

    model, image, format = JOBS[job]
    content = (DATA / image).read_bytes()
    images = Path(scratch) / "images"
    images.mkdir()
    for i in range(count):
        (images / f"{i:06}{Path(image).suffix}").write_bytes(content)
    if actors:
        import ray

        ray.init(num_cpus=actors * threads, include_dashboard=False, log_to_driver=False)
    start = time.perf_counter()
    report = unpool.ray.explain(
        images, DATA / model, out=Path(scratch) / "out", format=format, actors=actors,
        num_cpus=threads, progress=False,
    )  # fmt: skip
    elapsed = time.perf_counter() - start
    assert report.computed == count, report
    print(elapsed)


def reading(size):
    """Milliseconds to decode and resize a JPEG of a size, such as ImageNet's have, to 224×224."""
    from io import BytesIO

    from PIL import Image

    from unpool.ray._images import Preprocessing

    picture = Image.open(DATA / "tulips.jpg").resize(size, Image.Resampling.BICUBIC)
    file = BytesIO()
    picture.save(file, "JPEG", quality=92)
    reader = Preprocessing(3, (224, 224), False, (0.0,), (1.0,), False)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        reader.tensor(file.getvalue())
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times), len(file.getvalue())


def writing(scratch):
    """Milliseconds and bytes of a map of 3×224×224 in each format, written to this machine's disk."""
    import numpy as np

    import unpool
    from unpool.ray._explain import Explain, Made, Model
    from unpool.ray._images import Preprocessing
    from unpool.ray._store import open_store

    model, network = Model.open(DATA / "flowers.onnx")
    image = Preprocessing.of(network).tensor((DATA / "tulips.jpg").read_bytes())
    network = unpool.Network(DATA / "flowers.onnx")
    network.forward(image)
    small = network.look_back(network.scores, ("class", 4)).map[0]
    # A gradient's own numbers, in a larger map.
    map_ = np.ascontiguousarray(np.tile(small, (1, 2, 2))[:, :224, :224])
    reader = Preprocessing(3, (128, 128), False, (0.0,), (1.0,), False)
    store = open_store(scratch)
    for format in ("png", "npy", "parquet"):
        work = Explain(model, network, None, "best", "gradient", reader, format, "cpu")
        made = [Made(work._asked[0], map_, 4, 1.0, None)]
        # A part of Parquet has 64 images by default.
        count = 64 if format == "parquet" else 1
        times, length = [], 0
        for i in range(40 if count == 1 else 4):
            start = time.perf_counter()
            files = work.files(str(i), [(f"image {j}", made) for j in range(count)])
            middle = time.perf_counter()
            for name, content in files:
                store.write(name, content)
            end = time.perf_counter()
            times.append(((middle - start) / count, (end - middle) / count))
            length = sum(len(content) for _, content in files) / count
        encode, write = (1000 * statistics.median(column) for column in zip(*times))
        print(f"{format}: {encode:.1f} ms to encode, {write:.1f} ms to write {length:.0f} bytes an image")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    import PIL
    import ray

    from unpool.ray._items import Item
    from unpool.ray._work import Outcome, item_part

    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, Python "
        f"{platform.python_version()}, Ray {ray.__version__}, Pillow {PIL.__version__}"
    )
    print("| job | actors | threads of each | images a second | ms an image | start, s |")
    print("|---|---|---|---|---|---|")
    many = arguments.images
    few = many // 4
    for job in JOBS:
        for actors, threads in WAYS:
            rounds = [
                (seconds(job, actors, threads, few), seconds(job, actors, threads, many))
                for _ in range(arguments.rounds)
            ]
            a = statistics.median(a for a, _ in rounds)
            b = statistics.median(b for _, b in rounds)
            each = (b - a) / (many - few)
            name = actors or "one process"
            print(
                f"| {job} | {name} | {threads} | {1 / each:.0f} | {1000 * each:.2f} | "
                f"{max(0.0, b - many * each):.1f} |",
                flush=True,
            )
    for size in ((500, 375), (1024, 768)):
        took, length = reading(size)
        print(f"JPEG of {size[0]}×{size[1]}, {length} bytes: {took:.1f} ms to read for 224×224")
    with tempfile.TemporaryDirectory() as scratch:
        writing(scratch)
    part = item_part(Item("n01440764/n01440764_10026.JPEG", "/data/images/n01440764/n01440764_10026.JPEG"))
    there = len(pickle.dumps(part))
    back = len(pickle.dumps(Outcome(part.name, 1, 0, [], "NVIDIA H100 80GB HBM3 (Vulkan)")))
    print(f"{there} bytes to an actor, and {back} back, for an image")


if __name__ == "__main__":
    main()
