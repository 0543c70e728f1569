//! Zeiler and Fergus's way back, in a few lines: what a layer's strongest response saw.

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Distribution, Tensor, activation::relu, module};
use unpool_burn::{Overlap, max_pool2d, max_unpool2d};

fn main() {
    let device = Device::flex();
    device.seed(0);
    let image = Tensor::<4>::random([1, 3, 33, 45], Distribution::Default, &device);
    let filters = Tensor::<4>::random([8, 3, 3, 3], Distribution::Normal(0.0, 1.0), &device);

    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let (pooled, taps) = max_pool2d(relu(module::conv2d(image, filters.clone(), None, options)), 2);
    let strongest = pooled.clone().equal(pooled.clone().max().reshape([1, 1, 1, 1])).float();
    let unpooled = relu(max_unpool2d(pooled * strongest, &taps, Overlap::Last));
    let back = ConvTransposeOptions::new([1, 1], [1, 1], [0, 0], [1, 1], 1);
    let seen = module::conv_transpose2d(unpooled, filters, None, back);
    let pixels = seen.clone().abs().greater_elem(0.0).int().sum().into_scalar::<i32>();
    println!("{:?}: the strongest response saw {pixels} numbers of the image", seen.dims());
}
