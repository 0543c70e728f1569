//! RoiAlign with boxes that are known and boxes that the image decides, against its definition.

use unpool_cnn::Model;

use crate::support::definition::check;
use crate::support::onnx::{Attribute, floats, ints, model, node};
use crate::support::random::Random;

const SHAPE: [usize; 4] = [2, 4, 6, 7];
const OUT: [usize; 2] = [2, 3];

/// How an image is read.
#[derive(Clone, Copy)]
struct Reading {
    scale: f32,
    half: bool,
    samples: usize,
}

impl Reading {
    fn attributes(&self) -> Vec<Attribute> {
        let mode = if self.half { "half_pixel" } else { "output_half_pixel" };
        vec![
            Attribute::Int("output_height", OUT[0] as i64),
            Attribute::Int("output_width", OUT[1] as i64),
            Attribute::Int("sampling_ratio", self.samples as i64),
            Attribute::Float("spatial_scale", self.scale),
            Attribute::Text("coordinate_transformation_mode", mode),
        ]
    }

    /// The mean of the samples of each bin.
    fn expected(&self, x: &[f32], rois: &[f32], images: &[i64]) -> Vec<f32> {
        let [_, channels, height, width] = SHAPE;
        let mut all = Vec::new();
        for (roi, &image) in rois.chunks(4).zip(images) {
            let shift = if self.half { 0.5 } else { 0.0 };
            let at: Vec<_> = roi.iter().map(|x| x * self.scale - shift).collect();
            let least = if self.half { f32::MIN } else { 1.0 };
            let extents = [(at[3] - at[1]).max(least), (at[2] - at[0]).max(least)];
            let bins = [extents[0] / OUT[0] as f32, extents[1] / OUT[1] as f32];
            let counts = bins.map(|bin| match self.samples {
                0 => bin.ceil() as usize,
                n => n,
            });
            for channel in 0..channels {
                let plane = &x[(image as usize * channels + channel) * height * width..];
                for bin in 0..OUT[0] * OUT[1] {
                    let (row, column) = (bin / OUT[1], bin % OUT[1]);
                    let mut sum = 0.0;
                    for sample in 0..counts[0] * counts[1] {
                        let (i, j) = (sample / counts[1], sample % counts[1]);
                        let place = |first: f32, cell: usize, n: usize, axis: usize| {
                            first
                                + bins[axis]
                                    * (cell as f32 + (n as f32 + 0.5) / counts[axis] as f32)
                        };
                        let y = place(at[1], row, i, 0);
                        let x = place(at[0], column, j, 1);
                        sum += between(plane, y, x);
                    }
                    all.push(sum / (counts[0] * counts[1]) as f32);
                }
            }
        }
        all
    }
}

/// The value of a plane at a place, bilinear; 0 a cell or more outside.
fn between(plane: &[f32], y: f32, x: f32) -> f32 {
    let [_, _, height, width] = SHAPE;
    if y < -1.0 || y > height as f32 || x < -1.0 || x > width as f32 {
        return 0.0;
    }
    let (y, x) = (y.clamp(0.0, height as f32 - 1.0), x.clamp(0.0, width as f32 - 1.0));
    let (top, left) = (y as usize, x as usize);
    let (down, right) = ((top + 1).min(height - 1), (left + 1).min(width - 1));
    let (v, u) = (y - top as f32, x - left as f32);
    let cell = |row: usize, column: usize| plane[row * width + column];
    (1.0 - v) * ((1.0 - u) * cell(top, left) + u * cell(top, right))
        + v * ((1.0 - u) * cell(down, left) + u * cell(down, right))
}

#[test]
fn regions_are_means_of_samples_in_boxes_that_are_known() {
    let x = Random::new(5).floats(SHAPE.iter().product());
    // Inside, across an edge, of no extent, and outside.
    let rois = [
        [0.7, 1.2, 9.3, 8.1],
        [-3.0, -2.0, 4.4, 5.5],
        [2.2, 2.3, 2.4, 2.5],
        [8.0, 3.0, 19.0, 21.0],
    ];
    let (rois, images) = (rois.concat(), [1, 0, 1, 0]);
    for (number, (half, samples)) in (0..).zip([(true, 0), (true, 2), (false, 0), (false, 3)]) {
        let reading = Reading { scale: 0.7, half, samples };
        let weights = [floats("rois", &[4, 4], &rois), ints("images", &images)];
        let nodes = [node("RoiAlign", &["x", "rois", "images"], &["y"], &reading.attributes())];
        let expected = reading.expected(&x, &rois, &images);
        check("RoiAlign", number, &model(&nodes, &weights, 16), &SHAPE, &x, &expected);
    }
}

#[test]
fn boxes_that_the_image_decides_are_looked_back_through() {
    let x = Random::new(6).floats(SHAPE.iter().product());
    // A box for each image: its channels' means, and constants.
    let offsets = [0.61, 0.83, 4.27, 5.19];
    let plane = SHAPE[2] * SHAPE[3];
    let means = x.chunks(plane).map(|plane| plane.iter().sum::<f32>() / plane.len() as f32);
    let rois: Vec<_> =
        means.zip(offsets.iter().cycle()).map(|(mean, offset)| mean + offset).collect();
    let images = [1, 0];
    let weights = [floats("offsets", &[4], &offsets), ints("images", &images)];
    let nodes = |samples: usize| {
        let reading = Reading { scale: 1.0, half: true, samples };
        [
            node("GlobalAveragePool", &["x"], &["m"], &[]),
            node("Flatten", &["m"], &["means"], &[]),
            node("Add", &["means", "offsets"], &["rois"], &[]),
            node("RoiAlign", &["x", "rois", "images"], &["y"], &reading.attributes()),
        ]
    };
    let expected = Reading { scale: 1.0, half: true, samples: 2 }.expected(&x, &rois, &images);
    check("RoiAlign", 9, &model(&nodes(2), &weights, 16), &SHAPE, &x, &expected);
    let refused = Model::from_bytes(&model(&nodes(0), &weights, 16)).and_then(|m| m.plan(&SHAPE));
    let error = refused.expect_err("it is refused").to_string();
    assert!(error.contains("sampling_ratio is 0, and the boxes depend on the image"), "{error}");
}
