//! The loops of the operations, for every element type.

use bytemuck::{cast_slice, cast_slice_mut};
use half::{bf16, f16};

use super::{max_pool, max_unpool, max_unpool_backward};
use crate::argmax::{Overlap, Storage, Taps};
use crate::cell::Loops;
use crate::geometry::Geometry;

/// The operations of element types, each with a type of its size, which has its zero: operations that only
/// move values are compiled for these three types alone.
macro_rules! loops {
    ($($type:ty: $moved:ty),+) => {$(
        impl Loops for $type {
            fn max_pool(geometry: &Geometry, input: &[Self], values: &mut [Self], taps: &mut Taps) {
                match taps.storage_mut() {
                    Storage::Bytes(taps) => max_pool::max_pool(geometry, input, values, taps),
                    Storage::Halves(taps) => max_pool::max_pool(geometry, input, values, taps),
                }
            }

            fn max_pool_values(geometry: &Geometry, input: &[Self], values: &mut [Self]) {
                max_pool::max_pool(geometry, input, values, &mut vec![(); values.len()]);
            }

            fn max_unpool(
                geometry: &Geometry,
                values: &[Self],
                taps: &Taps,
                overlap: Overlap,
                output: &mut [Self],
            ) -> Option<usize> {
                match overlap {
                    Overlap::Last => {
                        let values = cast_slice::<_, $moved>(values);
                        let to = cast_slice_mut(output);
                        match taps.storage() {
                            Storage::Bytes(taps) => max_unpool::unpool_last(geometry, values, taps, to),
                            Storage::Halves(taps) => max_unpool::unpool_last(geometry, values, taps, to),
                        }
                        None
                    }
                    Overlap::Sum => match taps.storage() {
                        Storage::Bytes(taps) => max_unpool::unpool_sum(geometry, values, taps, output),
                        Storage::Halves(taps) => max_unpool::unpool_sum(geometry, values, taps, output),
                    },
                }
            }

            fn max_unpool_backward(
                geometry: &Geometry,
                cells: &[Self],
                taps: &Taps,
                gathered: &mut [Self],
            ) {
                let (cells, gathered) = (cast_slice::<_, $moved>(cells), cast_slice_mut(gathered));
                match taps.storage() {
                    Storage::Bytes(taps) => {
                        max_unpool_backward::max_unpool_backward(geometry, cells, taps, gathered)
                    }
                    Storage::Halves(taps) => {
                        max_unpool_backward::max_unpool_backward(geometry, cells, taps, gathered)
                    }
                }
            }
        }
    )+};
}

loops!(f32: u32, f16: f16, bf16: f16, i32: u32, u32: u32, i8: u8, u8: u8);
