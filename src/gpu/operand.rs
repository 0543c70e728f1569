//! A caller's buffer, or a part of one, in the role it plays in a step.

use std::ops::Range;

use crate::error::Error;

/// Where a tensor lies: a whole [`wgpu::Buffer`], or a range of one.
///
/// Made from `&Buffer` and from [`wgpu::BufferSlice`], so that calls take `&values` as well as
/// `values.slice(256..4096)`.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    pub(crate) buffer: &'a wgpu::Buffer,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl<'a> From<&'a wgpu::Buffer> for Operand<'a> {
    fn from(buffer: &'a wgpu::Buffer) -> Self {
        Self { buffer, offset: 0, size: buffer.size() }
    }
}

impl<'a> From<wgpu::BufferSlice<'a>> for Operand<'a> {
    fn from(slice: wgpu::BufferSlice<'a>) -> Self {
        Self { buffer: slice.buffer(), offset: slice.offset(), size: slice.size() }
    }
}

impl<'a> Operand<'a> {
    /// An error unless this part of the buffer can be bound as `operand`, which has `needed` bytes.
    pub(crate) fn check(
        &self,
        operand: &'static str,
        needed: u64,
        alignment: u64,
    ) -> Result<(), Error> {
        if !self.buffer.usage().contains(wgpu::BufferUsages::STORAGE) {
            return Err(Error::Usage {
                operand,
                found: self.buffer.usage(),
                needed: wgpu::BufferUsages::STORAGE,
            });
        }
        if !self.offset.is_multiple_of(alignment) {
            return Err(Error::Alignment { operand, found: self.offset, allowed: alignment });
        }
        if self.size < needed {
            return Err(Error::BufferTooSmall { operand, found: self.size, needed });
        }
        Ok(())
    }

    /// The range of the buffer that the first `len` bytes of the operand take.
    pub(crate) fn bytes(&self, len: u64) -> Range<u64> {
        self.offset..self.offset + len
    }

    /// The binding of some bytes, which are counted from the start of the operand.
    pub(crate) fn binding(&self, bytes: &Range<u64>) -> wgpu::BufferBinding<'a> {
        wgpu::BufferBinding {
            buffer: self.buffer,
            offset: self.offset + bytes.start,
            size: (bytes.end - bytes.start).try_into().ok(),
        }
    }
}
