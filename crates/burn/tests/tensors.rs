//! Numbers, tensors of them in any layout, and their bits.

use burn::tensor::{Bytes, DType, Device, Int, Tensor, TensorData};
use half::{bf16, f16};
use unpool_burn::{Geometry, Window};

/// Numbers without a pattern, with ties, and each kind of special one.
pub(crate) fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let special = [
        f32::NAN,
        f32::from_bits(0xffc1_2345),
        f32::INFINITY,
        f32::NEG_INFINITY,
        -0.0,
        0.0,
        f32::from_bits(1),
    ];
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            match state % 61 {
                i @ 0..7 => special[i as usize],
                _ => (state >> 8) as i32 as f32 % 97.0 / 8.0 - 6.0,
            }
        })
        .collect()
}

/// Numbers that are finite, for sums.
pub(crate) fn finite(count: usize, seed: u32) -> Vec<f32> {
    let numbers = numbers(count, seed);
    numbers.into_iter().map(|x| if x.is_finite() { x } else { 2.5 }).collect()
}

/// The bytes of numbers as a type of elements.
pub(crate) fn bytes(numbers: &[f32], dtype: DType) -> Vec<u8> {
    match dtype {
        DType::F16 => numbers.iter().flat_map(|&x| f16::from_f32(x).to_ne_bytes()).collect(),
        DType::BF16 => numbers.iter().flat_map(|&x| bf16::from_f32(x).to_ne_bytes()).collect(),
        _ => numbers.iter().flat_map(|x| x.to_ne_bytes()).collect(),
    }
}

/// How a tensor lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lies {
    ChannelsFirst,
    ChannelsLast,
    /// A part of a larger tensor.
    Inside,
}

impl Lies {
    pub(crate) const ALL: [Self; 3] = [Self::ChannelsFirst, Self::ChannelsLast, Self::Inside];
}

/// A tensor of bytes that are given with channels first.
pub(crate) fn tensor<const D: usize>(
    bytes: &[u8],
    dims: [usize; D],
    dtype: DType,
    lies: Lies,
    device: &Device,
) -> Tensor<D> {
    let size = dtype.size();
    match lies {
        Lies::ChannelsFirst => upload(bytes.to_vec(), dims, dtype, device),
        Lies::ChannelsLast => {
            let (batch, channels) = (dims[0], dims[1]);
            let plane: usize = dims[2..].iter().product();
            let mut last = Vec::with_capacity(bytes.len());
            for n in 0..batch {
                for i in 0..plane {
                    for c in 0..channels {
                        let at = ((n * channels + c) * plane + i) * size;
                        last.extend_from_slice(&bytes[at..at + size]);
                    }
                }
            }
            let mut last_dims = dims;
            last_dims[1..].rotate_left(1);
            let mut axes: [isize; D] = std::array::from_fn(|d| d as isize);
            axes[1..].rotate_right(1);
            upload(last, last_dims, dtype, device).permute(axes)
        }
        Lies::Inside => {
            // One more column, which is cut off.
            let row = dims[D - 1] * size;
            let wide: Vec<u8> = bytes
                .chunks(row)
                .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0x7f, size)))
                .collect();
            let mut wide_dims = dims;
            wide_dims[D - 1] += 1;
            let wide = upload(wide, wide_dims, dtype, device);
            wide.narrow(D - 1, 0, dims[D - 1])
        }
    }
}

fn upload<const D: usize>(
    bytes: Vec<u8>,
    dims: [usize; D],
    dtype: DType,
    device: &Device,
) -> Tensor<D> {
    let data = TensorData::from_bytes(Bytes::from_bytes_vec(bytes), dims, dtype);
    Tensor::from_data(data, (device, dtype))
}

/// The bytes of a tensor, channels first. One that lies with its channels last is read so, and turned
/// here: no kernel of Burn's touches a bit.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>, lies: Lies) -> Vec<u8> {
    let (dims, size) = (tensor.dims(), tensor.dtype().size());
    if lies != Lies::ChannelsLast {
        return tensor.into_data().as_bytes().to_vec();
    }
    let mut axes: [isize; D] = std::array::from_fn(|d| d as isize);
    axes[1..].rotate_left(1);
    let data = tensor.permute(axes).into_data();
    let last = data.as_bytes();
    let plane: usize = dims[2..].iter().product();
    let mut first = Vec::with_capacity(last.len());
    for n in 0..dims[0] {
        for c in 0..dims[1] {
            for i in 0..plane {
                let at = ((n * plane + i) * dims[1] + c) * size;
                first.extend_from_slice(&last[at..at + size]);
            }
        }
    }
    first
}

/// The integers of a tensor.
pub(crate) fn integers<const D: usize>(tensor: Tensor<D, Int>) -> Vec<i32> {
    tensor.into_data().try_to_vec::<i32>().expect("they are 32-bit integers")
}

/// Windows with every option, and shapes for them.
pub(crate) fn cases_2d() -> Vec<Geometry> {
    use unpool_burn::Padding::{Same, SameLower};
    use unpool_burn::unpool::Shape;
    let new = |window: Window, dims: [usize; 4]| {
        Geometry::new(&window, Shape::nchw(dims)).expect("the window fits")
    };
    vec![
        new(Window::new(2), [2, 4, 8, 12]),
        new(Window::new(2), [1, 3, 7, 5]),
        new(Window::new(3).with_stride(2).with_padding(1), [2, 8, 11, 9]),
        new(Window::new(3).with_stride(1).with_padding(Same), [1, 4, 6, 7]),
        new(Window::new(2).with_stride(2).with_padding(SameLower), [1, 2, 7, 7]),
        new(Window::new([3, 2]).with_stride([2, 1]).with_dilation([2, 3]), [2, 3, 9, 8]),
        new(Window::new(3).with_stride(2).with_padding([(0, 1), (1, 2)]), [1, 5, 8, 8]),
        new(Window::new(3).with_stride(2).with_ceil_mode(true), [1, 2, 8, 10]),
        new(Window::new(17).with_stride(9), [1, 2, 27, 35]),
        new(Window::new(2), [0, 3, 4, 4]),
    ]
}
