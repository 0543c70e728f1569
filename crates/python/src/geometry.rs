//! `Geometry`: a window checked against the shape of an input.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use unpool::{Layout, Padding, Shape, Window};

use crate::arguments::{extents, named, padding, per_axis};
use crate::errors::refused;

/// A pooling window over an input shape, checked.
///
/// Parameters
/// ----------
/// input_shape : sequence of int
///     The shape of the input, with batch and channels.
/// kernel, stride, padding, dilation, ceil_mode
///     The window, as for `max_pool`.
/// layout : {"channels-first", "channels-last"}
///     Where the channels are in the shape; ``"nchw"`` and ``"nhwc"`` too.
///
/// Raises
/// ------
/// ValueError
///     If window and shape do not fit each other.
///
/// Examples
/// --------
/// >>> import unpool
/// >>> geometry = unpool.Geometry((8, 64, 113, 111), 3, stride=2, padding="same")
/// >>> geometry.pooled_shape
/// (8, 64, 57, 56)
/// >>> geometry.padding
/// ((1, 1), (1, 1))
/// >>> unpool.Geometry.for_pooled((1, 1, 2, 2), 2, output_size=(5, 4)).input_shape
/// (1, 1, 5, 4)
#[pyclass(frozen, eq, hash, module = "unpool")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Geometry(pub(crate) unpool::Geometry);

/// A window of Python's arguments.
fn window(
    kernel: &Bound<'_, PyAny>,
    stride: Option<&Bound<'_, PyAny>>,
    pads: Option<&Bound<'_, PyAny>>,
    dilation: Option<&Bound<'_, PyAny>>,
    ceil_mode: bool,
) -> PyResult<Window> {
    let mut window = Window::new(per_axis("kernel", kernel)?).with_ceil_mode(ceil_mode);
    if let Some(stride) = stride {
        window = window.with_stride(per_axis("stride", stride)?);
    }
    if let Some(pads) = pads {
        window = window.with_padding(padding(pads)?);
    }
    if let Some(dilation) = dilation {
        window = window.with_dilation(per_axis("dilation", dilation)?);
    }
    Ok(window)
}

