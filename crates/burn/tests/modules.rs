//! The modules beside Burn's own.

use burn::nn::pool::{MaxPool1dConfig as BurnsConfig1d, MaxPool2dConfig as BurnsConfig};
use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::{DType, Int, Tensor};
use unpool_burn::unpool::{Shape, cpu};
use unpool_burn::{
    Error, Geometry, IndexSpace, MaxPool1d, MaxPool1dConfig, MaxPool2d, MaxPool2dConfig, MaxPool3d,
    MaxPool3dConfig, MaxUnpool1d, MaxUnpool1dConfig, MaxUnpool2d, MaxUnpool2dConfig, MaxUnpool3d,
    MaxUnpool3dConfig, Padding, Taps, Window,
};

use crate::devices::devices;
use crate::tensors::{Lies, bytes, finite, integers, read, tensor};

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

/// A pair of modules over a number of axes.
trait Modules<const D: usize> {
    fn pool(&self, input: Tensor<D>) -> (Tensor<D>, Taps<D>);
    fn values(&self, input: Tensor<D>) -> Tensor<D>;
    fn unpool(&self, values: Tensor<D>, taps: &Taps<D>) -> Tensor<D>;
    /// By indices, to the size of an input.
    fn unpool_indices(
        &self,
        values: Tensor<D>,
        indices: Tensor<D, Int>,
        input: [usize; D],
    ) -> Result<Tensor<D>, Error>;
}

macro_rules! modules {
    ($pool:ty, $unpool:ty, $rank:literal, $size:expr) => {
        impl Modules<$rank> for ($pool, $unpool) {
            fn pool(&self, input: Tensor<$rank>) -> (Tensor<$rank>, Taps<$rank>) {
                self.0.forward(input)
            }
            fn values(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                self.0.forward_values(input)
            }
            fn unpool(&self, values: Tensor<$rank>, taps: &Taps<$rank>) -> Tensor<$rank> {
                self.1.forward(values, taps)
            }
            fn unpool_indices(
                &self,
                values: Tensor<$rank>,
                indices: Tensor<$rank, Int>,
                input: [usize; $rank],
            ) -> Result<Tensor<$rank>, Error> {
                self.1.try_forward_indices(values, indices, Some($size(input)))
            }
        }
    };
}

modules!(MaxPool1d, MaxUnpool1d, 3, |[_, _, length]: [usize; 3]| length);
modules!(MaxPool2d, MaxUnpool2d, 4, |[_, _, h, w]: [usize; 4]| [h, w]);
modules!(MaxPool3d, MaxUnpool3d, 5, |[_, _, d, h, w]: [usize; 5]| [d, h, w]);

/// Compares modules that add with the CPU path, to the bit.
fn check<const D: usize>(modules: &impl Modules<D>, window: Window, dims: [usize; D]) {
    let geometry = Geometry::new(&window, Shape::channels_first(dims)).expect("the window fits");
    let numbers = finite(geometry.input_len(), 7);
    let pooled = cpu::max_pool(&geometry, &numbers).expect("it pools");
    let plane: Vec<i32> = pooled.taps.to_indices(&geometry, IndexSpace::Plane).expect("they fit");
    let sum = cpu::max_unpool(&geometry, &pooled.values, &pooled.taps, unpool_burn::Overlap::Sum);
    let sum = bytes(&sum.expect("it unpools"), DType::F32);
    let values = bytes(&pooled.values, DType::F32);
    for tested in devices() {
        let case = format!("{}: {window:?}", tested.name);
        let numbers = bytes(&numbers, DType::F32);
        let first = Lies::ChannelsFirst;
        let x = tensor(&numbers, dims, DType::F32, first, &tested.device);
        assert_eq!(read(modules.values(x.clone()), first), values, "{case}");
        let (found, taps) = modules.pool(x);
        assert_eq!(read(found.clone(), first), values, "{case}");
        let indices = taps.to_indices(IndexSpace::Plane);
        assert_eq!(integers(indices.clone()), plane, "{case}");
        assert_eq!(read(modules.unpool(found.clone(), &taps), first), sum, "{case}");
        let by_indices = modules.unpool_indices(found, indices, dims).expect("they are its own");
        assert_eq!(read(by_indices, first), sum, "{case}");
    }
}

#[test]
fn modules_of_one_axis_do_what_the_cpu_path_does() {
    use PaddingConfig1d::{Explicit, Same, Valid};
    let paddings =
        [(Valid, Padding::Valid), (Same, Padding::Same), (Explicit(1, 0), Padding::from([(1, 0)]))];
    for (burns, ours) in paddings {
        let pool = MaxPool1dConfig::new(3).with_stride(2).with_padding(burns.clone()).init();
        let unpool = MaxUnpool1dConfig::new(3).with_stride(2).with_padding(burns).with_sum(true);
        let window = Window::new(3).with_stride(2).with_padding(ours);
        assert_eq!(pool.window(), window);
        check::<3>(&(pool, unpool.init()), window, [2, 3, 37]);
    }
}

#[test]
fn modules_of_two_axes_do_what_the_cpu_path_does() {
    let padding = PaddingConfig2d::Explicit(1, 0, 1, 1);
    let pool = MaxPool2dConfig::new([3, 2]).with_strides([2, 1]).with_padding(padding.clone());
    let unpool = MaxUnpool2dConfig::new([3, 2]).with_strides([2, 1]).with_padding(padding);
    let window = Window::new([3, 2]).with_stride([2, 1]).with_padding([(1, 1), (0, 1)]);
    check::<4>(&(pool.init(), unpool.with_sum(true).init()), window, [2, 3, 9, 7]);
}

#[test]
fn modules_of_three_axes_do_what_the_cpu_path_does() {
    use PaddingConfig3d::{Explicit, Same, Valid};
    let paddings = [
        (Valid, Padding::Valid),
        (Same, Padding::Same),
        (Explicit(1, 0, 1), Padding::from([1, 0, 1])),
    ];
    let (kernel, strides) = ([2, 3, 2], [2, 1, 2]);
    for (burns, ours) in paddings {
        let pool = MaxPool3dConfig::new(kernel).with_strides(strides).with_padding(burns.clone());
        let unpool = MaxUnpool3dConfig::new(kernel).with_strides(strides).with_padding(burns);
        let window = Window::new(kernel).with_stride(strides).with_padding(ours);
        check::<5>(&(pool.init(), unpool.with_sum(true).init()), window, [2, 3, 5, 6, 7]);
    }
}

#[test]
fn the_values_of_one_axis_are_those_of_burns_module() {
    for tested in devices() {
        for padding in
            [PaddingConfig1d::Valid, PaddingConfig1d::Same, PaddingConfig1d::Explicit(1, 0)]
        {
            let ours = MaxPool1dConfig::new(3).with_stride(2).with_padding(padding.clone()).init();
            let burns = BurnsConfig1d::new(3).with_stride(2).with_padding(padding).init();
            let x = input(&tested.device).flatten::<3>(2, 3);
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
fn they_show_their_options() {
    assert_eq!(
        MaxPool1dConfig::new(3).init().to_string(),
        "MaxPool1d {kernel_size: 3, stride: 3, padding: Valid, dilation: 1, ceil_mode: false}"
    );
    assert_eq!(
        MaxUnpool3dConfig::new([2, 2, 2]).init().to_string(),
        "MaxUnpool3d {kernel_size: [2, 2, 2], stride: [2, 2, 2], padding: Valid, sum: false}"
    );
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
