//! Tensors that a model carries: weights, made f32, and lists of whole numbers such as shapes.

use std::sync::Arc;

use bytes::Bytes;

use crate::elements::{Elements, Stored};
use crate::error::{Fault, extents};
use crate::onnx::proto::TensorProto;

/// A tensor whose elements do not depend on the input.
#[derive(Clone, Debug)]
pub(crate) enum Constant {
    Floats { shape: Vec<usize>, data: Elements },
    Ints { shape: Vec<usize>, data: Arc<Vec<i64>> },
}

/// Floats that are read at once; more stay in the file until a device gets them.
const FEW: usize = 1024;

const FLOAT: i32 = 1;
const UINT8: i32 = 2;
const INT8: i32 = 3;
const UINT16: i32 = 4;
const INT16: i32 = 5;
const INT32: i32 = 6;
const INT64: i32 = 7;
const BOOL: i32 = 9;
const FLOAT16: i32 = 10;
const DOUBLE: i32 = 11;
const UINT32: i32 = 12;
const UINT64: i32 = 13;
const BFLOAT16: i32 = 16;

impl Constant {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Floats { shape, .. } | Self::Ints { shape, .. } => shape,
        }
    }

    pub(crate) fn floats(shape: Vec<usize>, data: Vec<f32>) -> Self {
        Self::Floats { shape, data: data.into() }
    }

    pub(crate) fn ints(shape: Vec<usize>, data: Vec<i64>) -> Self {
        Self::Ints { shape, data: Arc::new(data) }
    }

    /// Reads a tensor whose bytes are in the file, or are given from another one. Floats that are many
    /// stay there.
    pub(crate) fn read(tensor: &TensorProto, external: Option<Bytes>) -> Result<Self, Fault> {
        let (shape, count) = shape_of(tensor)?;
        let is_external = external.is_some();
        let bytes = external.unwrap_or_else(|| tensor.raw_data.clone());
        // One of two fields holds the elements: the raw bytes, or the list of the type.
        let raw = (is_external || !bytes.is_empty()).then_some(&bytes[..]);
        let stored = match tensor.data_type {
            FLOAT => Some(Stored::F32),
            DOUBLE => Some(Stored::F64),
            FLOAT16 => Some(Stored::F16),
            BFLOAT16 => Some(Stored::BF16),
            _ => None,
        };
        if let (Some(stored), Some(_)) = (stored, raw) {
            check_count(0, raw, count, &shape, width(tensor.data_type))?;
            let file = Elements::File { bytes: bytes.clone(), stored };
            let data = if count < FEW { file.read().into() } else { file };
            return Ok(Self::Floats { shape, data });
        }
        let floats: Vec<f32> = match (tensor.data_type, raw) {
            (FLOAT, None) => tensor.float_data.clone(),
            (DOUBLE, None) => tensor.double_data.iter().map(|&x| x as f32).collect(),
            (FLOAT16, None) => {
                tensor.int32_data.iter().map(|&x| half::f16::from_bits(x as u16).to_f32()).collect()
            }
            (BFLOAT16, None) => tensor
                .int32_data
                .iter()
                .map(|&x| half::bf16::from_bits(x as u16).to_f32())
                .collect(),
            (UINT8..=INT64 | BOOL | UINT32 | UINT64, _) => {
                return Self::read_ints(tensor, raw, shape, count);
            }
            (other, _) => {
                return Err(Fault::new(
                    format!("data type {other}"),
                    "floats, whole numbers and bool are allowed",
                ));
            }
        };
        check_count(floats.len(), raw, count, &shape, width(tensor.data_type))?;
        Ok(Self::floats(shape, floats))
    }

    fn read_ints(
        tensor: &TensorProto,
        raw: Option<&[u8]>,
        shape: Vec<usize>,
        count: usize,
    ) -> Result<Self, Fault> {
        let ints = match (tensor.data_type, raw) {
            (INT64, None) => tensor.int64_data.clone(),
            (UINT32 | UINT64, None) => tensor.uint64_data.iter().map(|&n| n as i64).collect(),
            (_, None) => tensor.int32_data.iter().map(|&x| x.into()).collect(),
            (INT64, Some(raw)) => words(raw, i64::from_le_bytes),
            (UINT64, Some(raw)) => words(raw, |b| u64::from_le_bytes(b) as i64),
            (INT32, Some(raw)) => words(raw, |b| i32::from_le_bytes(b).into()),
            (UINT32, Some(raw)) => words(raw, |b| u32::from_le_bytes(b).into()),
            (INT16, Some(raw)) => words(raw, |b| i16::from_le_bytes(b).into()),
            (UINT16, Some(raw)) => words(raw, |b| u16::from_le_bytes(b).into()),
            (INT8, Some(raw)) => words(raw, |b| i8::from_le_bytes(b).into()),
            (_, Some(raw)) => raw.iter().map(|&b| b.into()).collect(),
        };
        check_count(ints.len(), raw, count, &shape, width(tensor.data_type))?;
        Ok(Self::ints(shape, ints))
    }

    /// The whole numbers of a constant of at most one axis.
    pub(crate) fn as_list(&self, name: &str) -> Result<&[i64], Fault> {
        match self {
            Self::Ints { shape, data } if shape.len() <= 1 => Ok(data),
            other => {
                Err(Fault::new(format!("{name} is {}", other.kind()), "a list of int64 is needed"))
            }
        }
    }

    /// The whole numbers of a constant of any shape.
    pub(crate) fn as_ints(&self, name: &str) -> Result<&[i64], Fault> {
        match self {
            Self::Ints { data, .. } => Ok(data),
            other => {
                let found = format!("{name} is {}", other.kind());
                Err(Fault::new(found, "whole numbers are needed"))
            }
        }
    }

    pub(crate) fn as_floats(&self, name: &str) -> Result<(&[usize], &Elements), Fault> {
        match self {
            Self::Floats { shape, data } => Ok((shape, data)),
            other => Err(Fault::new(format!("{name} is {}", other.kind()), "floats are needed")),
        }
    }

    /// The elements as floats; those in the file stay there.
    pub(crate) fn elements(&self) -> Elements {
        match self {
            Self::Floats { data, .. } => data.clone(),
            Self::Ints { .. } => self.to_floats().1.into(),
        }
    }

    /// The shape, and the elements as floats, in memory.
    pub(crate) fn to_floats(&self) -> (Vec<usize>, Arc<Vec<f32>>) {
        match self {
            Self::Floats { shape, data } => (shape.clone(), data.read()),
            Self::Ints { shape, data } => {
                (shape.clone(), Arc::new(data.iter().map(|&n| n as f32).collect()))
            }
        }
    }

    fn kind(&self) -> String {
        match self {
            Self::Floats { shape, .. } => format!("floats of {}", extents(shape)),
            Self::Ints { shape, .. } => format!("whole numbers of {}", extents(shape)),
        }
    }
}

