//! Pooling and unpooling of every window, type, layout and device.

use burn::tensor::DType;
use half::{bf16, f16};
use unpool_burn::unpool::{Pooled, Shape, Taps as CpuTaps, cpu};
use unpool_burn::{
    Geometry, IndexSpace, Overlap, Padding, Window, try_gather, try_max_pool, try_max_pool_values,
    try_max_unpool,
};

use crate::devices::{Tested, devices};
use crate::tensors::{Lies, bytes, cases_2d, finite, integers, numbers, read, tensor};

/// What the CPU path makes of bytes: values, taps as plane indices, both unpoolings and the gather.
struct Expected {
    values: Vec<u8>,
    indices: Vec<i32>,
    last: Vec<u8>,
    sum: Vec<u8>,
    gathered: Vec<u8>,
}

fn expected(geometry: &Geometry, dtype: DType, input: &[u8], terms: &[u8]) -> Expected {
    macro_rules! with {
        ($t:ty) => {{
            let of = |bytes: &[u8]| bytemuck::pod_collect_to_vec::<u8, $t>(bytes);
            let to = |numbers: &[$t]| bytemuck::cast_slice::<_, u8>(numbers).to_vec();
            let pooled: Pooled<$t> = cpu::max_pool(geometry, &of(input)).expect("it pools");
            let taps: &CpuTaps = &pooled.taps;
            let unpool = |values: &[$t], overlap| {
                to(&cpu::max_unpool(geometry, values, taps, overlap).expect("it unpools"))
            };
            let gathered = cpu::max_unpool_backward(geometry, &of(input), taps);
            Expected {
                values: to(&pooled.values),
                indices: taps.to_indices(geometry, IndexSpace::Plane).expect("they fit"),
                last: unpool(&pooled.values, Overlap::Last),
                sum: unpool(&of(terms), Overlap::Sum),
                gathered: to(&gathered.expect("it gathers")),
            }
        }};
    }
    match dtype {
        DType::F16 => with!(f16),
        DType::BF16 => with!(bf16),
        _ => with!(f32),
    }
}

fn check<const D: usize>(tested: &Tested, geometry: &Geometry, dtype: DType, lies: Lies) {
    let case = format!("{} {dtype:?} {lies:?} {geometry:?}", tested.name);
    let mut dims = [0; D];
    dims.copy_from_slice(geometry.input_shape().dims());
    let mut pooled_dims = [0; D];
    pooled_dims.copy_from_slice(geometry.pooled_shape().dims());
    let input = bytes(&numbers(geometry.input_len(), 7), dtype);
    let terms = bytes(&finite(geometry.pooled_len(), 11), dtype);
    let expected = expected(geometry, dtype, &input, &terms);

    let x = tensor(&input, dims, dtype, lies, &tested.device);
    // A part of a tensor is made dense with its channels first.
    let out = if lies == Lies::ChannelsLast { lies } else { Lies::ChannelsFirst };
    let (values, taps) = try_max_pool(x.clone(), *geometry.window()).expect(&case);
    assert_eq!(values.dims(), pooled_dims, "{case}");
    assert_eq!(read(values.clone(), out), expected.values, "values: {case}");
    assert_eq!(integers(taps.to_indices(IndexSpace::Plane)), expected.indices, "taps: {case}");
    let alone = try_max_pool_values(x.clone(), *geometry.window()).expect(&case);
    assert_eq!(read(alone, out), expected.values, "values alone: {case}");

    let last = try_max_unpool(values, &taps, Overlap::Last).expect(&case);
    assert_eq!(last.dims(), dims, "{case}");
    assert_eq!(read(last, out), expected.last, "last: {case}");
    // Values in another layout than the taps, where Burn has a kernel that copies them.
    let gpu = tested.name.starts_with("wgpu");
    let copies = !gpu || tested.device.supports_dtype(dtype);
    let terms_lie = if copies { Lies::ChannelsFirst } else { out };
    let terms = tensor(&terms, pooled_dims, dtype, terms_lie, &tested.device);
    let sum = try_max_unpool(terms, &taps, Overlap::Sum).expect(&case);
    assert_eq!(read(sum, out), expected.sum, "sum: {case}");
    let gathered = try_gather(x, &taps).expect(&case);
    assert_eq!(read(gathered, out), expected.gathered, "gather: {case}");
}

#[test]
fn two_axes() {
    for tested in devices() {
        for geometry in cases_2d() {
            for &dtype in tested.dtypes {
                for lies in Lies::ALL {
                    if let Some(reason) = skipped(&tested, dtype, lies) {
                        eprintln!("{}: {dtype:?} {lies:?} not run: {reason}", tested.name);
                        continue;
                    }
                    check::<4>(&tested, &geometry, dtype, lies);
                }
            }
        }
    }
}

/// Why Burn itself cannot make such a tensor, or read it.
fn skipped(tested: &Tested, dtype: DType, lies: Lies) -> Option<&'static str> {
    let copies = lies == Lies::Inside || cfg!(feature = "fusion");
    let gpu = tested.name.starts_with("wgpu");
    let runs = tested.device.supports_dtype(dtype);
    (gpu && copies && !runs).then_some("Burn has no kernels for this type on this device")
}

