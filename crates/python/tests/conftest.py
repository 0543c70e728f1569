"""What the tests share: where the repository's data is, and an array of each element type."""

import contextlib
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

# Triton, which PyTorch loads when an operator first runs, has an LLVM of its own, and crashes if the
# LLVM of Mesa's software adapter is in the process before it.
with contextlib.suppress(ImportError):
    import torch._dynamo  # noqa: F401

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors"
MODELS = ROOT / "crates" / "cnn" / "tests" / "data"

ELEMENTS = [
    np.dtype(kind)
    for kind in (
        np.float32, np.float16, ml_dtypes.bfloat16, np.int32, np.uint32, np.int8, np.uint8,
    )
]


@pytest.fixture(params=ELEMENTS, ids=lambda dtype: dtype.name)
def dtype(request):
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(24)


def same_bits(a, b):
    """Whether two arrays have one shape, one type, and the same bits."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
