//! The loops of the operations, for every element type.

use bytemuck::{cast_slice, cast_slice_mut};
use half::{bf16, f16};

use super::max_pool::max_pool;
use super::max_unpool::{Last, Sum, max_unpool};
use super::max_unpool_backward::max_unpool_backward;
use crate::argmax::{Overlap, Taps, with_taps};
use crate::cell::Loops;
use crate::geometry::Geometry;

/// The operations of element types, each with a type of its size, which has its zero: operations that only
/// move values are compiled for these three types alone.
macro_rules! loops {
    ($($type:ty: $moved:ty),+) => {$(
        impl Loops for $type {
            fn max_pool(geometry: &Geometry, input: &[Self], values: &mut [Self], taps: &mut Taps) {
                with_taps!(&mut taps.storage, |taps| max_pool(geometry, input, values, taps))
            }

            fn max_pool_values(geometry: &Geometry, input: &[Self], values: &mut [Self]) {
                max_pool(geometry, input, values, &mut vec![(); values.len()]);
            }

            fn max_unpool(
                geometry: &Geometry,
                values: &[Self],
                taps: &Taps,
                overlap: Overlap,
                output: &mut [Self],
            ) -> bool {
                if overlap == Overlap::Sum {
                    return with_taps!(&taps.storage, |taps| {
                        max_unpool::<_, _, Sum>(geometry, values, taps, output)
                    });
                }
                let (values, output) = (cast_slice::<_, $moved>(values), cast_slice_mut(output));
                with_taps!(&taps.storage, |taps| {
                    max_unpool::<_, _, Last>(geometry, values, taps, output)
                })
            }

            fn max_unpool_backward(
                geometry: &Geometry,
                grad_output: &[Self],
                taps: &Taps,
                grad_input: &mut [Self],
            ) {
                let grad_output = cast_slice::<_, $moved>(grad_output);
                let grad_input = cast_slice_mut(grad_input);
                with_taps!(&taps.storage, |taps| {
                    max_unpool_backward(geometry, grad_output, taps, grad_input)
                })
            }
        }
    )+};
}

loops!(f32: u32, f16: f16, bf16: f16, i32: u32, u32: u32, i8: u8, u8: u8);