#[test]
fn one_axis() {
    let window = Window::new(3).with_stride(2).with_padding(Padding::Same);
    let geometry = Geometry::new(&window, Shape::ncl([2, 5, 37])).expect("it fits");
    for tested in devices() {
        for lies in [Lies::ChannelsFirst, Lies::ChannelsLast] {
            check::<3>(&tested, &geometry, DType::F32, lies);
        }
    }
}

#[test]
fn three_axes() {
    let window = Window::new([2, 3, 2]).with_stride([2, 1, 2]).with_padding([1, 1, 0]);
    let geometry = Geometry::new(&window, Shape::ncdhw([2, 4, 5, 6, 7])).expect("it fits");
    for tested in devices() {
        for lies in [Lies::ChannelsFirst, Lies::ChannelsLast] {
            check::<5>(&tested, &geometry, DType::F32, lies);
        }
    }
}

/// Many tensors in one step of work, dropped and made anew: the memory of Burn's runtime gives the
/// same ranges to later tensors.
#[test]
fn memory_is_given_to_later_tensors() {
    let geometry = Geometry::new(&Window::new(2), Shape::nchw([2, 4, 32, 32])).expect("it fits");
    let input = bytes(&numbers(geometry.input_len(), 3), DType::F32);
    let terms = bytes(&finite(geometry.pooled_len(), 5), DType::F32);
    let expected = expected(&geometry, DType::F32, &input, &terms);
    for tested in devices() {
        let mut kept = Vec::new();
        for i in 0..50 {
            let x = tensor::<4>(
                &input,
                [2, 4, 32, 32],
                DType::F32,
                Lies::ChannelsFirst,
                &tested.device,
            );
            let noise = x.clone() * 2.0 + i as f32;
            let (values, taps) = try_max_pool(x, 2).expect("it pools");
            drop(noise);
            let restored = try_max_unpool(values, &taps, Overlap::Last).expect("it unpools");
            let other = tensor::<4>(
                &terms,
                [2, 4, 16, 16],
                DType::F32,
                Lies::ChannelsFirst,
                &tested.device,
            );
            let _ = try_max_unpool(other, &taps, Overlap::Sum).expect("it unpools");
            kept.push(restored);
            if i % 3 == 0 {
                kept.pop();
            }
        }
        for restored in kept {
            assert_eq!(read(restored, Lies::ChannelsFirst), expected.last, "{}", tested.name);
        }
    }
}

/// Images out of a batch, which on a GPU are a range of the batch's own memory, and on Flex an offset.
#[test]
fn a_part_of_a_batch() {
    let geometry = Geometry::new(&Window::new(2), Shape::nchw([2, 4, 16, 16])).expect("it fits");
    let (before, len) = (4 * 16 * 16, geometry.input_len());
    let whole = numbers(before + len, 3);
    let terms = bytes(&finite(geometry.pooled_len(), 5), DType::F32);
    let expected = expected(&geometry, DType::F32, &bytes(&whole[before..], DType::F32), &terms);
    for tested in devices() {
        let whole = bytes(&whole, DType::F32);
        let dims = [3, 4, 16, 16];
        let x = tensor::<4>(&whole, dims, DType::F32, Lies::ChannelsFirst, &tested.device);
        let (values, taps) = try_max_pool(x.narrow(0, 1, 2), 2).expect("it pools");
        assert_eq!(integers(taps.to_indices(IndexSpace::Plane)), expected.indices);
        let restored = try_max_unpool(values, &taps, Overlap::Last).expect("it unpools");
        assert_eq!(read(restored, Lies::ChannelsFirst), expected.last, "{}", tested.name);
    }
}

/// Threads have streams of their own in Burn, and a tensor of one is read by another.
#[test]
fn threads() {
    let geometry = Geometry::new(&Window::new(2), Shape::nchw([2, 4, 32, 32])).expect("it fits");
    let input: Vec<f32> = (0..geometry.input_len()).map(|i| (i * 7919 % 997) as f32).collect();
    let input = bytes(&input, DType::F32);
    let expected = expected(&geometry, DType::F32, &input, &bytes(&finite(2048, 5), DType::F32));
    let dims = [2, 4, 32, 32];
    for tested in devices() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let x = tensor::<4>(&input, dims, DType::F32, Lies::ChannelsFirst, &tested.device);
                let x = x * 2.0;
                let (expected, name) = (&expected, tested.name);
                scope.spawn(move || {
                    for _ in 0..10 {
                        let (values, taps) = try_max_pool(x.clone(), 2).expect("it pools");
                        let indices = integers(taps.to_indices(IndexSpace::Plane));
                        assert_eq!(indices, expected.indices, "{name}");
                        let halved = try_max_unpool(values / 2.0, &taps, Overlap::Last);
                        let halved = read(halved.expect("it unpools"), Lies::ChannelsFirst);
                        assert_eq!(halved, expected.last, "{name}");
                    }
                });
            }
        });
    }
}
