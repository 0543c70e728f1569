//! Buffers in which a tensor lies between two guards: a kernel that writes outside of it is seen.

use unpool::{Cell, Gpu, Step, wgpu};

use super::oracle::Bits;

/// Bytes before and after a tensor: every adapter can bind at a multiple of it.
const GUARD: u64 = 256;

/// A tensor in a buffer of its own, with guards around it.
#[derive(Debug)]
pub(crate) struct Guarded {
    name: &'static str,
    buffer: wgpu::Buffer,
    size: u64,
    /// The byte that guards are made of, and a tensor that nobody wrote yet.
    poison: u8,
}

impl Guarded {
    /// A tensor of so many bytes, all poison.
    pub(crate) fn poisoned(gpu: &Gpu, name: &'static str, size: u64, poison: u8) -> Self {
        Self::new(gpu, name, size, &[], poison)
    }

    /// A tensor of elements; the rest of its last word is poison.
    pub(crate) fn of<T: Cell>(gpu: &Gpu, name: &'static str, tensor: &[T], poison: u8) -> Self {
        let bytes: &[u8] = bytemuck::cast_slice(tensor);
        let size = (bytes.len() as u64).next_multiple_of(4);
        Self::new(gpu, name, size, bytes, poison)
    }

    fn new(gpu: &Gpu, name: &'static str, size: u64, bytes: &[u8], poison: u8) -> Self {
        let whole = (size + 2 * GUARD).next_multiple_of(4);
        let mut content = vec![poison; whole as usize];
        content[GUARD as usize..][..bytes.len()].copy_from_slice(bytes);
        let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(name),
            size: whole,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.queue().write_buffer(&buffer, 0, &content);
        Self { name, buffer, size, poison }
    }

    /// The tensor, to be bound.
    pub(crate) fn slice(&self) -> wgpu::BufferSlice<'_> {
        self.buffer.slice(GUARD..(GUARD + self.size).max(GUARD + 4))
    }

    /// All poison again, with another byte.
    pub(crate) fn poison(&mut self, gpu: &Gpu, poison: u8) {
        self.poison = poison;
        gpu.queue().write_buffer(&self.buffer, 0, &vec![poison; self.buffer.size() as usize]);
    }

    /// The bytes of the tensor, if the guards are whole.
    pub(crate) fn bytes(&self, gpu: &Gpu) -> Result<Vec<u8>, String> {
        let all = gpu.read::<u8>(&self.buffer).unwrap().wait().unwrap();
        let (before, rest) = all.split_at(GUARD as usize);
        let (tensor, after) = rest.split_at(self.size as usize);
        for (side, guard) in [("before", before), ("after", after)] {
            if let Some(i) = guard.iter().position(|&b| b != self.poison) {
                let found = guard[i];
                return Err(format!("byte {i} {side} {} became {found:#04x}", self.name));
            }
        }
        Ok(tensor.to_vec())
    }

    /// The first `len` elements of the tensor, if the guards are whole.
    pub(crate) fn elements<T: Bits>(&self, gpu: &Gpu, len: usize) -> Result<Vec<T>, String> {
        let bytes = self.bytes(gpu)?;
        let width = size_of::<T>();
        let element = |b: &[u8]| {
            let mut word = [0; 4];
            word[..width].copy_from_slice(b);
            T::of_bits(u32::from_le_bytes(word))
        };
        Ok(bytes.chunks_exact(width).take(len).map(element).collect())
    }
}

/// Records steps into one pass of one submission.
pub(crate) fn run(gpu: &Gpu, steps: &[&Step]) {
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    for step in steps {
        step.record(&mut pass);
    }
    drop(pass);
    gpu.queue().submit([encoder.finish()]);
}
