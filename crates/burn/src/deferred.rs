//! The operations as descriptions, which run later or elsewhere: under Fusion, and on a server.
//!
//! Burn keeps such an operation as an identifier, tensors and scalars. The scalars hold the whole geometry,
//! so that a description that was sent to another process, or that a cached graph replays, needs nothing
//! else.

use burn::backend::ir::{BackendIr, HandleContainer, ScalarIr, TensorIr};
use burn::tensor::{DType, Shape};
use unpool::{Geometry, IndexSpace, Overlap, Padding, PerAxis, Window};

use crate::backend::MaxPoolBackend;
use crate::layout::{geometry_between, tap_dtype};

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operation {
    MaxPool,
    MaxPoolValues,
    MaxUnpool(Overlap),
    Gather,
    TapsToIndices(IndexSpace),
}

impl Operation {
    /// The name under which a server knows it.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::MaxPool => "unpool_max_pool",
            Self::MaxPoolValues => "unpool_max_pool_values",
            Self::MaxUnpool(Overlap::Sum) => "unpool_max_unpool_sum",
            Self::MaxUnpool(_) => "unpool_max_unpool_last",
            Self::Gather => "unpool_gather",
            Self::TapsToIndices(IndexSpace::Image) => "unpool_taps_to_image_indices",
            Self::TapsToIndices(IndexSpace::Batch) => "unpool_taps_to_batch_indices",
            Self::TapsToIndices(IndexSpace::Tensor) => "unpool_taps_to_tensor_indices",
            Self::TapsToIndices(IndexSpace::TensorColumnMajor) => {
                "unpool_taps_to_tensor_column_major_indices"
            }
            Self::TapsToIndices(_) => "unpool_taps_to_plane_indices",
        }
    }

    /// Every operation.
    #[cfg(feature = "remote")]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let unpool = Overlap::ALL.into_iter().map(Self::MaxUnpool);
        let convert = IndexSpace::ALL.into_iter().map(Self::TapsToIndices);
        [Self::MaxPool, Self::MaxPoolValues, Self::Gather].into_iter().chain(unpool).chain(convert)
    }

    /// Shapes and types of the results, of an operation whose first operand has a type.
    pub(crate) fn results(self, geometry: &Geometry, dtype: DType) -> Vec<(Shape, DType)> {
        let input = Shape::from(geometry.input_shape().dims().to_vec());
        let pooled = Shape::from(geometry.pooled_shape().dims().to_vec());
        match self {
            Self::MaxPool => vec![(pooled.clone(), dtype), (pooled, tap_dtype(geometry))],
            Self::MaxPoolValues | Self::Gather => vec![(pooled, dtype)],
            Self::MaxUnpool(_) => vec![(input, dtype)],
            Self::TapsToIndices(_) => vec![(pooled, DType::I32)],
        }
    }

    /// Runs the operation on the tensors of a backend.
    pub(crate) fn run<B: MaxPoolBackend + BackendIr>(
        self,
        geometry: Geometry,
        inputs: &[TensorIr],
        outputs: &[TensorIr],
        handles: &mut HandleContainer<B::Handle>,
    ) {
        match self {
            Self::MaxPool => {
                let input = handles.get_float_tensor::<B>(&inputs[0]);
                let (values, taps) = B::max_pool(input, geometry);
                handles.register_float_tensor::<B>(&outputs[0].id, values);
                handles.register_int_tensor::<B>(&outputs[1].id, taps);
            }
            Self::MaxPoolValues => {
                let input = handles.get_float_tensor::<B>(&inputs[0]);
                let values = B::max_pool_values(input, geometry);
                handles.register_float_tensor::<B>(&outputs[0].id, values);
            }
            Self::MaxUnpool(overlap) => {
                let values = handles.get_float_tensor::<B>(&inputs[0]);
                let taps = handles.get_int_tensor::<B>(&inputs[1]);
                let output = B::max_unpool(values, taps, geometry, overlap);
                handles.register_float_tensor::<B>(&outputs[0].id, output);
            }
            Self::Gather => {
                let unpooled = handles.get_float_tensor::<B>(&inputs[0]);
                let taps = handles.get_int_tensor::<B>(&inputs[1]);
                let values = B::gather(unpooled, taps, geometry);
                handles.register_float_tensor::<B>(&outputs[0].id, values);
            }
            Self::TapsToIndices(space) => {
                let taps = handles.get_int_tensor::<B>(&inputs[0]);
                let indices = B::taps_to_indices(taps, geometry, space);
                handles.register_int_tensor::<B>(&outputs[0].id, indices);
            }
        }
    }
}

