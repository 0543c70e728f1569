//! How an image becomes the numbers that a network was trained on: order of colours, mean and scale.

use anyhow::{Result, bail};
use clap::ValueEnum;
use image::{Rgb, RgbImage};
use unpool_cnn::Model;

use crate::maps::grey;

/// The options: how a pixel becomes a number.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Mean, scale and order of colours as the network was trained; by default as the model's
    /// metadata say, or unit.
    #[arg(long, value_enum, value_name = "NAME", conflicts_with_all = ["mean", "scale"])]
    preset: Option<Preset>,
    /// Mean of each channel, which is subtracted from values of 0 to 1; one number or one per channel.
    #[arg(
        long,
        value_name = "M,…",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = finite,
        default_value = "0"
    )]
    mean: Vec<f32>,
    /// Factor of each channel, after the mean is subtracted: 1 over the standard deviation.
    #[arg(
        long,
        value_name = "S,…",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = factor,
        default_value = "1"
    )]
    scale: Vec<f32>,
}

/// The preprocessing of a family of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// 0 to 1.
    Unit,
    /// torchvision and most of the ONNX zoo: mean 0.485,0.456,0.406, deviation 0.229,0.224,0.225.
    Imagenet,
    /// Keras's MobileNet, Inception, Xception: -1 to 1.
    Keras,
    /// 0 to 255: Keras's EfficientNet and others with a layer for it.
    Byte,
    /// Caffe, and Keras's ResNet and VGG: blue first, 0 to 255 less 103.939,116.779,123.68.
    Caffe,
}

/// How a pixel becomes a number: from 0 to 1, less the mean of its channel, times the scale.
pub(crate) struct Preprocessing {
    mean: Vec<f32>,
    scale: Vec<f32>,
    blue_first: bool,
    /// What chose it, in words.
    pub(crate) said: String,
    /// Whether that is a preset, and not numbers given one by one.
    is_preset: bool,
    /// Whether nothing did.
    pub(crate) is_assumed: bool,
}

impl Preset {
    fn preprocessing(self, why: &str) -> Preprocessing {
        let (mean, scale) = match self {
            Self::Unit => (vec![0.0], vec![1.0]),
            Self::Imagenet => {
                (vec![0.485, 0.456, 0.406], vec![1.0 / 0.229, 1.0 / 0.224, 1.0 / 0.225])
            }
            Self::Keras => (vec![0.5], vec![2.0]),
            Self::Byte => (vec![0.0], vec![255.0]),
            Self::Caffe => ([103.939, 116.779, 123.68].map(|m| m / 255.0).to_vec(), vec![255.0]),
        };
        let name = self.to_possible_value().map(|value| value.get_name().to_owned());
        let name = name.unwrap_or_default();
        let said = format!("preset {name}, {why}");
        let blue_first = self == Self::Caffe;
        Preprocessing { mean, scale, blue_first, said, is_preset: true, is_assumed: false }
    }

    /// What a model says of itself: by the name of a preset under `preprocessing`, by ONNX's own keys
    /// for images, or by its first arithmetic.
    fn stated(model: &Model) -> Option<(Self, &'static str)> {
        let own = model.metadata("preprocessing").and_then(|name| Self::from_str(name, true).ok());
        let range = model.metadata("Image.NominalPixelRange").and_then(|range| match range {
            "NominalRange_0_255" => Some(Self::Byte),
            "Normalized_0_1" => Some(Self::Unit),
            "Normalized_1_1" => Some(Self::Keras),
            _ => None,
        });
        let first = model.largest_pixel().map(|x| if x > 1.0 { Self::Byte } else { Self::Unit });
        let metadata = own.or(range).map(|preset| (preset, "as the model's metadata say"));
        metadata.or(first.map(|preset| (preset, "as the model's first arithmetic says")))
    }
}

impl Args {
    /// Whether nothing was asked for.
    pub(crate) fn is_default(&self) -> bool {
        self.preset.is_none() && self.mean == [0.0] && self.scale == [1.0]
    }

    /// The preprocessing for a model.
    pub(crate) fn chosen(&self, model: &Model) -> Preprocessing {
        if let Some(preset) = self.preset {
            return preset.preprocessing("as asked");
        }
        if !self.is_default() {
            let (mean, scale) = (self.mean.clone(), self.scale.clone());
            let said = "mean and scale, as asked".into();
            return Preprocessing {
                mean,
                scale,
                blue_first: false,
                said,
                is_preset: false,
                is_assumed: false,
            };
        }
        match Preset::stated(model) {
            Some((preset, why)) => preset.preprocessing(why),
            None => Preprocessing {
                is_assumed: true,
                ..Preset::Unit.preprocessing("as nothing says otherwise")
            },
        }
    }
}

