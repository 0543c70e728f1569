"""The shapes of TensorFlow, and the unpooling that it lacks."""

import numpy as np
import pytest

import unpool
import unpool.tf


@pytest.fixture
def x(rng):
    return rng.standard_normal((2, 5, 7, 3)).astype(np.float32)


@pytest.mark.parametrize("batch", [False, True])
def test_unpooling_restores_the_maxima(batch, x):
    output, argmax = unpool.tf.max_pool_with_argmax(
        x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", include_batch_in_index=batch
    )
    restored = unpool.tf.unpool(
        output, argmax, output_shape=x.shape, include_batch_in_index=batch
    )
    places = restored != 0
    assert places.sum() == output.size and np.array_equal(restored[places], x[places])


def test_without_output_shape_the_window_gives_it(x):
    x = x[:, :4, :6]
    output, argmax = unpool.tf.max_pool_with_argmax(x, 2, 2, "VALID")
    restored = unpool.tf.unpool(output, argmax, 2, padding="VALID")
    assert restored.shape == x.shape
    assert np.array_equal(restored, unpool.tf.unpool(output, argmax, output_shape=x.shape))


def test_types_of_the_argmax(x):
    _, argmax = unpool.tf.max_pool_with_argmax(x, 2, 2, "SAME", np.int32)
    assert argmax.dtype == np.int32
    with pytest.raises(TypeError, match="int64 and int32"):
        unpool.tf.max_pool_with_argmax(x, 2, 2, "SAME", np.float32)


def test_refusals(x):
    with pytest.raises(ValueError, match="'VALID' and 'SAME'"):
        unpool.tf.max_pool_with_argmax(x, 2, 2, "FULL")
    with pytest.raises(ValueError, match="1 for the batch"):
        unpool.tf.max_pool_with_argmax(x, [2, 2, 2, 1], 2, "SAME")
    output, argmax = unpool.tf.max_pool_with_argmax(x, 2, 2, "SAME")
    with pytest.raises(TypeError, match="ksize or output_shape"):
        unpool.tf.unpool(output, argmax)
