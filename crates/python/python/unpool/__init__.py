"""Max pooling that remembers where each maximum was, and unpooling that puts values back there.

On arrays of NumPy, on the CPU and on any GPU, with the same bits everywhere.

>>> import numpy as np
>>> import unpool
>>> x = np.arange(20, dtype=np.float32).reshape(1, 1, 4, 5)
>>> values, taps = unpool.max_pool(x, 2)
>>> values[0, 0]
array([[ 6.,  8.],
       [16., 18.]], dtype=float32)
>>> unpool.max_unpool(values, taps).shape
(1, 1, 4, 5)
"""

from . import tf
from ._geometry import Geometry
from ._indices import convert_indices, scatter
from ._network import Network
from ._parts import Layer, Projection, Region, Unit
from ._pool import (
    max_pool,
    max_pool_backward,
    max_pool_values,
    max_unpool,
    max_unpool_backward,
)
from ._pytorch import (
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from ._taps import Taps
from ._unpool import describe, devices

__version__ = "0.1.0"

__all__ = [
    "Geometry",
    "Layer",
    "Network",
    "Projection",
    "Region",
    "Taps",
    "Unit",
    "convert_indices",
    "describe",
    "devices",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_pool_backward",
    "max_pool_values",
    "max_unpool",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "max_unpool_backward",
    "scatter",
    "tf",
]
