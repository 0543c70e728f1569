//! Results that are read back from a device: tensors, and projections of layers onto the input.

use unpool::Layout;

use crate::unit::Unit;

/// A tensor read back from a device.
///
/// Its methods take the second axis for the channels: [`channels_first`](Self::channels_first) puts
/// them there.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    /// `[batch, channels, …]`, or with the channels last where [`Layer::layout`](crate::Layer::layout) of the
    /// layer, or [`Plan::input_layout`](crate::Plan::input_layout) of a map of the input, says so.
    pub shape: Vec<usize>,
    /// The elements, row-major.
    pub data: Vec<f32>,
}

impl Activation {
    fn positions(&self) -> usize {
        self.shape.iter().skip(2).product()
    }

    /// The same tensor with its channels second, from one of this layout.
    #[must_use]
    pub fn channels_first(self, layout: Layout) -> Self {
        let (&[batch, ref spatial @ .., channels], Layout::ChannelsLast) =
            (&self.shape[..], layout)
        else {
            return self;
        };
        let data = transposed(&self.data, batch, channels);
        Self { shape: [&[batch, channels], spatial].concat(), data }
    }

    /// One image.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn image(&self, image: usize) -> &[f32] {
        let len = self.data.len() / self.shape.first().unwrap_or(&1);
        &self.data[image * len..(image + 1) * len]
    }

    /// One channel of an image.
    ///
    /// # Panics
    ///
    /// If there is no such image or channel.
    pub fn channel(&self, image: usize, channel: usize) -> &[f32] {
        let len = self.positions();
        &self.image(image)[channel * len..(channel + 1) * len]
    }

    /// For each image and position the channel with the largest value, the first of equals: the
    /// class map of a segmentation.
    pub fn classes(&self) -> Vec<usize> {
        let (positions, channels) = (self.positions(), self.shape.get(1).copied().unwrap_or(1));
        let image = |data: &[f32]| -> Vec<usize> {
            let largest = |position: usize| {
                let value = |c: usize| data[c * positions + position];
                (1..channels).fold(0, |best, c| if value(c) > value(best) { c } else { best })
            };
            (0..positions).map(largest).collect()
        };
        self.data.chunks_exact(positions * channels).flat_map(image).collect()
    }

    /// The maps at other spatial extents: linear between the middles of cells, and constant from the
    /// middles of the outermost cells outwards, as PyTorch's `interpolate` and ONNX's `half_pixel`.
    ///
    /// # Panics
    ///
    /// If the number of axes differs.
    #[must_use]
    pub fn resized(&self, spatial: &[usize]) -> Self {
        assert_eq!(self.shape.len(), spatial.len() + 2, "as many extents as there are axes");
        let mut result = self.clone();
        for (axis, &to) in spatial.iter().enumerate() {
            result = result.resized_along(axis + 2, to);
        }
        result
    }

    /// The maps with each element the mean of those around it, weighted by a Gaussian whose deviation is
    /// given in cells; at an edge, of those that there are.
    #[must_use]
    pub fn smoothed(&self, deviation: f32) -> Self {
        let mut data = self.data.clone();
        for axis in 2..self.shape.len() {
            data = smooth_along(&data, &self.shape, axis, deviation);
        }
        Self { shape: self.shape.clone(), data }
    }

    fn resized_along(&self, axis: usize, to: usize) -> Self {
        let from = self.shape[axis];
        if from == to {
            return self.clone();
        }
        let inner: usize = self.shape[axis + 1..].iter().product();
        let outer: usize = self.shape[..axis].iter().product();
        let mut data = Vec::with_capacity(outer * to * inner);
        for vector in 0..outer {
            for cell in 0..to {
                let place = (cell as f64 + 0.5) * from as f64 / to as f64 - 0.5;
                let place = place.clamp(0.0, (from - 1) as f64);
                let (low, part) = (place as usize, place.fract() as f32);
                let row = |at: usize| &self.data[(vector * from + at) * inner..][..inner];
                let (low, high) = (row(low), row((low + 1).min(from - 1)));
                data.extend(low.iter().zip(high).map(|(a, b)| a + (b - a) * part));
            }
        }
        let mut shape = self.shape.clone();
        shape[axis] = to;
        Self { shape, data }
    }

    /// The strongest unit of a channel of an image, the first of equals.
    ///
    /// # Panics
    ///
    /// If there is no such image or channel.
    pub fn strongest(&self, image: usize, channel: usize) -> Option<Unit> {
        let mut best: Option<Unit> = None;
        for (position, &value) in self.channel(image, channel).iter().enumerate() {
            if best.is_none_or(|best| value > best.value) {
                best = Some(Unit { channel, position, value });
            }
        }
        best
    }
}

/// Each of `batch` matrices of so many columns, transposed.
pub(crate) fn transposed(data: &[f32], batch: usize, columns: usize) -> Vec<f32> {
    let len = data.len() / batch.max(1);
    let rows = len / columns.max(1);
    let matrix =
        |matrix: usize| (0..len).map(move |i| data[matrix * len + i % rows * columns + i / rows]);
    (0..batch).flat_map(matrix).collect()
}

/// A tensor smoothed along one axis: see [`Activation::smoothed`].
pub(crate) fn smooth_along(data: &[f32], shape: &[usize], axis: usize, deviation: f32) -> Vec<f32> {
    let (extent, step) = (shape[axis] as i64, shape[axis + 1..].iter().product::<usize>());
    let reach = (3.0 * deviation).ceil() as i64;
    let weights: Vec<_> = (-reach..=reach)
        .map(|d| (d, (-0.5 * (d as f32 / deviation.max(f32::MIN_POSITIVE)).powi(2)).exp()))
        .collect();
    let mean = |i: usize| {
        let place = (i / step) as i64 % extent;
        let inside = |&&(d, _): &&(i64, f32)| (0..extent).contains(&(place + d));
        let near = weights.iter().filter(inside);
        let (sum, total) = near.fold((0.0, 0.0), |(sum, total), &(d, weight)| {
            let at = (i as i64 + d * step as i64) as usize;
            (sum + weight * data[at], total + weight)
        });
        sum / total
    };
    (0..data.len()).map(mean).collect()
}

/// The result of looking back.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// In the input's own space and shape.
    pub map: Activation,
    /// For each image the unit that was looked back from, if the target is a single unit.
    pub units: Vec<Option<Unit>>,
}
