//! What a pixel has to do with others: which cells a window holds, which of them won, and which
//! windows hold a cell. Positions are `[y, x]`.

use unpool::{Geometry, Taps};

use crate::settings::{CHANNELS, extents};

/// The window of one pooled pixel on one axis: the cells of the input that it holds, each with its
/// tap on that axis.
fn window(geometry: &Geometry, axis: usize, pooled: usize) -> Vec<(usize, usize)> {
    let window = geometry.window();
    let before = geometry.pads()[axis].0;
    let start = pooled * window.stride()[axis];
    (0..window.kernel()[axis])
        .filter_map(|tap| {
            let cell = (start + tap * window.dilation()[axis]).checked_sub(before)?;
            (cell < extents(geometry.input_shape())[axis]).then_some((cell, tap))
        })
        .collect()
}

/// The cells of the input in the window of a pooled pixel, in raster order.
pub fn window_cells(geometry: &Geometry, [y, x]: [usize; 2]) -> Vec<[usize; 2]> {
    let across = window(geometry, 1, x);
    let row = |y: usize| across.iter().map(move |&(x, _)| [y, x]);
    window(geometry, 0, y).into_iter().flat_map(|(y, _)| row(y)).collect()
}

/// The cell that won in each channel of a pooled pixel.
pub fn winners(geometry: &Geometry, taps: &Taps, [y, x]: [usize; 2]) -> Vec<[usize; 2]> {
    let [_, width] = extents(geometry.pooled_shape());
    let kernel = geometry.window().kernel()[1];
    let (down, across) = (window(geometry, 0, y), window(geometry, 1, x));
    let at = |axis: &[(usize, usize)], tap| axis.iter().find(|(_, t)| *t == tap).map(|&(c, _)| c);
    (0..CHANNELS)
        .filter_map(|c| {
            let tap = taps.get((y * width + x) * CHANNELS + c)? as usize;
            Some([at(&down, tap / kernel)?, at(&across, tap % kernel)?])
        })
        .collect()
}

/// The pooled pixels whose window holds a cell of the input, in raster order.
pub fn windows_of(geometry: &Geometry, [y, x]: [usize; 2]) -> Vec<[usize; 2]> {
    let holding = |axis: usize, cell: usize| -> Vec<usize> {
        let stride = geometry.window().stride()[axis];
        let last = (cell + geometry.pads()[axis].0) / stride;
        let span = (geometry.window().kernel()[axis] - 1) * geometry.window().dilation()[axis];
        let end = (last + 1).min(extents(geometry.pooled_shape())[axis]);
        (last.saturating_sub(span.div_ceil(stride))..end)
            .filter(|&q| window(geometry, axis, q).iter().any(|&(c, _)| c == cell))
            .collect()
    };
    let across = holding(1, x);
    let row = |y: usize| across.iter().map(move |&x| [y, x]);
    holding(0, y).into_iter().flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use unpool::cpu;

    #[test]
    fn windows_and_cells_tell_the_same_story_under_padding_stride_and_dilation() {
        for (kernel, stride, padding, dilation) in
            [(2, 2, 0, 1), (3, 2, 1, 1), (2, 3, 0, 1), (3, 1, 2, 2), (1, 1, 0, 1), (2, 1, 1, 3)]
        {
            let settings = Settings::new(kernel, stride, padding, dilation, 1, true);
            let geometry = &settings.geometries(11, 9).expect("it fits")[0];
            let [height, width] = extents(geometry.pooled_shape());
            let pooled = || (0..height).flat_map(|y| (0..width).map(move |x| [y, x]));
            for cell in (0..11).flat_map(|y| (0..9).map(move |x| [y, x])) {
                let holding: Vec<_> =
                    pooled().filter(|&q| window_cells(geometry, q).contains(&cell)).collect();
                assert_eq!(windows_of(geometry, cell), holding, "{settings:?} {cell:?}");
            }
        }
    }

    #[test]
    fn the_winner_holds_the_value() {
        let geometry = &Settings::new(3, 2, 1, 1, 1, false).geometries(11, 9).expect("it fits")[0];
        let image: Vec<f32> = (0..geometry.input_len()).map(|i| (i * 31 % 297) as f32).collect();
        let pooled = cpu::max_pool(geometry, &image).expect("the lengths fit");
        let [height, width] = extents(geometry.pooled_shape());
        for position in (0..height).flat_map(|y| (0..width).map(move |x| [y, x])) {
            let found = winners(geometry, &pooled.taps, position);
            assert_eq!(found.len(), CHANNELS);
            for (c, [y, x]) in found.into_iter().enumerate() {
                let at = (position[0] * width + position[1]) * CHANNELS + c;
                assert_eq!(image[(y * 9 + x) * CHANNELS + c], pooled.values[at]);
            }
        }
    }
}
