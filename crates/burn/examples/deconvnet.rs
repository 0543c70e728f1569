//! Zeiler and Fergus's way back: what a layer's strongest response saw.

use burn::nn::{PaddingConfig2d, conv::Conv2dConfig};
use burn::tensor::ops::ConvTransposeOptions;
use burn::tensor::{Device, Distribution, Tensor, activation::relu, module::conv_transpose2d};
use unpool_burn::{Overlap, max_pool2d, max_unpool2d};

fn main() {
    let device = Device::flex();
    let image = Tensor::<4>::random([1, 3, 33, 45], Distribution::Default, &device);
    let conv = Conv2dConfig::new([3, 8], [3, 3]).with_padding(PaddingConfig2d::Same).init(&device);
    let (pooled, taps) = max_pool2d(relu(conv.forward(image)), 2);
    let strongest = pooled.clone().equal(pooled.clone().max().unsqueeze()).float();
    let unpooled = relu(max_unpool2d(pooled * strongest, &taps, Overlap::Last));
    let back = ConvTransposeOptions::new([1, 1], [1, 1], [0, 0], [1, 1], 1);
    println!("{}", conv_transpose2d(unpooled, conv.weight.val(), None, back));
}
