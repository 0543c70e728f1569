"""The command ``unpool``, which comes with the package."""

from __future__ import annotations

import os
import sys
import tempfile

from . import _unpool

__all__ = ["main"]


def main() -> int:
    """Run the command with the arguments of the process, and return its exit status."""
    if sys.platform == "linux":
        # Mesa's EGL would say on standard error that it has no directory.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    return _unpool.run_command(sys.argv)