/// Scalars of an axis.
const AXIS: usize = 7;

/// A geometry with channels first as scalars: batch, channels, whether sizes are rounded up, and for each
/// axis the input's size, the pooled size, kernel, stride, dilation and the padding before and after.
pub(crate) fn encode(geometry: &Geometry) -> Vec<ScalarIr> {
    let (input, window) = (geometry.input_shape(), geometry.window());
    let pads = match window.padding() {
        Padding::Explicit(pads) => pads,
        _ => geometry.pads(),
    };
    let ceil = usize::from(window.ceil_mode());
    let mut numbers = vec![input.batch(), input.channels(), ceil];
    for (i, &size) in input.spatial().iter().enumerate() {
        let (before, after) = pads[i];
        let pooled = geometry.pooled_shape().spatial()[i];
        let (kernel, stride) = (window.kernel()[i], window.stride()[i]);
        numbers.extend([size, pooled, kernel, stride, window.dilation()[i], before, after]);
    }
    numbers.into_iter().map(|n| ScalarIr::UInt(n as u64)).collect()
}

/// The geometry of scalars, or what is wrong with them: they may come from another process.
pub(crate) fn decode(scalars: &[ScalarIr]) -> Result<Geometry, String> {
    let numbers = scalars.iter().map(|scalar| match scalar {
        ScalarIr::UInt(n) => usize::try_from(*n).map_err(|error| error.to_string()),
        other => Err(format!("{other:?} is no size")),
    });
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let [batch, channels, ceil, axes @ ..] = &numbers[..] else {
        return Err(format!("{} scalars do not make a geometry", numbers.len()));
    };
    if axes.len() % AXIS != 0 {
        return Err(format!("{} scalars do not make a geometry", numbers.len()));
    }
    let each = |i: usize| axes.chunks_exact(AXIS).map(move |axis| axis[i]);
    let pads: PerAxis<(usize, usize)> = each(5).zip(each(6)).collect();
    let window = Window::new(each(2).collect::<PerAxis<usize>>())
        .with_stride(each(3).collect::<PerAxis<usize>>())
        .with_dilation(each(4).collect::<PerAxis<usize>>())
        .with_padding(pads)
        .with_ceil_mode(*ceil != 0);
    let shape = |i| {
        let dims: Vec<usize> = [*batch, *channels].into_iter().chain(each(i)).collect();
        unpool::Shape::channels_first(dims)
    };
    geometry_between(&window, shape(0), shape(1)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives(geometry: Geometry) {
        let decoded = decode(&encode(&geometry)).expect("it is its own");
        assert_eq!(decoded.input_shape(), geometry.input_shape());
        assert_eq!(decoded.pooled_shape(), geometry.pooled_shape());
        assert_eq!(decoded.pads(), geometry.pads());
        assert_eq!(decoded.window().kernel(), geometry.window().kernel());
        assert_eq!(decoded.window().stride(), geometry.window().stride());
        assert_eq!(decoded.window().dilation(), geometry.window().dilation());
    }

    #[test]
    fn a_geometry_survives() {
        use unpool::Shape;
        let new = |window: Window, dims| {
            Geometry::new(&window, Shape::nchw(dims)).expect("the window fits")
        };
        survives(new(Window::new(2), [2, 3, 7, 5]));
        survives(new(Window::new(3).with_stride(2).with_padding(Padding::Same), [0, 3, 8, 9]));
        survives(new(Window::new([3, 2]).with_padding(Padding::SameLower), [1, 1, 8, 9]));
        let ceil = Window::new(3).with_stride(2).with_padding([(1, 0), (0, 1)]).with_dilation(2);
        survives(new(ceil.with_ceil_mode(true), [1, 2, 12, 13]));
        let pooled = Shape::nchw([1, 2, 2, 2]);
        let unpooled = Geometry::for_pooled(&Window::new(2), pooled, Some(&[5, 5]));
        survives(unpooled.expect("it is in range"));
    }

    #[test]
    fn scalars_of_a_stranger_are_refused() {
        assert!(decode(&[]).is_err());
        assert!(decode(&[ScalarIr::UInt(1); 4]).is_err());
        assert!(decode(&[ScalarIr::Float(1.0); 10]).is_err());
        assert!(decode(&[ScalarIr::UInt(0); 10]).is_err());
    }
}