#[pymethods]
impl Geometry {
    #[new]
    #[pyo3(signature = (input_shape, kernel, *, stride=None, padding=None, dilation=None,
        ceil_mode=false, layout="channels-first"))]
    #[allow(clippy::too_many_arguments, reason = "the arguments of a window in Python")]
    fn new(
        input_shape: &Bound<'_, PyAny>,
        kernel: &Bound<'_, PyAny>,
        stride: Option<&Bound<'_, PyAny>>,
        padding: Option<&Bound<'_, PyAny>>,
        dilation: Option<&Bound<'_, PyAny>>,
        ceil_mode: bool,
        layout: &str,
    ) -> PyResult<Self> {
        let window = window(kernel, stride, padding, dilation, ceil_mode)?;
        let shape = Shape::new(named::<Layout>(layout)?, extents("input_shape", input_shape)?);
        unpool::Geometry::new(&window, shape).map(Self).map_err(refused)
    }

    /// The geometry of an unpooling of which only the pooled shape is known.
    #[staticmethod]
    #[pyo3(signature = (pooled_shape, kernel, *, output_size=None, stride=None, padding=None,
        dilation=None, ceil_mode=false, layout="channels-first"))]
    #[allow(clippy::too_many_arguments, reason = "the arguments of a window in Python")]
    fn for_pooled(
        pooled_shape: &Bound<'_, PyAny>,
        kernel: &Bound<'_, PyAny>,
        output_size: Option<&Bound<'_, PyAny>>,
        stride: Option<&Bound<'_, PyAny>>,
        padding: Option<&Bound<'_, PyAny>>,
        dilation: Option<&Bound<'_, PyAny>>,
        ceil_mode: bool,
        layout: &str,
    ) -> PyResult<Self> {
        let window = window(kernel, stride, padding, dilation, ceil_mode)?;
        let shape = Shape::new(named::<Layout>(layout)?, extents("pooled_shape", pooled_shape)?);
        let size = output_size.map(|size| extents("output_size", size)).transpose()?;
        unpool::Geometry::for_pooled(&window, shape, size.as_deref()).map(Self).map_err(refused)
    }

    /// The shape to which an unpooling goes by default: PyTorch's, and the one that ONNX infers.
    #[staticmethod]
    #[pyo3(signature = (pooled_shape, kernel, *, stride=None, padding=None,
        layout="channels-first"))]
    fn unpooled_shape<'py>(
        py: Python<'py>,
        pooled_shape: &Bound<'py, PyAny>,
        kernel: &Bound<'py, PyAny>,
        stride: Option<&Bound<'py, PyAny>>,
        padding: Option<&Bound<'py, PyAny>>,
        layout: &str,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let window = window(kernel, stride, padding, None, false)?;
        let shape = Shape::new(named::<Layout>(layout)?, extents("pooled_shape", pooled_shape)?);
        let shape = unpool::Geometry::unpooled_shape(&window, &shape).map_err(refused)?;
        PyTuple::new(py, shape.dims())
    }

    /// The same geometry for tensors in the other order of axes.
    fn with_layout(&self, layout: &str) -> PyResult<Self> {
        let input = self.0.input_shape();
        let (batch, channels) = ([input.batch()], [input.channels()]);
        let shape = match named(layout)? {
            Layout::ChannelsFirst => {
                Shape::channels_first([&batch[..], &channels, input.spatial()].concat())
            }
            _ => Shape::channels_last([&batch[..], input.spatial(), &channels].concat()),
        };
        unpool::Geometry::new(self.0.window(), shape).map(Self).map_err(refused)
    }

    /// Cells of the window on each spatial axis.
    #[getter]
    fn kernel<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.window().kernel().as_slice())
    }

    /// Cells from one window to the next, on each spatial axis.
    #[getter]
    fn stride<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.window().stride().as_slice())
    }

    /// Cells from one cell of the window to the next, on each spatial axis.
    #[getter]
    fn dilation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.window().dilation().as_slice())
    }

    /// Cells before and after the input, on each spatial axis.
    #[getter]
    fn padding<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.pads().as_slice())
    }

    /// Whether a last, partial window counts.
    #[getter]
    fn ceil_mode(&self) -> bool {
        self.0.window().ceil_mode()
    }

    /// Where the channels are: ``"channels-first"`` or ``"channels-last"``.
    #[getter]
    fn layout(&self) -> &'static str {
        self.0.input_shape().layout().name()
    }

    /// The shape that is pooled, and that unpooling restores.
    #[getter]
    fn input_shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.input_shape().dims())
    }

    /// The shape of the pooled values and of their taps.
    #[getter]
    fn pooled_shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.pooled_shape().dims())
    }

    /// Cells of the window.
    #[getter]
    fn window_cells(&self) -> usize {
        self.0.window_cells()
    }

    /// Whether windows overlap or interleave.
    #[getter]
    fn windows_overlap(&self) -> bool {
        self.0.windows_overlap()
    }

    /// Bytes of a tap: 1, or 2 where the window has more than 255 cells.
    #[getter]
    fn tap_width(&self) -> usize {
        self.0.tap_width()
    }

    /// What pickle and copy make it of again.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let restore = py.import("unpool._geometry")?.getattr("_restore")?;
        let padding = match self.0.window().padding() {
            Padding::Same => "same".into_pyobject(py)?.into_any(),
            Padding::SameLower => "same_lower".into_pyobject(py)?.into_any(),
            Padding::Explicit(pads) => PyTuple::new(py, pads.as_slice())?.into_any(),
            _ => "valid".into_pyobject(py)?.into_any(),
        };
        let arguments = (
            self.input_shape(py)?,
            self.kernel(py)?,
            self.stride(py)?,
            padding,
            self.dilation(py)?,
            self.ceil_mode(),
            self.layout(),
        );
        (restore, arguments).into_pyobject(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Geometry({}, kernel={}, stride={}, padding={}, dilation={}, ceil_mode={}, layout='{}')",
            self.input_shape(py)?,
            self.kernel(py)?,
            self.stride(py)?,
            self.padding(py)?,
            self.dilation(py)?,
            if self.ceil_mode() { "True" } else { "False" },
            self.layout()
        ))
    }
}