impl Preprocessing {
    /// The numbers of a picture, one plane for each channel.
    pub(crate) fn planes(&self, picture: &RgbImage, channels: usize) -> Result<Vec<f32>> {
        let [mean, scale] = self.per_channel(channels)?;
        let value = |pixel: &Rgb<u8>, c: usize| match (channels, self.blue_first) {
            (1, _) => luma(pixel),
            (_, true) => f32::from(pixel.0[2 - c]) / 255.0,
            (_, false) => f32::from(pixel.0[c]) / 255.0,
        };
        let plane = |c: usize| {
            let (mean, scale) = (mean[c], scale[c]);
            picture.pixels().map(move |pixel| (value(pixel, c) - mean) * scale)
        };
        Ok((0..channels).flat_map(plane).collect())
    }

    /// Mean and scale of each channel.
    fn per_channel(&self, channels: usize) -> Result<[Vec<f32>; 2]> {
        if ![1, 3].contains(&channels) {
            bail!("the model reads {channels} channels; 1 and 3 can be made of an image");
        }
        let all = |option: &str, list: &[f32]| {
            let option = if self.is_preset { &self.said } else { option };
            match list.len() {
                1 => Ok(vec![list[0]; channels]),
                n if n == channels => Ok(list.to_vec()),
                n if channels == 1 => bail!("--{option}: {n} numbers; the model reads 1 channel"),
                n => bail!("--{option}: {n} numbers; 1 or {channels} are needed"),
            }
        };
        Ok([all("mean", &self.mean)?, all("scale", &self.scale)?])
    }

    /// What black and white become in each channel, the lesser first.
    pub(crate) fn range(&self, channels: usize) -> Result<Vec<(f32, f32)>> {
        let [mean, scale] = self.per_channel(channels)?;
        let range = |(mean, scale): (&f32, &f32)| {
            let ends = [0.0, 1.0].map(|end| (end - mean) * scale);
            (ends[0].min(ends[1]), ends[0].max(ends[1]))
        };
        Ok(mean.iter().zip(&scale).map(range).collect())
    }

    /// The picture of planes as a network has them: what [`planes`](Self::planes) undoes.
    pub(crate) fn picture(&self, planes: &[f32], (width, height): (u32, u32)) -> RgbImage {
        let count = (width * height) as usize;
        let channels = planes.len() / count;
        let of = |list: &[f32], c: usize| list[c.min(list.len() - 1)];
        RgbImage::from_fn(width, height, |x, y| {
            let at = (y * width + x) as usize;
            let byte = |colour: usize| {
                let colour = if self.blue_first { 2 - colour } else { colour };
                let c = colour.min(channels - 1);
                let part = planes[c * count + at] / of(&self.scale, c) + of(&self.mean, c);
                (part * 255.0).round() as u8
            };
            Rgb(std::array::from_fn(byte))
        })
    }

    /// Planes of colours, the red one first, of planes as a network has them.
    pub(crate) fn red_first(&self, mut planes: Vec<f32>) -> Vec<f32> {
        if self.blue_first {
            let len = planes.len() / 3;
            let (red, rest) = planes.split_at_mut(len);
            red.swap_with_slice(&mut rest[len..2 * len]);
        }
        planes
    }
}

fn finite(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|x: &f32| x.is_finite()).ok_or_else(|| "a number is needed".into())
}

fn factor(text: &str) -> Result<f32, String> {
    finite(text).ok().filter(|&x| x != 0.0).ok_or_else(|| "a number other than 0 is needed".into())
}

/// Brightness from 0 to 1; exactly the grey of a grey pixel.
fn luma(pixel: &Rgb<u8>) -> f32 {
    let [r, g, b] = pixel.0;
    if r == g && g == b { f32::from(r) / 255.0 } else { grey(pixel) / 255.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_the_picture_again() {
        let picture = RgbImage::from_fn(4, 3, |x, y| Rgb([(x * 60) as u8, (y * 90) as u8, 7]));
        for preset in Preset::value_variants() {
            let preprocessing = preset.preprocessing("");
            let planes = preprocessing.planes(&picture, 3).expect("three channels");
            assert_eq!(preprocessing.picture(&planes, (4, 3)), picture, "{preset:?}");
            let range = preprocessing.range(3).expect("three channels");
            for (plane, (low, high)) in planes.chunks(12).zip(range) {
                assert!(plane.iter().all(|x| (low - 1e-3..=high + 1e-3).contains(x)), "{preset:?}");
            }
        }
    }

    #[test]
    fn presets_are_the_numbers_of_their_frameworks() {
        let picture = RgbImage::from_pixel(1, 1, Rgb([255, 128, 0]));
        let of = |preset| {
            let planes =
                Preset::preprocessing(preset, "").planes(&picture, 3).expect("three channels");
            planes.into_iter().map(|x| (x * 1000.0).round() / 1000.0).collect::<Vec<_>>()
        };
        assert_eq!(of(Preset::Unit), [1.0, 0.502, 0.0]);
        // torchvision's normalize, and preprocess_input of keras.applications: mode tf and caffe.
        assert_eq!(of(Preset::Imagenet), [2.249, 0.205, -1.804]);
        assert_eq!(of(Preset::Keras), [1.0, 0.004, -1.0]);
        assert_eq!(of(Preset::Byte), [255.0, 128.0, 0.0]);
        assert_eq!(of(Preset::Caffe), [-103.939, 11.221, 131.32]);
    }
}
