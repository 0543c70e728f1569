//! The kernels on the threads of this process: the reference, and the fallback without a GPU.

mod arrangement;
mod chain;
mod chunks;
mod columns;
mod convolution;
mod dense;
mod depthwise;
mod gemm;
mod lanes;
mod matrix;
mod pointwise;
mod pooling;
mod positions;
mod tiles;
mod vectors;

use chain::{Chain, Operand, Step, Stored};
use chunks::among_threads;

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

    fn write(&mut self, buffer: BufferId, at: usize, data: &[f32]) -> Result<(), Error> {
        self.buffers[buffer][at..at + data.len()].copy_from_slice(data);
        Ok(())
    }

    fn read(&mut self, buffer: BufferId, len: usize) -> Result<Numbers, Error> {
        Ok(Numbers::Ready(self.buffers[buffer][..len].to_vec()))
    }

    fn chains(&self) -> bool {
        true
    }

    fn run(&mut self, program: &[Bound<'_>]) -> Result<(), Error> {
        among_threads(|| self.run_all(program))
    }
}

impl Cpu {
    fn run_all(&mut self, program: &[Bound<'_>]) -> Result<(), Error> {
        for chain in program.chunk_by(|_, next| next.is_chained) {
            let writes: Vec<BufferId> = chain.iter().flat_map(|b| &b.writes).copied().collect();
            let mut written: Vec<_> =
                writes.iter().map(|&b| std::mem::take(&mut self.buffers[b])).collect();
            let outcome = match chain {
                [Bound { kernel, reads, .. }] => {
                    let read: Vec<_> = reads.iter().map(|&b| self.buffers[b].as_slice()).collect();
                    run(kernel, &read, &mut written)
                }
                _ => {
                    self.chain(chain, &mut written);
                    Ok(())
                }
            };
            for (b, buffer) in writes.into_iter().zip(written) {
                self.buffers[b] = buffer;
            }
            outcome?;
        }
        Ok(())
    }

    /// Runs a chain, whose kernels write one buffer each.
    fn chain(&self, chain: &[Bound<'_>], written: &mut [Vec<f32>]) {
        let value = |b: BufferId| chain.iter().position(|bound| bound.writes[0] == b);
        let operand = |&b: &BufferId| match value(b) {
            Some(value) => Operand::Value(value),
            None => Operand::Tensor(&self.buffers[b]),
        };
        let steps = chain[1..].iter().map(|bound| {
            let operands = bound.reads.iter().map(operand).collect();
            Step { kernel: bound.kernel, operands }
        });
        let steps = Chain { steps: steps.collect() };
        let mut stored = Stored::default();
        for (stored, buffer) in stored.iter_mut().zip(written) {
            *stored = Some(buffer.as_mut_slice()).filter(|buffer| !buffer.is_empty());
        }
        let read: Vec<_> = chain[0].reads.iter().map(|&b| self.buffers[b].as_slice()).collect();
        lead(chain[0].kernel, &read, &steps, stored);
    }
}

/// Runs the first kernel of a chain, and the chain after it.
fn lead(kernel: &Kernel, reads: &[&[f32]], chain: &Chain<'_>, stored: Stored<'_>) {
    let bias = reads.get(2).copied();
    match kernel {
        Kernel::Conv(conv) => convolution::conv(conv, reads[0], reads[1], bias, chain, stored),
        Kernel::ConvTranspose(conv) => {
            convolution::conv_transpose(conv, reads[0], reads[1], bias, chain, stored);
        }
        _ => {}
    }
}

/// Runs one kernel. Pieces of memory may be larger than the tensors in them.
fn run(kernel: &Kernel, reads: &[&[f32]], writes: &mut [Vec<f32>]) -> Result<(), Error> {
    let (first, rest) = writes.split_at_mut(1);
    let out = first[0].as_mut_slice();
    match kernel {
        Kernel::Conv(_) | Kernel::ConvTranspose(_) => {
            let mut stored = Stored::default();
            stored[0] = Some(out);
            lead(kernel, reads, &Chain::default(), stored);
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
        Kernel::TopK(top) => positions::top_k(top, reads[0], out),
        Kernel::Take(take) => positions::take(take, reads[0], reads[1], out),
        Kernel::TakeBack(take) => positions::take_back(take, reads[0], reads[1], out),
        Kernel::Along(along) => {
            matrix::along(along, [reads[0], reads[1], reads[2], reads[3]], out);
        }
        Kernel::Permute(permute) => matrix::permute(permute, reads[0], out),
        Kernel::Product(product) => matrix::product(product, reads[0], reads[1], out),
        Kernel::Runs(runs) => arrangement::runs(runs, reads[0], out),
    }
    Ok(())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use unpool::Axis;

    use super::*;
    use crate::kernel::{Broadcast, Conv, Function, Pair, Steps};

    fn square(input: u32, kernel: u32, stride: u32) -> [Axis; 3] {
        let pad = kernel / 2;
        let windows = (input + 2 * pad - kernel) / stride + 1;
        let axis = Axis { input, windows, kernel, stride, dilation: 1, before: pad, after: pad };
        [Axis::NONE, axis, axis]
    }

    fn convolution(axes: [Axis; 3], batch: u32, groups: u32, rows: u32, columns: u32) -> Conv {
        let none = Steps { offset: 0, image: 0, channel: 0 };
        let mut conv = Conv { axes, batch, groups, rows, columns, x: none, y: none };
        let (x, y) = (conv.input_positions(), conv.output_positions());
        conv.x = Steps { offset: 0, image: x * groups * columns, channel: x };
        conv.y = Steps { offset: 0, image: y * groups * rows, channel: y };
        conv
    }

    /// A convolution, a ReLU, and the sum of both and a tensor: as a chain or not, on so many threads.
    fn results(kernel: &Kernel, weights: u32, chained: bool, threads: usize) -> Vec<Vec<f32>> {
        let len = kernel.dense_len().unwrap_or(0);
        let map = Kernel::Map { function: Function::Relu, len };
        let pair = Kernel::Pair(Pair::Add, Broadcast::flat(len));
        let mut cpu = Cpu::default();
        let mut state = 1_u32;
        for len in [1 << 20, weights, 4096, len, len, len, len, len] {
            let buffer = cpu.allocate(u64::from(len) * 4).expect("memory");
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            };
            let data: Vec<_> = (0..len).map(|_| next()).collect();
            cpu.write(buffer, 0, &data).expect("a buffer");
        }
        let bound = |kernel, reads: &[usize], write, is_chained| Bound {
            kernel,
            reads: reads.to_vec(),
            writes: vec![write],
            is_chained,
        };
        let program = [
            bound(kernel, &[0, 1, 2], 3, false),
            bound(&map, &[3], 4, chained),
            bound(&pair, &[4, 7], 5, chained),
            bound(&pair, &[3, 5], 6, chained),
        ];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| cpu.run(&program)).expect("no fault");
        cpu.buffers[3..7].to_vec()
    }

    #[test]
    fn neither_threads_nor_chains_change_a_bit() {
        for (axes, batch, groups, rows, columns) in [
            (square(30, 3, 1), 2, 1, 70, 9),
            (square(15, 3, 2), 1, 3, 20, 40),
            (square(9, 1, 1), 1, 1, 100, 130),
            (square(29, 1, 1), 1, 1, 12, 30),
            (square(31, 5, 2), 2, 37, 1, 1),
            (square(7, 3, 1), 1, 1, 300, 50),
            (square(14, 3, 1), 1, 1, 97, 90),
            (square(33, 1, 1), 1, 1, 73, 600),
            (square(70, 31, 1), 1, 1, 2, 1),
        ] {
            let conv = convolution(axes, batch, groups, rows, columns);
            let weights = groups * rows * columns * conv.taps();
            for kernel in [Kernel::Conv(conv), Kernel::ConvTranspose(conv)] {
                let expected = results(&kernel, weights, false, 1);
                assert!(expected[3].iter().any(|&x| x != 0.0));
                for (chained, threads) in [(true, 1), (false, 3), (true, 3), (true, 16)] {
                    let found = results(&kernel, weights, chained, threads);
                    assert!(found == expected, "{kernel:?}, {chained}, {threads} threads");
                }
            }
        }
    }
}
