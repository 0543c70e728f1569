//! Gradients of every operation, against unpool's CPU path and finite differences.
//!
//! `backward` of a tensor starts with ones, which is the gradient of its sum: no kernel of Burn's reduces, one of
//! which Debian's lavapipe does not survive as SPIR-V.

use burn::tensor::{DType, Tensor};
use unpool_burn::unpool::cpu;
use unpool_burn::{
    Geometry, Overlap, max_pool2d, max_pool2d_values, max_unpool2d, try_gather, try_max_pool,
    try_max_unpool,
};

use crate::devices::devices;
use crate::tensors::{Lies, bytes, cases_2d, finite, read, tensor};

fn dims(geometry: &Geometry) -> ([usize; 4], [usize; 4]) {
    let of = |dims: &[usize]| <[usize; 4]>::try_from(dims).expect("two axes");
    (of(geometry.input_shape().dims()), of(geometry.pooled_shape().dims()))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytemuck::pod_collect_to_vec(bytes)
}

/// A tensor of numbers on a device with gradients, in each layout.
fn tracked(
    numbers: &[f32],
    dims: [usize; 4],
    lies: Lies,
    device: &burn::tensor::Device,
) -> Tensor<4> {
    let device = device.clone().autodiff();
    tensor(&bytes(numbers, DType::F32), dims, DType::F32, lies, &device)
}

#[test]
fn first_derivatives() {
    for tested in devices() {
        for geometry in cases_2d() {
            for lies in [Lies::ChannelsFirst, Lies::ChannelsLast] {
                let case = format!("{} {lies:?} {geometry:?}", tested.name);
                let (input_dims, pooled_dims) = dims(&geometry);
                if geometry.pooled_len() == 0 {
                    continue; // the mean of nothing
                }
                let input = finite(geometry.input_len(), 7);
                let weights = finite(geometry.pooled_len(), 3);
                let wide = finite(geometry.input_len(), 5);
                let pooled = cpu::max_pool(&geometry, &input).expect("it pools");
                let to_input = cpu::max_pool_backward(&geometry, &weights, &pooled.taps);
                let to_input = to_input.expect("floats fit");
                let to_values = cpu::max_unpool_backward(&geometry, &wide, &pooled.taps);
                let to_values = to_values.expect("it gathers");

                let x = tracked(&input, input_dims, lies, &tested.device).require_grad();
                let w = tracked(&weights, pooled_dims, lies, &tested.device);
                let wide = tracked(&wide, input_dims, lies, &tested.device);
                let window = *geometry.window();

                let (values, taps) = max_pool2d(x.clone(), window);
                let grads = (values * w.clone()).backward();
                let found = floats(&read(x.grad(&grads).expect("a gradient"), lies));
                assert_eq!(found, to_input, "max_pool: {case}");

                let values = max_pool2d_values(x.clone(), window);
                let grads = (values * w.clone()).backward();
                let found = floats(&read(x.grad(&grads).expect("a gradient"), lies));
                assert_eq!(found, to_input, "max_pool_values: {case}");

                for overlap in Overlap::ALL {
                    let v = w.clone().require_grad();
                    let grads = max_unpool2d(v.clone(), &taps, overlap) * wide.clone();
                    let grads = grads.backward();
                    let found = floats(&read(v.grad(&grads).expect("a gradient"), lies));
                    assert_eq!(found, to_values, "max_unpool {overlap}: {case}");
                }

                let u = wide.clone().require_grad();
                let grads = (try_gather(u.clone(), &taps).expect("it gathers") * w).backward();
                let found = floats(&read(u.grad(&grads).expect("a gradient"), lies));
                assert_eq!(found, to_input, "gather: {case}");
            }
        }
    }
}

/// What a SegNet does: pool, a step of its own, unpool with the same taps. Against finite differences,
/// which reach both ways of the taps.
#[test]
fn finite_differences() {
    let dims = [1, 2, 6, 6];
    let input: Vec<f32> = (0..72).map(|i| (i * 29 % 72) as f32 / 8.0).collect();
    let weights: Vec<f32> = (0..72).map(|i| (i * 13 % 72) as f32 / 64.0).collect();
    for tested in devices() {
        let loss = |x: Tensor<4>, w: Tensor<4>| {
            let (values, taps) = try_max_pool(x, 2).expect("it pools");
            let squared = values.clone() * values;
            let output = try_max_unpool(squared, &taps, Overlap::Sum).expect("it unpools");
            output * w
        };
        let w = tracked(&weights, dims, Lies::ChannelsFirst, &tested.device);
        let x = tracked(&input, dims, Lies::ChannelsFirst, &tested.device).require_grad();
        let grads = loss(x.clone(), w.clone()).backward();
        let found = floats(&read(x.grad(&grads).expect("a gradient"), Lies::ChannelsFirst));
        for i in 0..input.len() {
            let at = |step: f32| {
                let mut moved = input.clone();
                moved[i] += step;
                let x = tracked(&moved, dims, Lies::ChannelsFirst, &tested.device);
                floats(&read(loss(x, w.clone()), Lies::ChannelsFirst)).iter().sum::<f32>()
            };
            let step = 1.0 / 64.0;
            let slope = (at(step) - at(-step)) / (2.0 * step);
            assert!(
                (slope - found[i]).abs() < 1e-2,
                "{} at {i}: {slope}, {}",
                tested.name,
                found[i]
            );
        }
    }
}

