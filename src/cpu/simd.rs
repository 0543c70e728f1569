//! The vector instructions that loops are compiled for.
//!
//! Loops are written so that the compiler makes vector instructions of them: those that every processor of
//! the target has, and on x86 also AVX2; [`level`] finds the level at run time. Closures and
//! functions inside [`vectorized`] must be `#[inline(always)]`, or they are compiled without the level.

use std::ops::Range;

use fearless_simd::Level;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use fearless_simd::Simd;

/// Elements that a loop handles together, as one or more vectors.
pub(super) const LANES: usize = 16;

/// The level of the processor, at most AVX2 on x86: AVX-512 loads by masks where few of the cells read are
/// taken, which Zen 5 is slow at (`nhwc` `max_unpool_backward` 0.63 ms → 1.3), and adds a minute to compiling the library.
pub(super) fn level() -> Level {
    #[cfg(test)]
    if tests::BASELINE.load(std::sync::atomic::Ordering::Relaxed) {
        return Level::baseline();
    }
    let level = Level::new();
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(avx2) = level.as_avx2() {
        return Level::Avx2(avx2);
    }
    level
}

/// The name of the vectors that the loops are compiled for, if the processor at hand has any.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn vectors() -> Option<&'static str> {
    match level() {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Level::Avx2(_) => Some("AVX2"),
        // Every processor of these targets has them.
        _ if cfg!(target_arch = "x86_64") => Some("SSE2"),
        _ if cfg!(target_arch = "aarch64") => Some("NEON"),
        _ => None,
    }
}

/// Runs `work`, compiled for the processor at hand.
#[inline(always)]
pub(super) fn vectorized<R>(level: Level, work: impl FnOnce() -> R) -> R {
    match level {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        // Twice: inlined into one function of the level, `nchw` `max_pool` becomes scalar code (EPYC,
        // 2.1 ms → 4.9).
        Level::Avx2(avx2) => avx2.vectorize(
            #[inline(always)]
            || avx2.vectorize(work),
        ),
        _ => baseline(work),
    }
}

