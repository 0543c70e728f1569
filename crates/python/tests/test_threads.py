"""Threads run at the same time, and nothing leaks."""

import gc
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import unpool
from conftest import same_bits


def test_many_threads_give_the_same(rng):
    x = rng.standard_normal((2, 8, 33, 35)).astype(np.float32)
    values, taps = unpool.max_pool(x, 3, stride=2, padding=1)
    restored = unpool.max_unpool(values, taps, overlap="sum")

    def run(_):
        found, argmax = unpool.max_pool(x, 3, stride=2, padding=1)
        made = unpool.max_unpool(found, argmax, overlap="sum")
        return same_bits(found, values) and argmax == taps and same_bits(made, restored)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(64)))


def test_other_threads_run_meanwhile():
    x = np.zeros((1, 16, 768, 768), np.uint8)
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    counts = []
    for _ in range(5):
        before = len(ticks)
        unpool.max_pool(x, 7, stride=1, padding=3)
        counts.append(len(ticks) - before)
    stop.set()
    thread.join()
    assert max(counts) > 3, counts


def test_one_out_for_two_threads_is_no_crash(rng):
    x = rng.standard_normal((1, 16, 128, 128)).astype(np.float32)
    out = np.empty((1, 16, 64, 64), np.float32)
    errors = []

    def run(_):
        try:
            unpool.max_pool_values(x, 2, out=out)
        except (BufferError, TypeError, ValueError, RuntimeError) as error:
            errors.append(error)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(100)))
    assert same_bits(out, unpool.max_pool_values(x, 2))


def test_nothing_leaks():
    x = np.zeros((1, 16, 128, 128), np.float32)
    geometry = unpool.Geometry(x.shape, 2)

    def work():
        values, taps = unpool.max_pool(x, 2)
        unpool.max_unpool(values, taps)
        unpool.scatter(values, taps.indices(), x.shape)
        for bad in (lambda: unpool.max_pool(x, 0), lambda: unpool.max_pool(x, "a")):
            try:
                bad()
            except (ValueError, TypeError):
                pass
        assert taps.geometry == geometry

    for _ in range(50):
        work()
    gc.collect()
    counts = sys.getrefcount(x), sys.getrefcount(geometry)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(300):
        work()
    gc.collect()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (sys.getrefcount(x), sys.getrefcount(geometry)) == counts
    # 300 leaked inputs would be 300 MiB.
    assert grown < 32 * 1024, f"{grown} KiB"
