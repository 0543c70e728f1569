#!/usr/bin/env python3
"""unpool's CPU path and other frameworks, on the same machine in the same run.

Results are compared before anything is timed. Then rounds follow, all with two threads: `unpool
bench` and the operations of every framework, first interleaved with a copy, then each repeated by
itself. The medians of the rounds' medians count.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median

os.environ |= {"RAYON_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "TF_CPP_MIN_LOG_LEVEL": "3"}

import numpy as np

from libraries import THREADS, Arrays, Operation, onnx_runtime, pytorch, tensorflow

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {"nchw_2x2": (8, 64, 112, 112), "nhwc_2x2": (8, 112, 112, 64)}
WARM_UP = 2

# Library, operation, case of the library, case of unpool, how many times as fast unpool shall be.
# "best" is the layout in which the library is faster.
TARGETS = [
    ("PyTorch", "max_pool", "best", 1.5),
    ("PyTorch", "max_pool", "nchw_2x2", 20.0),
    ("PyTorch", "max_unpool", "nchw_2x2", 2.5),
    ("PyTorch", "max_unpool", "nhwc_2x2", 2.5),
    ("PyTorch", "max_pool_backward", "nchw_2x2", 2.5),
    ("PyTorch", "max_pool_backward", "nhwc_2x2", 2.5),
    ("ONNX Runtime", "max_pool", "nchw_2x2", 12.0),
    ("TensorFlow", "max_unpool", "nhwc_2x2", 30.0),
]

# The order of measurements, as `unpool bench` knows it: interleaved, an output is in no cache; repeated, it is.
ORDERS = {"interleaved": [], "repeated": ["--repeated"]}

# Library, case, operation, whether it allocates, order.
Key = tuple[str, str, str, bool, str]
# Medians of one round, in milliseconds.
Round = dict[Key, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--unpool", type=Path, default=ROOT / "target/release/unpool")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--runs", type=int, default=10, help="timed runs in each round")
    args = parser.parse_args()

    operations = []
    tensors = {case: fill(shape) for case, shape in SHAPES.items()}
    for case, x in tensors.items():
        operations += pytorch(case, x)
        operations += onnx_runtime(case, x) if case.startswith("nchw") else tensorflow(case, x)
        compare(args.unpool, case, x, [o for o in operations if o.case == case])

    rounds = []
    for _ in range(args.rounds):
        times = {}
        for order in ORDERS:
            times |= unpool(args.unpool, order)
            for case, x in tensors.items():
                for group in groups(o for o in operations if o.case == case):
                    times |= measure(group, x, args.runs, order)
        rounds.append(times)
    report(rounds)
    if args.json:
        args.json.write_text(json.dumps(rows(rounds, args.runs), indent=2) + "\n")


def fill(shape: tuple[int, ...]) -> np.ndarray:
    """The numbers of `unpool bench`: of both signs, few ties, and no rule that a processor learns."""
    mixed = np.arange(np.prod(shape), dtype=np.uint32) + np.uint32(0x9E3779B9)
    mixed = (mixed ^ (mixed >> 16)) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> 13)) * np.uint32(0xC2B2AE35)
    mixed ^= mixed >> 16
    return ((mixed >> 8).astype(np.float32) / 65536 - 128).reshape(shape)


def key(operation: Operation, order: str) -> Key:
    return (operation.library, operation.case, operation.op, operation.allocates, order)


def compare(command: Path, case: str, x: np.ndarray, operations: list[Operation]) -> None:
    """Fails unless every library gives unpool's bits."""
    spaces = {"PyTorch": "plane", "ONNX Runtime": "tensor", "TensorFlow": "batch"}
    for library, space in spaces.items():
        found = [o for o in operations if o.library.startswith(library)]
        if found:
            expected = reference(command, case, x, space)
            for operation in found:
                for name, array in operation.results(operation.call()).items():
                    if array.tobytes() != expected[name].astype(array.dtype).tobytes():
                        raise SystemExit(f"{operation.library}, {operation.op}: other {name}")


