"""The operations as each library does them, two by two without overlap, on tensors of f32."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import torch

THREADS = 2

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Operation:
    """One operation of one library, ready to be called as often as one likes."""

    library: str
    case: str
    op: str
    # Whether it writes into outputs that exist, as unpool's does, or allocates them.
    allocates: bool
    call: Callable[[], object]
    # What it gave, from what a call returned, in the case's memory order: values and indices, or
    # restored.
    results: Callable[[object], Arrays]


def pytorch(case: str, x: np.ndarray) -> list[Operation]:
    """`max_pool2d`, `max_unpool2d` and the gradient of the former, allocating and `out=`."""
    torch.set_num_threads(THREADS)
    aten = torch.ops.aten
    last = case.startswith("nhwc")

    def nchw(array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        return tensor.permute(0, 3, 1, 2) if last else tensor

    def array(tensor: torch.Tensor) -> np.ndarray:
        return (tensor.permute(0, 2, 3, 1) if last else tensor).numpy()

    cells = nchw(x)
    values, indices = torch.nn.functional.max_pool2d(cells, 2, return_indices=True)
    restored, gradient = torch.zeros_like(cells), torch.zeros_like(cells)
    layout = torch.channels_last if last else torch.contiguous_format
    assert all(t.is_contiguous(memory_format=layout) for t in (cells, values, indices, restored))
    window = ([2, 2], [2, 2], [0, 0], [1, 1], False)
    size = list(cells.shape[2:])

    def pool() -> object:
        return torch.nn.functional.max_pool2d(cells, 2, return_indices=True)

    def pool_out() -> object:
        return aten.max_pool2d_with_indices.out(cells, *window, out=values, indices=indices)

    def unpool() -> object:
        return torch.nn.functional.max_unpool2d(values, indices, 2)

    def unpool_out() -> object:
        return aten.max_unpool2d.out(values, indices, size, out=restored)

    def backward() -> object:
        return aten.max_pool2d_with_indices_backward(values, cells, *window, indices)

    def backward_out() -> object:
        return aten.max_pool2d_with_indices_backward.grad_input(
            values, cells, *window, indices, grad_input=gradient
        )

    def pooled(given: tuple[torch.Tensor, torch.Tensor]) -> Arrays:
        return {"values": array(given[0]), "indices": array(given[1])}

    def unpooled(given: torch.Tensor) -> Arrays:
        return {"restored": array(given)}

    operations = [
        ("max_pool", pool, pool_out, pooled),
        ("max_unpool", unpool, unpool_out, unpooled),
        ("max_pool_backward", backward, backward_out, unpooled),
    ]
    name = f"PyTorch {torch.__version__}"
    return [
        Operation(name, case, op, allocates, inference(call), results)
        for op, fresh, out, results in operations
        for allocates, call in ((False, out), (True, fresh))
    ]


def inference(call: Callable[[], object]) -> Callable[[], object]:
    """Without the bookkeeping of autograd."""
    return torch.inference_mode()(call)


def onnx_runtime(case: str, x: np.ndarray) -> list[Operation]:
    """`MaxPool` with `Indices`, into outputs that exist. Channels first only."""
    tensor = onnx.helper.make_tensor_value_info
    shape = [*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2]
    node = onnx.helper.make_node(
        "MaxPool", ["x"], ["values", "indices"], kernel_shape=[2, 2], strides=[2, 2]
    )
    graph = onnx.helper.make_graph(
        [node],
        "pool",
        [tensor("x", onnx.TensorProto.FLOAT, x.shape)],
        [
            tensor("values", onnx.TensorProto.FLOAT, shape),
            tensor("indices", onnx.TensorProto.INT64, shape),
        ],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    values, indices = np.empty(shape, np.float32), np.empty(shape, np.int64)
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
    for name, array in (("values", values), ("indices", indices)):
        binding.bind_output(name, "cpu", 0, array.dtype, shape, array.ctypes.data)

    return [
        Operation(
            f"ONNX Runtime {onnxruntime.__version__}",
            case,
            "max_pool",
            False,
            lambda: session.run_with_iobinding(binding),
            lambda _: {"values": values, "indices": indices},
        )
    ]


def tensorflow(case: str, x: np.ndarray) -> list[Operation]:
    """`max_pool_with_argmax`, and unpooling as its users write it. Channels last only."""
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    cells = tf.constant(x)

    @tf.function
    def pool() -> object:
        return tf.nn.max_pool_with_argmax(cells, 2, 2, "VALID", include_batch_in_index=True)

    values, argmax = pool()

    @tf.function
    def unpool() -> object:
        places = tf.reshape(argmax, [-1, 1])
        flat = tf.scatter_nd(places, tf.reshape(values, [-1]), [cells.shape.num_elements()])
        return tf.reshape(flat, cells.shape)

    def pooled(given: tuple[tf.Tensor, tf.Tensor]) -> Arrays:
        return {"values": given[0].numpy(), "indices": given[1].numpy()}

    def unpooled(given: tf.Tensor) -> Arrays:
        return {"restored": given.numpy()}

    name = f"TensorFlow {tf.__version__}"
    return [
        Operation(name, case, "max_pool", True, pool, pooled),
        Operation(name, case, "max_unpool", True, unpool, unpooled),
    ]