fn shape_of(tensor: &TensorProto) -> Result<(Vec<usize>, usize), Fault> {
    let mut shape = Vec::with_capacity(tensor.dims.len());
    let mut count = 1usize;
    for &dim in &tensor.dims {
        let size = usize::try_from(dim).ok();
        let next = size.and_then(|size| count.checked_mul(size));
        let (Some(size), Some(next)) = (size, next.filter(|&n| n <= u32::MAX as usize)) else {
            return Err(Fault::new(
                format!("its shape is {:?}", tensor.dims),
                format!("extents of at least 0 and at most {} elements are allowed", u32::MAX),
            ));
        };
        shape.push(size);
        count = next;
    }
    Ok((shape, count))
}

fn width(data_type: i32) -> usize {
    match data_type {
        DOUBLE | INT64 | UINT64 => 8,
        FLOAT | INT32 | UINT32 => 4,
        FLOAT16 | BFLOAT16 | INT16 | UINT16 => 2,
        _ => 1,
    }
}

fn check_count(
    found: usize,
    raw: Option<&[u8]>,
    count: usize,
    shape: &[usize],
    width: usize,
) -> Result<(), Fault> {
    match raw {
        Some(raw) if raw.len() as u128 != count as u128 * width as u128 => Err(Fault::new(
            format!("its shape is {} and it has {} bytes", extents(shape), raw.len()),
            format!("{} bytes are needed", count as u128 * width as u128),
        )),
        None if found != count => Err(Fault::new(
            format!("its shape is {} and it has {found} elements", extents(shape)),
            format!("{count} elements are needed"),
        )),
        _ => Ok(()),
    }
}

fn words<const N: usize, T>(raw: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    // `chunks_exact` gives chunks of N bytes and nothing else.
    raw.chunks_exact(N).filter_map(|chunk| chunk.try_into().ok()).map(read).collect()
}
