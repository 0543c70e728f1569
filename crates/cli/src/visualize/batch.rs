//! Images of one size that a session runs at once.

use unpool_cnn::{Model, Plan, Target, Targets};

use crate::network::Fitted;

/// Images of a batch, bytes of its largest tensor, half of what every device can bind, and bytes of all its
/// tensors, at most.
const IMAGES: usize = 16;
const TENSOR_BYTES: usize = 64 << 20;
const ALL_BYTES: usize = 512 << 20;

/// Images, and the size of the batch that they run in; the last image fills the rest.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) images: &'a [Fitted],
    pub(crate) size: usize,
}

impl<'a> Batch<'a> {
    /// An image by itself.
    pub(crate) fn of(image: &'a Fitted) -> Self {
        Self { images: std::slice::from_ref(image), size: 1 }
    }

    /// Batches of images of one size, as many of them in each. `one` is the plan of a single image and
    /// `names` the layers that are looked at: where one of them does not have the batch first, images run
    /// by themselves.
    pub(crate) fn all(
        images: &'a [Fitted],
        model: &Model,
        one: &Plan,
        names: &[String],
    ) -> impl Iterator<Item = Self> {
        let bytes = one.layers().iter().map(|layer| 4 * layer.shape().iter().product::<usize>());
        let largest = bytes.clone().max().unwrap_or(1).max(1);
        let most = (TENSOR_BYTES / largest).min(ALL_BYTES / bytes.sum::<usize>().max(1));
        let most = most.clamp(1, IMAGES);
        let size = images.len().div_ceil(images.len().div_ceil(most).max(1)).max(1);
        let shape = [&[size], &one.input_shape()[1..]].concat();
        let fits = model.plan(&shape).is_ok_and(|plan| {
            let first = |name: &String| plan.layer(name).map(|l| l.shape().first().copied());
            names.iter().all(|name| first(name).is_ok_and(|n| n == Some(size)))
        });
        let size = if fits { size } else { 1 };
        images.chunks(size).map(move |images| Self { images, size })
    }

    /// What a bar says that it is of.
    pub(crate) fn name(&self) -> &str {
        match self.images {
            [image] => &image.name,
            _ => "images",
        }
    }

    /// In each image its own target.
    pub(crate) fn targets(&self, each: impl IntoIterator<Item = Option<Target>>) -> Targets {
        let mut each: Vec<_> = each.into_iter().collect();
        match each[..] {
            // Of a layer with several of its own images for each image as well.
            [Some(target)] if self.size == 1 => Targets::All(target),
            _ => {
                each.resize(self.size, None);
                Targets::Each(each)
            }
        }
    }
}
