//! The operations on bytes of any float type, by unpool's CPU path.

use burn::tensor::{Bytes, DType};
use half::{bf16, f16};
use unpool::{Geometry, IndexSpace, Overlap, Taps, cpu};

/// Runs a block with `$T` the Rust type of a float type. The functions of the crate let no other type
/// through.
macro_rules! with_float {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::F32 | DType::Flex32 => {
                type $T = f32;
                $body
            }
            DType::F16 => {
                type $T = f16;
                $body
            }
            DType::BF16 => {
                type $T = bf16;
                $body
            }
            other => panic!("{other:?} is not pooled; f32, f16 and bf16 are"),
        }
    };
}

/// The result, or Burn's way to fail.
fn ok<T>(result: Result<T, unpool::Error>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Taps as bytes of a tensor.
fn tap_bytes(geometry: &Geometry, taps: &Taps) -> Bytes {
    if geometry.tap_width() == 1 {
        Bytes::from_elems(taps.as_bytes().to_vec())
    } else {
        Bytes::from_elems(bytemuck::pod_collect_to_vec::<u8, u16>(taps.as_bytes()))
    }
}

pub(crate) fn max_pool(geometry: &Geometry, dtype: DType, input: &[u8]) -> (Bytes, Bytes) {
    with_float!(dtype, T => {
        let pooled = ok(cpu::max_pool::<T>(geometry, bytemuck::cast_slice(input)));
        (Bytes::from_elems(pooled.values), tap_bytes(geometry, &pooled.taps))
    })
}

pub(crate) fn max_pool_values(geometry: &Geometry, dtype: DType, input: &[u8]) -> Bytes {
    with_float!(dtype, T => {
        Bytes::from_elems(ok(cpu::max_pool_values::<T>(geometry, bytemuck::cast_slice(input))))
    })
}

pub(crate) fn max_unpool(
    geometry: &Geometry,
    dtype: DType,
    values: &[u8],
    taps: &[u8],
    overlap: Overlap,
) -> Bytes {
    let taps = ok(Taps::from_bytes(geometry, taps));
    with_float!(dtype, T => {
        let values = bytemuck::cast_slice(values);
        Bytes::from_elems(ok(cpu::max_unpool::<T>(geometry, values, &taps, overlap)))
    })
}

pub(crate) fn gather(geometry: &Geometry, dtype: DType, unpooled: &[u8], taps: &[u8]) -> Bytes {
    let taps = ok(Taps::from_bytes(geometry, taps));
    with_float!(dtype, T => {
        let unpooled = bytemuck::cast_slice(unpooled);
        Bytes::from_elems(ok(cpu::max_unpool_backward::<T>(geometry, unpooled, &taps)))
    })
}

pub(crate) fn taps_to_indices(geometry: &Geometry, taps: &[u8], space: IndexSpace) -> Bytes {
    let taps = ok(Taps::from_bytes(geometry, taps));
    Bytes::from_elems(ok(taps.to_indices::<i32>(geometry, space)))
}
