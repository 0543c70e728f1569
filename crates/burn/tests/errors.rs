//! What is refused, and what the message says.

use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{DType, Int, Tensor};
use unpool_burn::{
    Error, IndexSpace, Overlap, PoolOptions, Taps, Window, max_pool2d, try_max_pool, try_max_unpool,
};

use crate::devices::devices;

fn device() -> burn::tensor::Device {
    devices().remove(0).device
}

#[test]
fn a_window_that_does_not_fit() {
    let x = Tensor::<4>::zeros([1, 1, 2, 5], &device());
    let error = try_max_pool(x, 3).expect_err("the window is larger than the input");
    assert!(error.to_string().contains("axis 0"), "{error}");
}

#[test]
fn other_types_of_elements() {
    let x = Tensor::<4>::zeros([1, 1, 4, 4], (&device(), DType::F64));
    let error = try_max_pool(x, 2).expect_err("f64 is not pooled").to_string();
    assert_eq!(error, "input has elements of F64; f32, f16 and bf16 are allowed");
}

#[test]
fn values_of_another_shape() {
    let (_, taps) = max_pool2d(Tensor::<4>::zeros([1, 2, 4, 6], &device()), 2);
    let values = Tensor::<4>::zeros([1, 2, 3, 2], &device());
    let error = try_max_unpool(values, &taps, Overlap::Last).expect_err("another shape");
    let message = "values has shape [1, 2, 3, 2]; the taps take [1, 2, 2, 3]";
    assert_eq!(error.to_string(), message);
}

#[test]
fn an_index_outside_its_window() {
    let indices = Tensor::<4, Int>::from_data([[[[0, 4]]]], &device());
    let error = Taps::from_indices(indices, 2, [1, 1, 2, 4], IndexSpace::Plane);
    let error = error.expect_err("cell 4 is in the other window").to_string();
    assert!(error.contains("index 4 at element 1"), "{error}");
}

#[test]
fn a_tensor_of_too_few_axes() {
    let x = Tensor::<2>::zeros([4, 4], &device());
    assert_eq!(
        try_max_pool(x, 2).expect_err("no batch"),
        Error::Rank { operand: "input", found: 2 }
    );
}

#[test]
#[should_panic(expected = "axis 0")]
fn functions_that_read_like_burns_panic_like_burns() {
    let _ = max_pool2d(Tensor::<4>::zeros([1, 1, 2, 5], &device()), 3);
}

#[test]
fn options_of_burn_describe_the_same_window() {
    let options = MaxPoolOptions::new([3, 2])
        .with_stride([2, 1])
        .with_padding_pairs([(1, 0), (0, 1)])
        .with_dilation([1, 2])
        .with_ceil_mode(true);
    let window = Window::new([3, 2])
        .with_stride([2, 1])
        .with_padding([(1, 0), (0, 1)])
        .with_dilation([1, 2])
        .with_ceil_mode(true);
    assert_eq!(options.window(), window);
}

#[test]
fn taps_are_bytes_of_the_pooled_shape_and_come_back_from_indices() {
    for tested in devices() {
        let x: Vec<f32> = (0..60).map(|i| (i * 37 % 60) as f32).collect();
        let x = Tensor::<1>::from_floats(&x[..], &tested.device).reshape([1, 2, 5, 6]);
        let (values, taps) = max_pool2d(x, Window::new(2).with_ceil_mode(true));
        assert_eq!(taps.clone().into_tensor().dtype(), DType::U8);
        assert_eq!((taps.dims(), taps.input_dims()), ([1, 2, 3, 3], [1, 2, 5, 6]));
        let indices = taps.to_indices(IndexSpace::Plane);
        let window = *taps.geometry().window();
        let again = Taps::from_indices(indices, window, [1, 2, 5, 6], IndexSpace::Plane);
        let again = again.expect("they are its own");
        let restored = |taps: &Taps<4>| {
            let restored = try_max_unpool(values.clone(), taps, Overlap::Last);
            restored.expect("it unpools").into_data()
        };
        assert_eq!(restored(&again), restored(&taps), "{}", tested.name);
        let tensor = Taps::from_tensor(taps.clone().into_tensor(), taps.geometry());
        assert_eq!(restored(&tensor.expect("its own")), restored(&taps), "{}", tested.name);
    }
}
