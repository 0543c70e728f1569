//! `Geometry` for JavaScript: a window over a shape, from words and lists of numbers.

use unpool::{IndexSpace, Layout, Padding, Shape, Window};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

/// A [`unpool::Geometry`].
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Geometry {
    pub(crate) inner: unpool::Geometry,
}

#[wasm_bindgen]
impl Geometry {
    /// `layout` is `NHWC` or `NCHW`. `padding` is `valid`, `same`, `same_lower`, or `explicit` with
    /// `pads` before and after on each axis, interleaved. Lists are in the order of the spatial axes.
    ///
    /// # Errors
    ///
    /// If a word is not one of those, or the window and the shape have different numbers of axes.
    #[wasm_bindgen(constructor)]
    #[expect(clippy::too_many_arguments, reason = "JavaScript passes what a case has")]
    pub fn new(
        layout: &str,
        shape: Vec<usize>,
        kernel: Vec<usize>,
        stride: Vec<usize>,
        dilation: Vec<usize>,
        padding: &str,
        pads: &[usize],
        ceil: bool,
    ) -> Result<Self, JsError> {
        let layout: Layout = layout.parse()?;
        let padding = match padding {
            "valid" => Padding::Valid,
            "same" => Padding::Same,
            "same_lower" => Padding::SameLower,
            "explicit" => Padding::Explicit(pads.chunks_exact(2).map(|p| (p[0], p[1])).collect()),
            other => return Err(JsError::new(&format!("padding {other} is unknown"))),
        };
        let window = Window::new(kernel)
            .with_stride(stride)
            .with_dilation(dilation)
            .with_padding(padding)
            .with_ceil_mode(ceil);
        let inner = unpool::Geometry::new(&window, Shape::new(layout, shape))?;
        Ok(Self { inner })
    }

    /// Extents of the pooled values, in the order of the layout.
    #[wasm_bindgen(getter, js_name = pooledShape)]
    pub fn pooled_shape(&self) -> Vec<usize> {
        self.inner.pooled_shape().dims().to_vec()
    }
}

/// The index space of that name, as the files of vectors write it.
pub(crate) fn index_space(name: &str) -> Result<IndexSpace, JsError> {
    Ok(name.parse()?)
}
