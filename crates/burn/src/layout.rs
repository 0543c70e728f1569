//! How a tensor of Burn's lies in memory, and the geometry for that.
//!
//! A tensor of Burn's is `[batch, channels, spatial…]` by its dimensions; strides say how it lies in
//! memory. Where they are those of a permuted `[batch, spatial…, channels]` the library takes it as
//! channels last, without a copy, and its results have such strides, too.

use burn::tensor::DType;
use unpool::{Geometry, GeometryError, Layout, Shape, Window};

/// The type of the taps of a geometry.
pub(crate) fn tap_dtype(geometry: &Geometry) -> DType {
    if geometry.tap_width() == 1 { DType::U8 } else { DType::U16 }
}

/// The layout in which a tensor is dense, if there is one. Channels first if both are.
pub(crate) fn layout_of(dims: &[usize], strides: &[usize]) -> Option<Layout> {
    [Layout::ChannelsFirst, Layout::ChannelsLast]
        .into_iter()
        .find(|&layout| is_dense(dims, strides, memory_order(dims.len(), layout)))
}

/// Whether strides are those of a dense tensor with these dimensions in this order. The stride of a
/// dimension of one element does not matter.
fn is_dense(
    dims: &[usize],
    strides: &[usize],
    order: impl DoubleEndedIterator<Item = usize>,
) -> bool {
    let mut expected = 1;
    order.rev().all(|d| {
        let dense = dims[d] <= 1 || strides[d] == expected;
        expected *= dims[d];
        dense
    }) || dims.contains(&0)
}

/// The strides of a dense tensor in a layout.
pub(crate) fn strides(dims: &[usize], layout: Layout) -> Vec<usize> {
    let mut strides = vec![0; dims.len()];
    let mut stride = 1;
    for d in memory_order(dims.len(), layout).rev() {
        strides[d] = stride;
        stride *= dims[d];
    }
    strides
}

/// The dimensions from the outermost to the innermost in memory.
fn memory_order(rank: usize, layout: Layout) -> impl DoubleEndedIterator<Item = usize> {
    (0..rank).map(move |d| match layout {
        Layout::ChannelsLast if d == rank - 1 => 1,
        Layout::ChannelsLast if d > 0 => d + 1,
        _ => d,
    })
}

/// A geometry for tensors in a layout.
pub(crate) fn geometry_in(geometry: &Geometry, layout: Layout) -> Geometry {
    if layout == geometry.input_shape().layout() {
        return *geometry;
    }
    let shape = |shape: &Shape| {
        let mut dims = shape.dims().to_vec();
        match layout {
            Layout::ChannelsLast => dims[1..].rotate_left(1),
            _ => dims[1..].rotate_right(1),
        }
        Shape::new(layout, dims)
    };
    let (input, pooled) = (shape(geometry.input_shape()), shape(geometry.pooled_shape()));
    geometry_between(geometry.window(), input, pooled)
        .expect("the order of the axes changes no size")
}

/// The geometry of a window and both shapes.
pub(crate) fn geometry_between(
    window: &Window,
    input: Shape,
    pooled: Shape,
) -> Result<Geometry, GeometryError> {
    match Geometry::new(window, input) {
        Ok(geometry) if *geometry.pooled_shape() == pooled => Ok(geometry),
        // A size that only unpooling gives.
        _ => Geometry::for_pooled(window, pooled, Some(input.spatial())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permuted_tensor_is_channels_last() {
        let dims = [2, 3, 4, 5];
        for layout in Layout::ALL {
            assert_eq!(layout_of(&dims, &strides(&dims, layout)), Some(layout));
        }
        assert_eq!(layout_of(&dims, &[60, 20, 1, 4]), None);
        assert_eq!(strides(&dims, Layout::ChannelsLast), [60, 1, 15, 3]);
    }

    #[test]
    fn one_channel_is_channels_first() {
        assert_eq!(layout_of(&[2, 1, 4, 5], &[20, 1, 5, 1]), Some(Layout::ChannelsFirst));
    }

    #[test]
    fn the_geometry_in_another_layout_has_the_same_sizes() {
        let window = Window::new([3, 2]).with_dilation(2).with_padding(1);
        let geometry = Geometry::new(&window, Shape::nchw([2, 3, 11, 9])).expect("it fits");
        let last = geometry_in(&geometry, Layout::ChannelsLast);
        assert_eq!(last.input_shape(), &Shape::nhwc([2, 11, 9, 3]));
        assert_eq!(last.pooled_shape().spatial(), geometry.pooled_shape().spatial());
        let first = geometry_in(&last, Layout::ChannelsFirst);
        assert_eq!(first.input_shape(), geometry.input_shape());
        assert_eq!(first.pooled_shape(), geometry.pooled_shape());
    }

    #[test]
    fn so_does_one_of_which_only_the_pooled_shape_was_known() {
        let pooled = Shape::nchw([1, 2, 2, 2]);
        let geometry =
            Geometry::for_pooled(&Window::new(2), pooled, Some(&[5, 5])).expect("it is in range");
        let last = geometry_in(&geometry, Layout::ChannelsLast);
        assert_eq!(last.input_shape(), &Shape::nhwc([1, 5, 5, 2]));
    }
}
