//! Max pooling and unpooling by `unpool`, and average pooling.

use unpool::{Axis, Error, Geometry, Overlap, Taps};

use super::chain::Chain;
use super::chunks::each_chunk;
use super::{convolution, depthwise};
use crate::kernel::{Average, Conv, Steps};

/// Max pooling, without taps if there is no memory for them.
pub(super) fn max_pool(
    geometry: &Geometry,
    x: &[f32],
    values: &mut [f32],
    taps: &mut [f32],
) -> Result<(), Error> {
    let (x, values) = (&x[..geometry.input_len()], &mut values[..geometry.pooled_len()]);
    if taps.is_empty() {
        return unpool::cpu::max_pool_values_into(geometry, x, values);
    }
    let mut found = Taps::zeroed(geometry);
    unpool::cpu::max_pool_into(geometry, x, values, &mut found)?;
    let bytes = found.as_bytes();
    bytemuck::cast_slice_mut::<f32, u8>(taps)[..bytes.len()].copy_from_slice(bytes);
    Ok(())
}

pub(super) fn max_pool_backward(
    geometry: &Geometry,
    signal: &[f32],
    taps: &[f32],
    back: &mut [f32],
) -> Result<(), Error> {
    let taps = Taps::from_bytes(geometry, bytemuck::cast_slice(taps))?;
    let signal = &signal[..geometry.pooled_len()];
    let back = &mut back[..geometry.input_len()];
    unpool::cpu::max_pool_backward_into(geometry, signal, &taps, back)
}

pub(super) fn max_unpool(
    geometry: &Geometry,
    values: &[f32],
    taps: &[f32],
    y: &mut [f32],
) -> Result<(), Error> {
    let taps = Taps::from_bytes(geometry, bytemuck::cast_slice(taps))?;
    let values = &values[..geometry.pooled_len()];
    let y = &mut y[..geometry.input_len()];
    unpool::cpu::max_unpool_into(geometry, values, &taps, Overlap::Last, y)
}

pub(super) fn max_unpool_backward(
    geometry: &Geometry,
    signal: &[f32],
    taps: &[f32],
    back: &mut [f32],
) -> Result<(), Error> {
    let taps = Taps::from_bytes(geometry, bytemuck::cast_slice(taps))?;
    let signal = &signal[..geometry.input_len()];
    let back = &mut back[..geometry.pooled_len()];
    unpool::cpu::max_unpool_backward_into(geometry, signal, &taps, back)
}

/// Sums over windows, which are a convolution by ones, times the reciprocals of the numbers of cells.
pub(super) fn average(average: &Average, x: &[f32], y: &mut [f32]) {
    let (conv, shares) = (sums(average), shares(average));
    let y = &mut y[..shares.len() * average.planes as usize];
    let by_ones = depthwise::applies(&conv);
    if by_ones {
        let y = [Some(&mut *y), None, None, None];
        convolution::conv(&conv, x, &ones(&conv), None, &Chain::default(), y);
    }
    let cells = conv.input_positions() as usize;
    each_chunk(y, shares.len(), |plane, y| {
        if !by_ones {
            let x = &x[plane * cells..];
            let windows = y.iter_mut().enumerate();
            windows.for_each(|(window, y)| {
                *y = 0.0;
                each_cell(&average.axes, window, |cell| *y += x[cell]);
            });
        }
        y.iter_mut().zip(&shares).for_each(|(y, share)| *y *= share);
    });
}

pub(super) fn average_back(average: &Average, signal: &[f32], back: &mut [f32]) {
    let (conv, shares) = (sums(average), shares(average));
    let cells = conv.input_positions() as usize;
    let back = &mut back[..cells * average.planes as usize];
    let mut shared = signal[..shares.len() * average.planes as usize].to_vec();
    each_chunk(&mut shared, shares.len(), |_, signal| {
        signal.iter_mut().zip(&shares).for_each(|(signal, share)| *signal *= share);
    });
    if conv.taps().saturating_mul(conv.output_positions()) as usize <= depthwise::COPIES {
        let back = [Some(back), None, None, None];
        convolution::conv_transpose(&conv, &shared, &ones(&conv), None, &Chain::default(), back);
        return;
    }
    each_chunk(back, cells, |plane, back| {
        back.fill(0.0);
        for (window, share) in shared[plane * shares.len()..][..shares.len()].iter().enumerate() {
            each_cell(&average.axes, window, |cell| back[cell] += share);
        }
    });
}

/// The convolution of each plane that sums the cells of each window.
fn sums(average: &Average) -> Conv {
    let none = Steps { offset: 0, image: 0, channel: 0 };
    let (axes, groups) = (average.axes, average.planes);
    let mut conv = Conv { axes, batch: 1, groups, rows: 1, columns: 1, x: none, y: none };
    conv.x.channel = conv.input_positions();
    conv.y.channel = conv.output_positions();
    conv
}

fn ones(conv: &Conv) -> Vec<f32> {
    vec![1.0; (conv.groups * conv.taps()) as usize]
}

/// For each window the reciprocal of the number of cells that its mean counts.
fn shares(average: &Average) -> Vec<f32> {
    let [z, y, x] = average.axes.each_ref().map(|axis| {
        let count = |q| counted(axis, q, average.counts_padding);
        (0..axis.windows).map(count).collect::<Vec<_>>()
    });
    let lines = z.iter().flat_map(|z| y.iter().map(move |y| z * y));
    lines.flat_map(|line| x.iter().map(move |x| 1.0 / (line * x) as f32)).collect()
}

/// Cells that window `q` counts on an axis: those of the input, or those of the padded input.
fn counted(axis: &Axis, q: u32, counts_padding: bool) -> i64 {
    if !counts_padding {
        return axis.taps_inside(q).len() as i64;
    }
    let room = i64::from(axis.input) + i64::from(axis.after) - axis.start(q);
    let step = i64::from(axis.dilation);
    ((room + step - 1) / step).clamp(1, i64::from(axis.kernel))
}

/// Calls `visit` with each cell of the input in a window.
fn each_cell(axes: &[Axis; 3], window: usize, mut visit: impl FnMut(usize)) {
    let [_, y, x] = axes.each_ref().map(|a| a.windows as usize);
    let position = [window / x / y, window / x % y, window % x].map(|q| q as u32);
    let at = |i: usize, tap: u32| axes[i].cell(position[i], tap) as usize;
    for tz in axes[0].taps_inside(position[0]) {
        for ty in axes[1].taps_inside(position[1]) {
            let row = (at(0, tz) * axes[1].input as usize + at(1, ty)) * axes[2].input as usize;
            for tx in axes[2].taps_inside(position[2]) {
                visit(row + at(2, tx));
            }
        }
    }
}
