//! Max pooling and unpooling by `unpool`, and average pooling.

use unpool::{Error, Geometry, Overlap, Taps};

use super::chunks::each_chunk;
use crate::axis::Axis;
use crate::kernel::Average;

pub(super) fn max_pool(
    geometry: &Geometry,
    x: &[f32],
    values: &mut [f32],
    taps: &mut [f32],
) -> Result<(), Error> {
    let (x, values) = (&x[..geometry.input_len()], &mut values[..geometry.pooled_len()]);
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

pub(super) fn average(average: &Average, x: &[f32], y: &mut [f32]) {
    let (cells, windows) = sizes(&average.axes);
    let y = &mut y[..average.planes as usize * windows];
    each_chunk(y, windows, |plane, y| {
        let x = &x[plane * cells..][..cells];
        each_window(average, |window, position, weight| {
            let mut sum = 0.0;
            each_cell(&average.axes, position, |cell| sum += x[cell]);
            y[window] = sum * weight;
        });
    });
}

pub(super) fn average_back(average: &Average, signal: &[f32], back: &mut [f32]) {
    let (cells, windows) = sizes(&average.axes);
    let back = &mut back[..average.planes as usize * cells];
    each_chunk(back, cells, |plane, back| {
        back.fill(0.0);
        let signal = &signal[plane * windows..][..windows];
        each_window(average, |window, position, weight| {
            let share = signal[window] * weight;
            each_cell(&average.axes, position, |cell| back[cell] += share);
        });
    });
}

fn sizes(axes: &[Axis; 3]) -> (usize, usize) {
    let product = |extent: fn(&Axis) -> u32| axes.iter().map(|a| extent(a) as usize).product();
    (product(|a| a.input), product(|a| a.output))
}

/// Calls `visit` with the number of each window, its position, and the reciprocal of the number of
/// cells that its mean counts.
fn each_window(average: &Average, mut visit: impl FnMut(usize, [u32; 3], f32)) {
    let [z, y, x] = &average.axes;
    let mut window = 0;
    for qz in 0..z.output {
        for qy in 0..y.output {
            for qx in 0..x.output {
                let position = [qz, qy, qx];
                let counted =
                    |i: usize| counted(&average.axes[i], position[i], average.counts_padding);
                let count = counted(0) * counted(1) * counted(2);
                visit(window, position, 1.0 / count as f32);
                window += 1;
            }
        }
    }
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

fn each_cell(axes: &[Axis; 3], position: [u32; 3], mut visit: impl FnMut(usize)) {
    let at = |i: usize, tap: u32| axes[i].cell(position[i], tap);
    for tz in axes[0].taps_inside(position[0]) {
        for ty in axes[1].taps_inside(position[1]) {
            let row = (at(0, tz) * axes[1].input as usize + at(1, ty)) * axes[2].input as usize;
            for tx in axes[2].taps_inside(position[2]) {
                visit(row + at(2, tx));
            }
        }
    }
}
