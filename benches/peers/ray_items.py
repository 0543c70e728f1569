"""What Ray costs: images per second of unpool.ray in one process and by actors, on this machine.

usage: python3 benches/peers/ray_items.py [--images N] [--rounds N]

Needs `pip install "crates/python[ray]"`. Each way runs in a process of its own, alternately. The time of an
image is that between the first and the last tenth of the files, by their own times; what is left of the
whole is the start. Also measured: what reading and writing an image takes, and the bytes that move for one.
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
#: Model, image, format, and for how many more images: little work, and more.
JOBS = {
    "digits, 32×32, arrays": ("digits.onnx", "digit-3.png", "npy", 5),
    "flowers, 128×128, Parquet": ("flowers.onnx", "tulips.jpg", "parquet", 1),
}
#: Actors, and threads of each process; 0 actors are one process without Ray.
WAYS = [(0, 1), (0, 2), (1, 1), (2, 1)]
#: Images of a Parquet file.
GROUP = 8


def seconds(job, actors, threads, count):
    """Seconds of an image, and of the start, as a process of its own measures them."""
    with tempfile.TemporaryDirectory() as scratch:
        given = json.dumps([job, actors, threads, count, scratch])
        line = [sys.executable, __file__, "--one", given]
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "RAY_USAGE_STATS_ENABLED": "0"}
        done = subprocess.run(line, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return tuple(map(float, done.stdout.split()[-2:]))


def one(job, actors, threads, count, scratch):
    import unpool.ray

    model, image, format, _ = JOBS[job]
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
        num_cpus=threads, progress=False, group=GROUP,
    )  # fmt: skip
    elapsed = time.perf_counter() - start
    assert report.computed == count, report
    files = Path(scratch, "out").glob("parts/*" if format == "parquet" else "items/*/item.json")
    times = sorted(file.stat().st_mtime for file in files)
    tenth = len(times) // 10
    of_file = (times[-1 - tenth] - times[tenth]) / (len(times) - 1 - 2 * tenth)
    each = of_file * len(times) / count
    print(each, elapsed - count * each)


class Nothing:
    """Work that computes and writes nothing: what is left is what the job itself costs."""

    format = "npy"

    def job(self):
        return {"operation": "nothing"}

    def start(self):
        return "nothing"

    def compute(self, content):
        return None

    def marker(self, part):
        return f"items/{part}"

    def files(self, part, results):
        return []


def nothing(actors):
    """Milliseconds of an item of a job that does nothing, by the slope between two numbers of items."""
    from unpool.ray._run import Resources, run

    def took(count):
        with tempfile.TemporaryDirectory() as scratch:
            start = time.perf_counter()
            items = {f"{i:06}": b"" for i in range(count)}
            run(items, Nothing(), scratch, 1, Resources(actors, 1, 0, None, False))
            return time.perf_counter() - start

    few, many = took(4000), took(24000)
    return 1000 * (many - few) / 20000


def reading(size):
    """Milliseconds to decode and resize a JPEG of a size, such as ImageNet's have, to 224×224."""
    from io import BytesIO

    import numpy as np
    from PIL import Image

    from unpool._images import Preprocessing

    # Enlarged and with noise, so that there is as much to decode as in a photograph of that size.
    smooth = Image.open(DATA / "tulips.jpg").resize(size, Image.Resampling.BICUBIC)
    noise = np.random.default_rng(1).normal(0, 14, (size[1], size[0], 1))
    picture = Image.fromarray(np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8))
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

    from unpool.ray._explain import Explain, Made, Model
    from unpool._images import Preprocessing
    from unpool.ray._store import open_store

    model, network = Model.open(DATA / "flowers.onnx")
    # Noise, which compresses no better than a gradient does.
    map_ = np.random.default_rng(1).standard_normal((3, 224, 224), np.float32)
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
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="without whole jobs")
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
    print("| job | actors | threads of each | images a second | ms an image | of all rounds | start, s |")
    print("|---|---|---|---|---|---|---|")
    for job, (*_, factor) in () if arguments.short else JOBS.items():
        found = {way: [] for way in WAYS}
        for _ in range(arguments.rounds):
            for way in WAYS:
                found[way].append(seconds(job, *way, arguments.images * factor))
        for (actors, threads), rounds in found.items():
            eaches = sorted(each for each, _ in rounds)
            each, start = statistics.median(eaches), statistics.median(start for _, start in rounds)
            print(
                f"| {job} | {actors or 'one process'} | {threads} | {1 / each:.0f} | "
                f"{1000 * each:.2f} | {1000 * eaches[0]:.2f} to {1000 * eaches[-1]:.2f} | {start:.1f} |",
                flush=True,
            )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    for actors in (0, 1, 2):
        print(f"{actors} actors, nothing computed or written: {nothing(actors):.3f} ms an image")
    ray.shutdown()
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