/// Runs `work`, compiled for every processor of the target. Never inlined: each caller would get a copy of `work`.
#[inline(never)]
pub(super) fn baseline<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// The starts of blocks of `N` elements that cover a range of at least `N`. The last block overlaps the one before.
#[inline(always)]
pub(super) fn by<const N: usize>(
    Range { start, end }: Range<usize>,
) -> impl Iterator<Item = usize> {
    (start..end).step_by(N).map(move |at| at.min(end - N))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use half::{bf16, f16};

    use crate::cell::Cell;
    use crate::cpu::reference;
    use crate::{Error, Geometry, Overlap, Padding, Shape, Window, cpu};

    /// Whether every loop is compiled for all processors of the target.
    pub(super) static BASELINE: AtomicBool = AtomicBool::new(false);

    /// One for each of the loops, with rows of several vectors and a rest.
    fn geometries() -> Result<Vec<Geometry>, Error> {
        let first = |dims: &[usize]| Shape::channels_first(dims);
        let last = |dims: &[usize]| Shape::channels_last(dims);
        let tiles = |n: usize| Window::new(n).with_padding(Padding::Same);
        let overlapping = Window::new(3).with_stride(2).with_padding(1);
        [
            (tiles(2), first(&[2, 3, 7, 141])),
            (tiles(3), first(&[1, 2, 8, 161])),
            (tiles(4), first(&[1, 1, 9, 203])),
            (tiles(2), last(&[2, 5, 7, 67])),
            (tiles(2), last(&[2, 5, 47, 3])),
            (overlapping, first(&[2, 3, 9, 99])),
            (overlapping, first(&[2, 3, 7, 8, 98])),
            (overlapping, first(&[1, 2, 5003])),
            (overlapping, first(&[1, 1, 91, 67])),
            (Window::new(3).with_stride(1).with_padding(1), first(&[1, 1, 70, 40])),
            (Window::new(5).with_stride(2).with_padding([(0, 1), (3, 0)]), first(&[1, 3, 11, 101])),
            (Window::new(3).with_padding(2).with_ceil_mode(true), first(&[1, 5, 1, 9])),
            (Window::new([2, 3]).with_stride([2, 1]).with_padding(1), first(&[1, 3, 6, 21])),
            (Window::new(3).with_stride(1).with_padding(1), last(&[1, 7, 6, 3])),
            (Window::new(3).with_stride(1).with_padding(1), last(&[1, 7, 6, 19])),
            (overlapping, last(&[1, 9, 8, 35])),
            (Window::new([4, 5]).with_stride(1), first(&[1, 2, 9, 77])),
            (Window::new(2).with_stride(5).with_dilation([1, 3]), first(&[1, 2, 9, 203])),
            (Window::new(16).with_stride(8), first(&[1, 1, 40, 200])),
            (overlapping, first(&[1, 2, 41, 45, 41])),
            (overlapping, first(&[1, 2, 270, 260])),
            (overlapping, last(&[1, 30_000, 3])),
            (Window::new(96), first(&[1, 3, 96, 96])),
            (
                Window::new(3).with_stride(1).with_dilation(80).with_padding(80),
                first(&[1, 2, 7, 9]),
            ),
        ]
        .into_iter()
        .map(|(window, shape)| Ok(Geometry::new(&window, shape)?))
        .collect()
    }

    /// Half of the elements have any bits; the others have one of few values, so that there are ties.
    fn fill<T: Cell>(len: usize) -> Vec<T> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 31 == 0 { (state >> 16) & 0x3003 } else { state >> 8 }
        };
        let bytes: Vec<u32> = (0..len).map(|_| next()).collect();
        bytemuck::cast_slice(&bytes)[..len].to_vec()
    }

    type Results = Vec<Result<Vec<u8>, Error>>;

    /// The bytes of all results, or the error of a sum of integers: of the tuned loops and of the definitions.
    fn results<T: Cell>(geometry: &Geometry) -> Result<[Results; 2], Error> {
        let bytes =
            |made: Result<Vec<T>, Error>| made.map(|made| bytemuck::cast_slice(&made).to_vec());
        let input = fill::<T>(geometry.input_len());
        let pooled = cpu::max_pool(geometry, &input)?;
        let (values, taps) = (fill::<T>(geometry.pooled_len()), pooled.taps);
        let tuned = vec![
            bytes(Ok(pooled.values)),
            Ok(taps.as_bytes().to_vec()),
            bytes(cpu::max_unpool(geometry, &values, &taps, Overlap::Last)),
            bytes(cpu::max_unpool(geometry, &values, &taps, Overlap::Sum)),
            bytes(cpu::max_unpool_backward(geometry, &input, &taps)),
        ];
        let pooled = reference::max_pool(geometry, &input)?;
        let defined = vec![
            bytes(Ok(pooled.values)),
            Ok(pooled.taps.as_bytes().to_vec()),
            bytes(reference::max_unpool(geometry, &values, &taps, Overlap::Last)),
            bytes(reference::max_unpool(geometry, &values, &taps, Overlap::Sum)),
            bytes(reference::max_unpool_backward(geometry, &input, &taps)),
        ];
        Ok([tuned, defined])
    }

    fn compare<T: Cell>() -> Result<(), Error> {
        for geometry in geometries()? {
            let [widest, defined] = results::<T>(&geometry)?;
            BASELINE.store(true, Ordering::Relaxed);
            let [baseline, _] = results::<T>(&geometry)?;
            BASELINE.store(false, Ordering::Relaxed);
            assert!(widest == defined, "{}, {geometry:?}", T::ELEMENT);
            assert!(widest == baseline, "{}, {geometry:?}", T::ELEMENT);
        }
        Ok(())
    }

    #[test]
    fn no_level_changes_a_bit() -> Result<(), Error> {
        compare::<f32>()?;
        compare::<f16>()?;
        compare::<bf16>()?;
        compare::<i32>()?;
        compare::<u32>()?;
        compare::<i8>()?;
        compare::<u8>()
    }
}
