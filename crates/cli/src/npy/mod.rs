//! Arrays in NumPy's file format.
//!
//! Whatever order of bytes and axes a file has, in memory an array is row-major and in the
//! machine's own order of bytes. Bits are moved, never converted.

mod header;
mod number;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use npyz::{DType, WriteOptions, WriterBuilder};
use unpool::{Layout, Shape};

use header::Header;
pub(crate) use number::Number;

/// The numbers that are pooled and unpooled.
pub(crate) const ELEMENTS: &str = "float32, float16, bfloat16 ('<V2'), int32, uint32, int8 or uint8 \
    is needed, as x.astype('float32') makes it";

/// The numbers that an argmax is written in.
pub(crate) const ARGMAX: &str =
    "indices are int64, int32 or uint32, as a.astype('int64') makes them; taps uint8 or uint16";

/// A dense row-major array.
#[derive(Debug)]
pub(crate) struct Array {
    pub(crate) number: Number,
    pub(crate) shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    /// An array of some numbers, which are as many as the shape says.
    pub(crate) fn new<T: bytemuck::Pod>(number: Number, shape: &Shape, numbers: &[T]) -> Self {
        let bytes = bytemuck::cast_slice(numbers).to_vec();
        Self { number, shape: shape.dims().to_vec(), bytes }
    }

    /// Reads a file; `needed` says which numbers are, for files that hold others.
    pub(crate) fn open(path: &Path, needed: &str) -> Result<Self> {
        read(path, needed).with_context(|| path.display().to_string())
    }

    /// Its numbers, if they have the width of `T`.
    pub(crate) fn numbers<T: bytemuck::Pod>(&self) -> Vec<T> {
        bytemuck::pod_collect_to_vec(&self.bytes)
    }

    /// The numbers as they lie in memory.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The shape in a layout.
    pub(crate) fn shape(&self, layout: Layout) -> Shape {
        Shape::new(layout, self.shape.as_slice())
    }

    /// The array as a file.
    pub(crate) fn to_file(&self) -> Result<Vec<u8>> {
        let shape: Vec<u64> = self.shape.iter().map(|&n| n as u64).collect();
        let mut file = WriteOptions::new_header_only()
            .dtype(DType::new_scalar(self.number.code().parse()?))
            .shape(&shape)
            .writer(Vec::with_capacity(self.bytes.len() + 128))
            .write_header_only()?;
        file.extend_from_slice(&self.bytes);
        Ok(file)
    }
}

/// The shape of the array in a file, which is as long as that says.
pub(crate) fn shape(path: &Path) -> Result<Vec<usize>> {
    read_shape(path).with_context(|| path.display().to_string())
}

fn read_shape(path: &Path) -> Result<Vec<usize>> {
    let mut file = BufReader::new(File::open(path)?);
    let header = Header::read(&mut file)?;
    let found = io::copy(&mut file.take(header.bytes), &mut io::sink())?;
    check_bytes(found, &header)?;
    Ok(header.shape)
}

fn read(path: &Path, needed: &str) -> Result<Array> {
    let mut file = BufReader::new(File::open(path)?);
    let header = Header::read(&mut file)?;
    let Some((number, reversed)) = Number::parse(&header.code) else {
        bail!("holds {}; {needed}", number::described(&header.code));
    };
    // Memory grows with what the file has, not with what it says.
    let mut bytes = Vec::new();
    file.take(header.bytes).read_to_end(&mut bytes)?;
    check_bytes(bytes.len() as u64, &header)?;
    let width = number.bytes();
    if reversed {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    if header.fortran && header.shape.len() > 1 {
        bytes = row_major(&bytes, &header.shape, width);
    }
    Ok(Array { number, shape: header.shape, bytes })
}

fn check_bytes(found: u64, header: &Header) -> Result<()> {
    let needed = header.bytes;
    ensure!(found == needed, "is cut short: its array has {found} of {needed} bytes");
    Ok(())
}

/// The elements of a column-major array, `width` bytes each, in row-major order.
fn row_major(bytes: &[u8], shape: &[usize], width: usize) -> Vec<u8> {
    let strides = shape.iter().scan(width, |next, extent| {
        let stride = *next;
        *next *= extent;
        Some(stride)
    });
    let strides: Vec<usize> = strides.collect();
    let mut rows = Vec::with_capacity(bytes.len());
    let mut place = vec![0; shape.len()];
    let mut from = 0;
    while rows.len() < bytes.len() {
        rows.extend_from_slice(&bytes[from..from + width]);
        for axis in (0..shape.len()).rev() {
            place[axis] += 1;
            from += strides[axis];
            if place[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            place[axis] = 0;
        }
    }
    rows
}
