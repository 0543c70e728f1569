//! The modules beside Burn's own.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2dConfig as BurnsConfig;
use burn::tensor::{DType, Tensor};
use unpool_burn::{MaxPool2dConfig, MaxUnpool2dConfig};

use crate::devices::devices;
use crate::tensors::{Lies, bytes, tensor};

fn input(device: &burn::tensor::Device) -> Tensor<4> {
    let numbers: Vec<f32> = (0..2 * 3 * 9 * 7).map(|i| (i * 37 % 211) as f32 - 99.0).collect();
    tensor(&bytes(&numbers, DType::F32), [2, 3, 9, 7], DType::F32, Lies::ChannelsFirst, device)
}

#[test]
fn the_values_are_those_of_burns_module() {
    for tested in devices() {
        for padding in
            [PaddingConfig2d::Valid, PaddingConfig2d::Same, PaddingConfig2d::Explicit(1, 0, 1, 1)]
        {
            let ours = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]);
            let ours = ours.with_padding(padding.clone()).init();
            let burns = BurnsConfig::new([3, 3]).with_strides([2, 2]);
            let burns = burns.with_padding(padding).init();
            let x = input(&tested.device);
            let (values, _) = ours.forward(x.clone());
            assert_eq!(values.into_data(), ours.forward_values(x.clone()).into_data());
            assert_eq!(
                ours.forward_values(x.clone()).into_data(),
                burns.forward(x).into_data(),
                "{}: {ours}",
                tested.name
            );
        }
    }
}

#[test]
fn unpooling_by_taps_and_by_indices_is_the_same() {
    use unpool_burn::IndexSpace;
    for tested in devices() {
        let pool = MaxPool2dConfig::new([2, 2]).init();
        let unpool = MaxUnpool2dConfig::new([2, 2]).init();
        let (values, taps) = pool.forward(input(&tested.device));
        let by_taps = unpool.forward(values.clone(), &taps);
        assert_eq!(by_taps.dims(), [2, 3, 9, 7]);
        let indices = taps.to_indices(IndexSpace::Plane);
        let by_indices = unpool.try_forward_indices(values.clone(), indices.clone(), Some([9, 7]));
        assert_eq!(by_indices.expect("they are its own").into_data(), by_taps.into_data());
        // The default size is that of whole windows; these indices are of rows of 7.
        let refused = unpool.try_forward_indices(values, indices, None);
        assert!(refused.is_err(), "{}", tested.name);
    }
}

#[test]
fn they_show_their_options() {
    let pool = MaxPool2dConfig::new([3, 3]).init();
    assert_eq!(
        pool.to_string(),
        "MaxPool2d {kernel_size: [3, 3], stride: [3, 3], padding: Valid, dilation: [1, 1], ceil_mode: false}"
    );
    assert_eq!(
        MaxUnpool2dConfig::new([2, 2]).with_sum(true).init().to_string(),
        "MaxUnpool2d {kernel_size: [2, 2], stride: [2, 2], padding: Valid, sum: true}"
    );
}
