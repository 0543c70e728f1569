"""The definition of pooling as plain loops over NumPy arrays with channels first."""

import itertools

import numpy as np


def output_size(n, kernel, stride, dilation, before, after, ceil_mode):
    extent = (kernel - 1) * dilation + 1
    room = n + before + after - extent
    out = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (out - 1) * stride >= n + before:
        out -= 1
    return out


def cells(spatial, q, kernel, stride, dilation, pads):
    """The number of each cell of a window that lies in the input, and its coordinates."""
    for tap, offsets in enumerate(itertools.product(*map(range, kernel))):
        at = [
            q[i] * stride[i] + offsets[i] * dilation[i] - pads[i][0] for i in range(len(spatial))
        ]
        if all(0 <= c < n for c, n in zip(at, spatial)):
            yield tap, tuple(at)


def max_pool(x, kernel, stride, dilation, pads, ceil_mode=False):
    """Values, taps, and the coordinates of each maximum."""
    batch, channels, *spatial = x.shape
    out = [
        output_size(n, k, s, d, *p, ceil_mode)
        for n, k, s, d, p in zip(spatial, kernel, stride, dilation, pads)
    ]
    values = np.empty((batch, channels, *out), x.dtype)
    taps = np.empty(values.shape, np.uint8 if np.prod(kernel) <= 255 else np.uint16)
    where = {}
    for n, c in np.ndindex(batch, channels):
        for q in np.ndindex(*out):
            best = None
            for tap, at in cells(spatial, q, kernel, stride, dilation, pads):
                value = x[(n, c, *at)]
                if best is None or value > best[0] or value != value:
                    best = (value, tap, at)
            values[(n, c, *q)], taps[(n, c, *q)], where[(n, c, *q)] = best
    return values, taps, where


def unpool(values, where, shape, overlap):
    out = np.zeros(shape, np.float64 if overlap == "sum" else values.dtype)
    for q, at in where.items():
        if overlap == "sum":
            out[(*q[:2], *at)] += float(values[q])
        else:
            out[(*q[:2], *at)] = values[q]
    return out.astype(values.dtype)


def gather(grad, where, pooled_shape):
    out = np.empty(pooled_shape, grad.dtype)
    for q, at in where.items():
        out[q] = grad[(*q[:2], *at)]
    return out
