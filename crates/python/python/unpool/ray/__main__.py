"""The command: ``python -m unpool.ray explain MODEL IMAGES --out DIR``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from .._images import PRESETS
from . import Report, explain, pool, unpool

#: Failures that are told; failed.json has all.
_TOLD = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0: all items have results, 1: some have none, 2: it could not run."""
    options = vars(_parser().parse_args(arguments))
    call = options.pop("call")
    if len(options["dataset"]) == 1:
        options["dataset"] = options["dataset"][0]
    options["progress"] = not options.pop("quiet")
    # What is not given is left to the function's own default.
    for name in ("targets", "rules"):
        if options.get(name, ()) is None:
            del options[name]
    try:
        report = call(**options)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    except (ImportError, OSError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    _tell(report)
    return 1 if report.failed else 0


def _tell(report: Report) -> None:
    on = f", on {' and '.join(report.devices)}" if report.devices else ""
    print(
        f"{report.items} items: {report.computed} computed{on}; "
        f"{report.found} were there; {len(report.failed)} failed"
    )
    for name, reason in report.failed[:_TOLD]:
        print(f"{name}: {reason}", file=sys.stderr)
    if len(report.failed) > _TOLD:
        print("failed.json has the others", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--out", required=True, help="a directory that all machines share, or a URI")
    shared.add_argument("--address", help="the cluster of Ray; auto: the one that runs")
    shared.add_argument("--actors", type=int, help="at most; 0: this process alone, without Ray")
    shared.add_argument("--num-cpus", type=float, default=1, help="of each actor")
    shared.add_argument("--num-gpus", type=float, help="of each actor")
    shared.add_argument("--device", default="cpu", help="cpu, auto, gpu, or a part of a name")
    shared.add_argument("--quiet", action="store_true", help="no bars")

    parser = argparse.ArgumentParser(
        "python -m unpool.ray", description="Explain images and pool arrays, on many machines."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("explain", parents=[shared], help="maps of images")
    command.set_defaults(call=explain)
    command.add_argument("model", metavar="MODEL", help="an ONNX file")
    command.add_argument("dataset", metavar="IMAGES", nargs="+", help="a directory, or files")
    command.add_argument("--layer", dest="layers", action="append", help="may be repeated")
    command.add_argument(
        "--target",
        dest="targets",
        action="append",
        type=_target,
        help="best, layer, class:N, channel:N, responses:N, strongest:N, unit:CHANNEL:POSITION",
    )
    command.add_argument("--rule", dest="rules", action="append", help="may be repeated")
    command.add_argument("--format", choices=["png", "npy", "parquet"], default="png")
    command.add_argument("--group", type=int, default=64, help="images of a Parquet file")
    command.add_argument("--preset", choices=list(PRESETS))
    command.add_argument("--mean", type=_numbers, metavar="M,…")
    command.add_argument("--std", type=_numbers, metavar="S,…")
    command.add_argument("--size", type=_size, metavar="HxW")

    command = commands.add_parser("pool", parents=[shared], help="max pooling with taps")
    command.set_defaults(call=pool)
    command.add_argument("dataset", metavar="ARRAYS", nargs="+", help="a directory, or files")
    command.add_argument("--kernel", type=_axes, required=True, metavar="K,…")
    command.add_argument("--stride", type=_axes, metavar="S,…")
    command.add_argument("--padding", type=_padding, metavar="P,…", help="valid, same, or cells")
    command.add_argument("--dilation", type=_axes, metavar="D,…")
    command.add_argument("--ceil-mode", action="store_true")
    command.add_argument("--layout")
    command.add_argument("--format", choices=["npz", "parquet"], default="npz")
    command.add_argument("--group", type=int, default=64, help="arrays of a Parquet file")

    command = commands.add_parser("unpool", parents=[shared], help="what pool has written")
    command.set_defaults(call=unpool)
    command.add_argument("dataset", metavar="ARCHIVES", nargs="+", help="a directory, or files")
    command.add_argument("--overlap", choices=["last", "sum"], default="last")
    return parser


def _target(text: str) -> Any:
    kind, *numbers = text.split(":")
    return (kind, *map(int, numbers)) if numbers else kind


def _numbers(text: str) -> list[float]:
    return [float(x) for x in text.split(",")]


def _axes(text: str) -> int | list[int]:
    numbers = [int(x) for x in text.split(",")]
    return numbers[0] if len(numbers) == 1 else numbers


def _padding(text: str) -> str | int | list[int]:
    return text if text.isidentifier() else _axes(text)


def _size(text: str) -> tuple[int, int]:
    height, width = text.split("x")
    return int(height), int(width)


if __name__ == "__main__":
    sys.exit(main())
