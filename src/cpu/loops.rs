//! The loops of the operations, for every element type.

use bytemuck::{cast_slice, cast_slice_mut};
use half::{bf16, f16};

use super::max_pool::max_pool;
use super::max_unpool::{Last, Sum, max_unpool};
use super::max_unpool_backward::max_unpool_backward;
use crate::argmax::{Overlap, Storage, Taps};
use crate::cell::Loops;
use crate::geometry::Geometry;

/// Calls a function with the stored taps, whatever their width.
macro_rules! with_taps {
    ($storage:expr, |$taps:ident| $call:expr) => {
        match $storage {
            Storage::Bytes($taps) => $call,
            Storage::Halves($taps) => $call,
        }
    };
}

/// The operations of element types, each with a type of its size, which has its zero: operations that only
/// move values are compiled for these three types alone.
macro_rules! loops {
    ($($type:ty: $moved:ty),+) => {$(
        impl Loops for $type {
            fn max_pool(geometry: &Geometry, input: &[Self], values: &mut [Self], taps: &mut Taps) {
                with_taps!(taps.storage_mut(), |taps| max_pool(geometry, input, values, taps))
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
                    return with_taps!(taps.storage(), |taps| {
                        max_unpool::<_, _, Sum>(geometry, values, taps, output)
                    });
                }
                let (values, output) = (cast_slice::<_, $moved>(values), cast_slice_mut(output));
                with_taps!(taps.storage(), |taps| {
                    max_unpool::<_, _, Last>(geometry, values, taps, output)
                })
            }

            fn max_unpool_backward(
                geometry: &Geometry,
                cells: &[Self],
                taps: &Taps,
                gathered: &mut [Self],
            ) {
                let (cells, gathered) = (cast_slice::<_, $moved>(cells), cast_slice_mut(gathered));
                with_taps!(taps.storage(), |taps| max_unpool_backward(geometry, cells, taps, gathered))
            }
        }
    )+};
}

loops!(f32: u32, f16: f16, bf16: f16, i32: u32, u32: u32, i8: u8, u8: u8);
