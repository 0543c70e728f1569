//! The network: two levels down, two levels up.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor};
use unpool_burn::{MaxPool2d, MaxPool2dConfig, MaxUnpool2d, MaxUnpool2dConfig};

/// A convolution, normalised.
#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Block {
    fn new(from: usize, to: usize, device: &Device) -> Self {
        let conv = Conv2dConfig::new([from, to], [3, 3]).with_padding(PaddingConfig2d::Same);
        Self { conv: conv.init(device), norm: BatchNormConfig::new(to).init(device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        relu(self.norm.forward(self.conv.forward(x)))
    }
}

/// An encoder whose pooling keeps its taps, and a decoder that unpools with them.
#[derive(Module, Debug)]
pub(crate) struct SegNet {
    down: Vec<Block>,
    up: Vec<Block>,
    classify: Conv2d,
    pool: MaxPool2d,
    unpool: MaxUnpool2d,
}

impl SegNet {
    pub(crate) fn new(classes: usize, device: &Device) -> Self {
        let down = [(3, 16), (16, 24)];
        let up = [(24, 24), (24, 16)];
        let blocks = |sizes: [(usize, usize); 2]| {
            sizes.map(|(from, to)| Block::new(from, to, device)).into()
        };
        let classify = Conv2dConfig::new([16, classes], [3, 3]).with_padding(PaddingConfig2d::Same);
        Self {
            down: blocks(down),
            up: blocks(up),
            classify: classify.init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_padding(PaddingConfig2d::Same).init(),
            unpool: MaxUnpool2dConfig::new([2, 2]).init(),
        }
    }

    /// Scores of each class, at each pixel of `[batch, 3, height, width]`.
    pub(crate) fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        let (mut x, mut levels) = (image, Vec::new());
        for block in &self.down {
            let (values, taps) = self.pool.forward(block.forward(x));
            x = values;
            levels.push(taps);
        }
        for (block, taps) in self.up.iter().zip(levels.iter().rev()) {
            x = self.unpool.forward(block.forward(x), taps);
        }
        self.classify.forward(x)
    }
}

/// The mean over all pixels of the negative log likelihood of the label.
pub(crate) fn cross_entropy(scores: Tensor<4>, labels: Tensor<4, Int>) -> Tensor<1> {
    log_softmax(scores, 1).gather(1, labels).mean().neg()
}
