//! Arrays in NumPy's file formats.
//!
//! Whatever order of bytes and axes a file has, in memory an array is row-major and in the
//! machine's own order of bytes. Bits are moved, never converted.

mod archive;
mod header;
mod number;

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};

use anyhow::{Context, Result, bail, ensure};
use npyz::{DType, WriteOptions, WriterBuilder};

use crate::source::Source;
use header::Header;
pub(crate) use number::{ARGMAX, Needed, Number};

/// The file or archive that an array is read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArraySource<'a> {
    pub(crate) source: &'a Source,
    /// The name of the array, which only an archive has.
    pub(crate) array: Option<&'a str>,
    /// The option that names the array.
    pub(crate) option: &'static str,
}

/// A dense row-major array.
#[derive(Debug)]
pub(crate) struct Array {
    pub(crate) number: Number,
    pub(crate) shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    /// An array of some numbers, which are as many as the extents say.
    pub(crate) fn new<T: bytemuck::Pod>(number: Number, shape: Vec<usize>, numbers: &[T]) -> Self {
        Self { number, shape, bytes: bytemuck::cast_slice(numbers).to_vec() }
    }

    /// Reads an array, and refuses one of numbers that are not needed.
    pub(crate) fn open(source: ArraySource<'_>, needed: Needed) -> Result<Self> {
        source.read(|file| read(file, needed))
    }

    /// Its numbers, if they have the width of `T`.
    pub(crate) fn numbers<T: bytemuck::Pod>(&self) -> Vec<T> {
        bytemuck::pod_collect_to_vec(&self.bytes)
    }

    /// The numbers as they lie in memory.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
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

impl ArraySource<'_> {
    /// The shape of the array, which is as long as that says.
    pub(crate) fn shape(self) -> Result<Vec<usize>> {
        self.read(read_shape)
    }

    fn read<T>(self, read: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        self.read_unnamed(read).with_context(|| self.source.to_string())
    }

    fn read_unnamed<T>(self, read: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        let Self { source, array, option } = self;
        let mut file = BufReader::new(source.open()?);
        let mut start = Vec::new();
        file.by_ref().take(4).read_to_end(&mut start)?;
        if archive::STARTS.iter().all(|archive| start != *archive) {
            ensure!(array.is_none(), "{option}: is no archive (.npz), whose arrays have names");
            return read(&mut start.chain(file));
        }
        // The members of an archive are listed at its end.
        match source.path().filter(|path| path.is_file()) {
            Some(path) => archive::read(BufReader::new(File::open(path)?), array, option, read),
            None => {
                file.read_to_end(&mut start)?;
                archive::read(Cursor::new(start), array, option, read)
            }
        }
    }
}

fn read_shape(mut file: &mut dyn Read) -> Result<Vec<usize>> {
    let header = Header::read(&mut file)?;
    let found = io::copy(&mut file.take(header.bytes), &mut io::sink())?;
    check_bytes(found, &header)?;
    Ok(header.shape)
}

fn read(mut file: &mut dyn Read, needed: Needed) -> Result<Array> {
    let header = Header::read(&mut file)?;
    let number = Number::parse(&header.code).filter(|&(number, _)| needed.takes(number));
    let Some((number, reversed)) = number else { bail!(needed.refusal(&header.code)) };
    // Memory grows with the bytes of the file, not with the length that its header claims.
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
    let mut source = vec![0; shape.len()];
    let mut from = 0;
    while rows.len() < bytes.len() {
        rows.extend_from_slice(&bytes[from..from + width]);
        for axis in (0..shape.len()).rev() {
            source[axis] += 1;
            from += strides[axis];
            if source[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            source[axis] = 0;
        }
    }
    rows
}
