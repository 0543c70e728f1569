"""Arrays as the compiled functions take them: element types, memory order, and bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: The element type of each type of NumPy, and of ``ml_dtypes.bfloat16``.
_ELEMENTS = {
    "float32": "f32",
    "float16": "f16",
    "bfloat16": "bf16",
    "int32": "i32",
    "uint32": "u32",
    "int8": "i8",
    "uint8": "u8",
}
_ALLOWED = "float32, float16, bfloat16 (of ml_dtypes), int32, uint32, int8 and uint8"

#: The devices of DLPack whose memory the CPU can read: the CPU, and pinned memory.
_CPU_DEVICES = (1, 3)


def as_array(x: Any, what: str) -> Array:
    """An array of NumPy, without a copy where `x` is one or shares its memory by DLPack."""
    if isinstance(x, np.ndarray):
        return np.asarray(x)
    if hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__"):
        device = int(x.__dlpack_device__()[0])
        if device not in _CPU_DEVICES:
            raise ValueError(f"{what} is on DLPack device {device}; a CPU tensor is allowed")
        try:
            return np.from_dlpack(x)
        except (BufferError, RuntimeError) as error:
            raise TypeError(f"{what} cannot be shared by DLPack: {error}") from error
    return np.asarray(x)


def element_of(array: Array, what: str) -> str:
    """The name of the element type of an array."""
    element = _ELEMENTS.get(array.dtype.name)
    if element is None:
        raise TypeError(f"{what} holds {array.dtype.name}; {_ALLOWED} are allowed")
    return element


def tensor(x: Any, what: str) -> tuple[Array, str]:
    """An array of elements in the byte order of the machine, and their type."""
    array = as_array(x, what)
    element = element_of(array, what)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array, element


def indices_of(x: Any, what: str = "indices") -> Array:
    """Indices as 64-bit integers."""
    array = as_array(x, what)
    if array.dtype.kind not in "iu" or array.dtype.name not in (
        "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8",
    ):
        raise TypeError(f"{what} hold {array.dtype.name}; integers are allowed")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{what} hold {array.max()}; at most {np.iinfo(np.int64).max} is allowed")
    return array.astype(np.int64, copy=False)


def raw(array: Array) -> npt.NDArray[np.uint8]:
    """The bytes of a contiguous array, which are not copied."""
    return array.reshape(-1).view(np.uint8)


def is_dense(array: Array) -> bool:
    """Whether the elements lie in raster order without gaps, and where a processor reads them."""
    return array.flags.c_contiguous and array.flags.aligned


def dense(array: Array) -> Array:
    """The array itself if it is dense, else a copy."""
    return array if is_dense(array) else np.array(array, order="C", copy=True)


def check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], what: str) -> Array:
    """An array that results can be written to."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{what} is {type(out).__name__}; an array of NumPy is allowed")
    if out.shape != shape:
        raise ValueError(f"{what} has shape {out.shape}; {shape} is needed")
    if out.dtype != dtype:
        raise TypeError(f"{what} holds {out.dtype.name}; {dtype.name} is needed")
    if not out.flags.writeable:
        raise ValueError(f"{what} is read-only; an array that can be written is needed")
    return out
