//! The measured cases: one table for `cargo bench` and `unpool bench`.

use unpool::{Element, Geometry, GeometryError, Padding, Shape, Window};

/// A geometry and an element type, with the name that results are listed under.
#[derive(Clone, Debug)]
pub struct Case {
    /// Such as `nhwc_2x2`.
    pub name: &'static str,
    /// Window and input.
    pub geometry: Geometry,
    /// f32, f16, bf16 or u8.
    pub element: Element,
}

impl Case {
    /// Bytes of the tensor that is pooled.
    pub fn input_bytes(&self) -> u64 {
        (self.geometry.input_len() * self.element.bytes()) as u64
    }

    /// Bytes that an operation must move: the large tensor, the values and the taps, each once. The gradient of
    /// unpooling gathers elements that lie in nearly every line of the large tensor, and memory moves lines.
    pub fn bytes(&self) -> u64 {
        let values = (self.geometry.pooled_len() * self.element.bytes()) as u64;
        self.input_bytes() + values + self.geometry.taps_bytes()
    }
}

/// How large the tensors of the cases are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A few to some 25 MB: caches hold some of them.
    Small,
    /// 100 MB and more: no cache holds them.
    Large,
}

/// Every case.
///
/// # Errors
///
/// Never: the table is fixed.
pub fn cases(size: Size) -> Result<Vec<Case>, GeometryError> {
    let pick = |small, large| if size == Size::Small { small } else { large };
    let batch = pick(8, 64);
    let (nhwc, nchw) = (Shape::nhwc([batch, 112, 112, 64]), Shape::nchw([batch, 64, 112, 112]));
    let half = pick(4, 32);
    let (same_nhwc, same_nchw) =
        (Shape::nhwc([half, 112, 112, 64]), Shape::nchw([half, 64, 112, 112]));
    let (odd_nhwc, odd_nchw) =
        (Shape::nhwc([half, 113, 111, 67]), Shape::nchw([half, 64, 113, 111]));
    let side = pick(512, 4096);
    let two = Window::new(2);
    let stem = Window::new(3).with_stride(2).with_padding(1);
    let same = Window::new(3).with_stride(1).with_padding(1);
    let odd = Window::new(2).with_padding(Padding::Same);
    use Element::{BF16, F16, F32, U8};
    [
        ("nhwc_2x2", two, nhwc, F32),
        ("nchw_2x2", two, nchw, F32),
        ("nhwc_3x3s2", stem, nhwc, F32),
        ("nchw_3x3s2", stem, nchw, F32),
        ("nhwc_3x3s1", same, same_nhwc, F32),
        ("nchw_3x3s1", same, same_nchw, F32),
        ("nhwc_odd", odd, odd_nhwc, F32),
        ("nchw_odd", odd, odd_nchw, F32),
        ("nhwc_c3", two, Shape::nhwc([1, side, side, 3]), F32),
        ("nchw_one", two, Shape::nchw([1, 1, 2 * side, side]), F32),
        ("nchw_3d", two, Shape::ncdhw([pick(2, 16), 32, 16, 56, 56]), F32),
        ("ncl_1d", Window::new(4), Shape::ncl([pick(16, 64), 64, 16384]), F32),
        ("nhwc_2x2_f16", two, nhwc, F16),
        ("nchw_2x2_f16", two, nchw, F16),
        ("nhwc_3x3s2_f16", stem, nhwc, F16),
        ("nchw_3x3s2_f16", stem, nchw, F16),
        ("nhwc_2x2_bf16", two, nhwc, BF16),
        ("nchw_2x2_bf16", two, nchw, BF16),
        ("nhwc_2x2_u8", two, Shape::nhwc([2 * batch, 112, 112, 64]), U8),
        ("nchw_2x2_u8", two, Shape::nchw([2 * batch, 64, 112, 112]), U8),
        ("nhwc_3x3s2_u8", stem, Shape::nhwc([2 * batch, 112, 112, 64]), U8),
        ("nchw_3x3s2_u8", stem, Shape::nchw([2 * batch, 64, 112, 112]), U8),
        ("tiny", two, Shape::nhwc([1, 8, 8, 4]), F32),
    ]
    .into_iter()
    .map(|(name, window, shape, element)| {
        Ok(Case { name, geometry: Geometry::new(&window, shape)?, element })
    })
    .collect()
}

/// 2×2 pooling of tensors from 4 KiB to over 1 GiB, to show how time grows with bytes.
///
/// # Errors
///
/// Never: the table is fixed.
pub fn growth() -> Result<Vec<Case>, GeometryError> {
    let sides = (2..=11).map(|power| (1 << power, 1 << power));
    sides
        .chain([(2048, 2304)])
        .map(|(height, width)| {
            let shape = Shape::channels_last([1, height, width, 64]);
            let geometry = Geometry::new(&Window::new([2, 2]), shape)?;
            Ok(Case { name: "growth", geometry, element: Element::F32 })
        })
        .collect()
}
