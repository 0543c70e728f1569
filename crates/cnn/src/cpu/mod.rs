//! The kernels on the threads of this process: the reference, and the fallback without a GPU.

mod arrangement;
mod chunks;
mod convolution;
mod gemm;
mod lanes;
mod matrix;
mod pointwise;
mod pooling;
mod vectors;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::machine::{Bound, Machine};
use crate::program::BufferId;
use crate::reading::Numbers;

/// Buffers in the memory of this process. Taps are stored as bytes, four in an `f32`.
#[derive(Debug, Default)]
pub(crate) struct Cpu {
    buffers: Vec<Vec<f32>>,
}

impl Machine for Cpu {
    fn allocate(&mut self, bytes: u64) -> Result<BufferId, Error> {
        let refused = |_| Error::Memory {
            tensor: "a tensor".into(),
            needed: bytes.into(),
            allowed: usize::MAX as u64,
        };
        let len = usize::try_from(bytes.div_ceil(4)).unwrap_or(usize::MAX);
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(len).map_err(refused)?;
        buffer.resize(len, 0.0);
        self.buffers.push(buffer);
        Ok(self.buffers.len() - 1)
    }

    fn write(&mut self, buffer: BufferId, data: &[f32]) -> Result<(), Error> {
        self.buffers[buffer][..data.len()].copy_from_slice(data);
        Ok(())
    }

    fn read(&mut self, buffer: BufferId, len: usize) -> Result<Numbers, Error> {
        Ok(Numbers::Ready(self.buffers[buffer][..len].to_vec()))
    }

    fn run(&mut self, program: &[Bound<'_>]) -> Result<(), Error> {
        for Bound { kernel, reads, writes } in program {
            let mut written: Vec<_> =
                writes.iter().map(|&b| std::mem::take(&mut self.buffers[b])).collect();
            let read: Vec<_> = reads.iter().map(|&b| self.buffers[b].as_slice()).collect();
            let outcome = run(kernel, &read, &mut written);
            for (&b, buffer) in writes.iter().zip(written) {
                self.buffers[b] = buffer;
            }
            outcome?;
        }
        Ok(())
    }
}

/// Runs one kernel. Pieces of memory may be larger than the tensors in them.
fn run(kernel: &Kernel, reads: &[&[f32]], writes: &mut [Vec<f32>]) -> Result<(), Error> {
    let (first, rest) = writes.split_at_mut(1);
    let out = first[0].as_mut_slice();
    match kernel {
        Kernel::Conv(conv) => {
            convolution::conv(conv, reads[0], reads[1], reads.get(2).copied(), out);
        }
        Kernel::ConvTranspose(conv) => {
            convolution::conv_transpose(conv, reads[0], reads[1], reads.get(2).copied(), out);
        }
        Kernel::Affine(affine) => {
            pointwise::affine(affine, reads[0], reads[1], reads[2], out);
        }
        &Kernel::Map { function, len } => pointwise::map(function, len, reads[0], out),
        &Kernel::MapBack { function, rule, len } => {
            pointwise::map_back(function, rule, len, reads[0], reads[1], out);
        }
        Kernel::Pair(pair, all) => pointwise::pair(*pair, all, reads[0], reads[1], out),
        &Kernel::PairBack { pair, operand, ref all } => {
            pointwise::pair_back(pair, operand, all, [reads[0], reads[1], reads[2]], out);
        }
        Kernel::Reduce(reduce) => {
            pointwise::reduce(reduce, reads[0], reads.get(1).copied(), out);
        }
        Kernel::MaxPool(geometry) => {
            pooling::max_pool(geometry, reads[0], out, &mut rest[0])?;
        }
        Kernel::MaxPoolBack(geometry) => {
            pooling::max_pool_backward(geometry, reads[0], reads[1], out)?;
        }
        Kernel::MaxUnpool(geometry) => pooling::max_unpool(geometry, reads[0], reads[1], out)?,
        Kernel::MaxUnpoolBack(geometry) => {
            pooling::max_unpool_backward(geometry, reads[0], reads[1], out)?;
        }
        Kernel::Average(average) => pooling::average(average, reads[0], out),
        Kernel::AverageBack(average) => pooling::average_back(average, reads[0], out),
        &Kernel::Softmax { ref vectors, log } => vectors::softmax(vectors, log, reads[0], out),
        &Kernel::SoftmaxBack { ref vectors, log } => {
            vectors::softmax_back(vectors, log, reads[0], reads[1], out);
        }
        &Kernel::Normalize { ref vectors, epsilon } => {
            vectors::normalize(vectors, epsilon, reads[0], out);
        }
        &Kernel::NormalizeBack { ref vectors, epsilon } => {
            vectors::normalize_back(vectors, epsilon, reads[0], reads[1], out);
        }
        Kernel::Fold(fold, vectors) => vectors::fold(*fold, vectors, reads[0], out),
        Kernel::FoldBack(fold, vectors) => {
            vectors::fold_back(*fold, vectors, [reads[0], reads[1], reads[2]], out);
        }
        Kernel::Along(along) => {
            matrix::along(along, [reads[0], reads[1], reads[2], reads[3]], out);
        }
        Kernel::Permute(permute) => matrix::permute(permute, reads[0], out),
        Kernel::Product(product) => matrix::product(product, reads[0], reads[1], out),
        Kernel::Runs(runs) => arrangement::runs(runs, reads[0], out),
    }
    Ok(())
}