def reference(command: Path, case: str, x: np.ndarray, space: str) -> Arrays:
    """What unpool gives."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("x", "values", "indices", "restored")
        files = {name: os.path.join(folder, f"{name}.npy") for name in names}
        np.save(files["x"], x)
        window = f"--kernel 2x2 --layout {case[:4]} --index-space {space} --device cpu".split()
        pooled = ["--values", files["values"], "--argmax", files["indices"]]
        run(command, "pool", files["x"], *window, *pooled)
        onto = ["--like", files["x"], "--out", files["restored"]]
        run(command, "unpool", files["values"], files["indices"], *window, *onto)
        return {name: np.load(file) for name, file in files.items()}


def run(command: Path, *arguments: str) -> None:
    subprocess.run([command, *arguments], check=True, stdout=subprocess.DEVNULL)


def unpool(command: Path, order: str) -> Round:
    """`unpool bench` on the CPU, into outputs that exist."""
    times = {}
    for case in SHAPES:
        settle()
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "unpool.json")
            cases = ["--device", "cpu", "--case", case, *ORDERS[order]]
            run(command, "bench", "--small", *cases, "--json", file)
            for row in json.loads(Path(file).read_text()):
                if row["case"] == case:
                    times["unpool", case, row["op"], False, order] = row["median_ms"]
    return times


def groups(operations: Iterable[Operation]) -> list[list[Operation]]:
    """By library, and by whether they allocate: each group is interleaved by itself."""
    found = defaultdict(list)
    for operation in operations:
        found[operation.library, operation.allocates].append(operation)
    return list(found.values())


def measure(operations: list[Operation], x: np.ndarray, runs: int, order: str) -> Round:
    """Some runs of each, after others that warm up: interleaved, a copy of the tensor by one thread and
    then the operations; or each repeated by itself."""
    settle()
    copy = np.empty_like(x)
    found = defaultdict(list)
    for group in [operations] if order == "interleaved" else [[o] for o in operations]:
        for number in range(WARM_UP + runs):
            if order == "interleaved":
                np.copyto(copy, x)
            for operation in group:
                start = time.perf_counter()
                operation.call()
                if number >= WARM_UP:
                    took = (time.perf_counter() - start) * 1e3
                    found[key(operation, order)].append(took)
    return {key: median(times) for key, times in found.items()}


def settle() -> None:
    """Until the threads of the last library no longer spin."""
    time.sleep(0.05)


def typical(rounds: list[Round], key: Key) -> float:
    return median(times[key] for times in rounds)


def ratio(rounds: list[Round], key: Key) -> float:
    """How many times as fast unpool does the same in the same layout."""
    _, case, op, _, order = key
    return typical(rounds, key) / typical(rounds, ("unpool", case, op, False, order))


def rows(rounds: list[Round], runs: int) -> list[dict[str, object]]:
    """`device`, `case`, `op` and `median_ms` as in `unpool bench`, and whose it is and how called."""
    return [
        {
            "library": key[0],
            "device": f"CPU: {THREADS} threads",
            "case": key[1],
            "op": key[2],
            "allocates": key[3],
            "order": key[4],
            "median_ms": typical(rounds, key),
            "runs": len(rounds) * (20 if key[0] == "unpool" else runs),
        }
        for key in rounds[0]
    ]


def report(rounds: list[Round]) -> None:
    """Every ratio, then the targets."""
    print(f"{'':35}{'interleaved':^22}{'repeated':^22}".rstrip())
    print("op                 case     output      ms unpool  ratio      ms unpool  ratio")
    heading = ""
    for library, case, op, allocates, order in rounds[0]:
        if library != "unpool" and order == "interleaved":
            if library != heading:
                print(library)
                heading = library
            line = f"{op:<18} {case} {'fresh' if allocates else 'exists':<7}"
            for order in ORDERS:
                key = (library, case, op, allocates, order)
                own = typical(rounds, ("unpool", case, op, False, order))
                line += f"{typical(rounds, key):8.2f}{own:7.2f}{ratio(rounds, key):7.2f}"
            print(line)
    print(f"\n{'':46}{'interleaved':^14}{'repeated':^17}".rstrip())
    print("library      op                case     target  best  called     best  called")
    for library, op, case, wanted in TARGETS:
        found = [
            ratio_of(rounds, library, op, case, order, called)
            for order in ORDERS
            for called in (False, True)
        ]
        print(
            f"{library:<12} {op:<17} {case:<8} {wanted:>6} {found[0]:5.1f} {found[1]:7.1f}"
            f" {found[2]:8.1f} {found[3]:7.1f}"
        )


def ratio_of(
    rounds: list[Round], library: str, op: str, case: str, order: str, called: bool
) -> float:
    """The library's fastest way to do it against unpool's: in one layout, or each in its best.
    `called` leaves out what only `out=` does, where the library's function allocates its results."""
    ways = [
        key
        for key in rounds[0]
        if key[0].startswith(library)
        and key[2] == op
        and case in ("best", key[1])
        and key[4] == order
    ]
    if called and any(key[3] for key in ways):
        ways = [key for key in ways if key[3]]
    own = [("unpool", key[1], op, False, order) for key in ways]
    return min(typical(rounds, key) for key in ways) / min(typical(rounds, key) for key in own)


if __name__ == "__main__":
    main()