/// With gradient checkpointing Burn computes again what is declared memory-bound. Pooling and unpooling are
/// compute-bound: their results are kept, and gradients are the same.
#[test]
fn checkpointing() {
    let dims = [1, 2, 7, 5];
    let input: Vec<f32> = (0..70).map(|i| (i * 29 % 72) as f32 / 8.0).collect();
    for tested in devices() {
        let gradient = |device: &burn::tensor::Device| {
            let x =
                tensor(&bytes(&input, DType::F32), dims, DType::F32, Lies::ChannelsFirst, device);
            let x: Tensor<4> = x.require_grad();
            let (values, taps) = try_max_pool(x.clone() * 2.0 + 1.0, 2).expect("it pools");
            let output = try_max_unpool(values.exp() + 1.0, &taps, Overlap::Sum);
            let output = output.expect("it unpools");
            let grads = (output.clone() * output).backward();
            read(x.grad(&grads).expect("a gradient"), Lies::ChannelsFirst)
        };
        let device = tested.device.clone().autodiff();
        let kept = gradient(&device);
        assert_eq!(gradient(&device.gradient_checkpointing()), kept, "{}", tested.name);
    }
}

/// Second derivatives. Burn's tensors carry one level of gradients; its backends nest.
///
/// With f(x) the sum of (S x)³, the gradient is 3 Sᵀ (S x)², and that of its product with w is
/// 6 Sᵀ ((S x) (S w)).
#[cfg(feature = "flex")]
#[test]
fn second_derivatives() {
    use burn::backend::ops::FloatTensorOps;
    use burn::backend::{Autodiff, AutodiffBackend, Flex};
    use burn::tensor::{Bytes, TensorData};
    use unpool_burn::MaxPoolBackend;

    type First = Autodiff<Flex>;
    type Second = Autodiff<First>;

    for geometry in cases_2d() {
        if geometry.pooled_len() == 0 || geometry.windows_overlap() {
            continue; // where sums are rounded the products are in another order
        }
        let data = |numbers: &[f32]| {
            let dims = geometry.input_shape().dims();
            TensorData::from_bytes(Bytes::from_elems(numbers.to_vec()), dims.to_vec(), DType::F32)
        };
        let input: Vec<f32> = (0..geometry.input_len()).map(|i| (i * 29 % 83) as f32).collect();
        let weights: Vec<f32> = (0..geometry.input_len()).map(|i| (i * 31 % 17) as f32).collect();

        let x = First::float_from_data(data(&input), &Default::default());
        let x = x.require_grad();
        let lifted = Second::from_inner(x.clone());
        let lifted = lifted.require_grad();
        let (values, _) = Second::max_pool(lifted.clone(), geometry);
        let cubed = Second::float_mul(Second::float_mul(values.clone(), values.clone()), values);
        let grads = Second::backward(Second::float_sum(cubed));
        let first = Second::grad(&lifted, &grads).expect("a gradient");

        let w = First::float_from_data(data(&weights), &Default::default());
        let grads = First::backward(First::float_sum(First::float_mul(first, w)));
        let second = First::grad(&x, &grads).expect("a second derivative");
        let second = pollster::block_on(Flex::float_into_data(second)).expect("it is there");

        let pooled = cpu::max_pool(&geometry, &input).expect("it pools");
        let gathered = cpu::max_unpool_backward(&geometry, &weights, &pooled.taps);
        let products = pooled.values.iter().zip(gathered.expect("it gathers"));
        let products: Vec<f32> = products.map(|(v, w)| 6.0 * v * w).collect();
        let expected = cpu::max_pool_backward(&geometry, &products, &pooled.taps);
        assert_eq!(floats(second.as_bytes()), expected.expect("floats fit"), "{geometry:?}");
    }
}
