//! The cases of PyTorch, TensorFlow and ONNX Runtime, through Burn tensors and their gradients.

use burn::tensor::{Device, Int, Tensor, TensorData};
use unpool_burn::unpool::Layout;
use unpool_burn::{Taps, try_max_pool, try_max_unpool};
use unpool_vectors::Case;

use crate::devices::devices;

/// A tensor of numbers in the case's order, with the channels second by its dimensions.
fn tensor<const D: usize>(
    case: &Case,
    numbers: &[f32],
    dims: &[usize],
    device: &Device,
) -> Tensor<D> {
    let data = TensorData::new(numbers.to_vec(), dims.to_vec());
    let tensor = Tensor::<D>::from_data(data, device);
    if case.layout == Layout::ChannelsFirst { tensor } else { tensor.permute(channels_second()) }
}

fn channels_second<const D: usize>() -> [isize; D] {
    let mut axes = std::array::from_fn(|d| d as isize);
    axes[1..].rotate_right(1);
    axes
}

fn channels_last<const D: usize>() -> [isize; D] {
    let mut axes = std::array::from_fn(|d| d as isize);
    axes[1..].rotate_left(1);
    axes
}

/// The numbers of a tensor in the case's order.
fn numbers<const D: usize>(case: &Case, tensor: Tensor<D>) -> Vec<f32> {
    let tensor =
        if case.layout == Layout::ChannelsFirst { tensor } else { tensor.permute(channels_last()) };
    tensor.into_data().try_to_vec().expect("it has elements of f32")
}

fn same(found: &[f32], expected: &[f32]) -> bool {
    let pairs = found.iter().zip(expected);
    found.len() == expected.len()
        && pairs.clone().all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
}

fn check<const D: usize>(case: &Case, name: &str, device: &Device) {
    let what = format!("{} on {name}", case.name);
    let geometry = case.geometry().expect("it is one");
    let x: Tensor<D> = tensor(case, &case.input, &case.input_shape, device);
    let (values, taps) = try_max_pool(x, *geometry.window()).expect(&what);
    assert!(same(&numbers(case, values), &case.values), "values: {what}");

    let indices = taps.to_indices(case.index_space);
    let ordered = match case.layout {
        Layout::ChannelsFirst => indices.clone(),
        _ => indices.clone().permute(channels_last()),
    };
    let found: Vec<i64> = ordered.into_data().convert::<i64>().try_to_vec().expect("they are i64");
    assert_eq!(found, case.indices, "indices: {what}");

    // Theirs, as a framework would hand them over.
    let theirs = TensorData::new(case.indices.clone(), case.pooled_shape.clone());
    let theirs = Tensor::<D, Int>::from_data(theirs, device);
    let theirs = match case.layout {
        Layout::ChannelsFirst => theirs,
        _ => theirs.permute(channels_second()),
    };
    let taps = Taps::from_indices_of(theirs, &geometry, case.index_space).expect(&what);
    if let Some(unpool) = &case.unpool {
        let updates = tensor(case, &unpool.updates, &case.pooled_shape, device);
        let output = try_max_unpool(updates, &taps, unpool.rule.into()).expect(&what);
        assert!(same(&numbers(case, output), &unpool.output), "unpool: {what}");
    }
}

#[cfg(feature = "autodiff")]
fn check_gradients<const D: usize>(case: &Case, name: &str, device: &Device) {
    use unpool_burn::Overlap;

    let what = format!("{} on {name}", case.name);
    let geometry = case.geometry().expect("it is one");
    let device = device.clone().autodiff();
    let x: Tensor<D> = tensor(case, &case.input, &case.input_shape, &device);
    let x = x.require_grad();
    let (values, taps) = try_max_pool(x.clone(), *geometry.window()).expect(&what);
    // The product with a constant hands the gradient over as it is, unless a number is not finite.
    let finite = |numbers: &[f32]| numbers.iter().all(|x| x.is_finite());
    if let Some(grad) = &case.pool_grad
        && finite(&case.values)
    {
        let weights = tensor(case, &grad.grad_output, &case.pooled_shape, &device);
        let grads = (values * weights).backward();
        let found = numbers(case, x.grad(&grads).expect("a gradient"));
        assert!(same(&found, &grad.grad_input), "gradient of pooling: {what}");
    }
    if let Some(grad) = &case.unpool_grad {
        let ones = vec![1.0; geometry.pooled_len()];
        let v: Tensor<D> = tensor(case, &ones, &case.pooled_shape, &device);
        let v = v.require_grad();
        let weights = tensor(case, &grad.grad_output, &case.input_shape, &device);
        let output = try_max_unpool(v.clone(), &taps, Overlap::Sum).expect(&what);
        let grads = (output * weights).backward();
        let found = numbers(case, v.grad(&grads).expect("a gradient"));
        assert!(same(&found, &grad.grad_updates), "gradient of unpooling: {what}");
    }
}

#[test]
fn every_case() {
    for tested in devices() {
        let cases = unpool_vectors::builtin();
        assert_eq!(cases.len(), 350);
        for case in &cases {
            let (name, device) = (tested.name, &tested.device);
            match case.input_shape.len() {
                3 => check::<3>(case, name, device),
                4 => check::<4>(case, name, device),
                _ => check::<5>(case, name, device),
            }
        }
    }
}

#[cfg(feature = "autodiff")]
#[test]
fn every_gradient() {
    for tested in devices() {
        for case in &unpool_vectors::builtin() {
            let (name, device) = (tested.name, &tested.device);
            match case.input_shape.len() {
                3 => check_gradients::<3>(case, name, device),
                4 => check_gradients::<4>(case, name, device),
                _ => check_gradients::<5>(case, name, device),
            }
        }
    }
}
