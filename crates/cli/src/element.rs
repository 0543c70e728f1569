//! From the type a file holds to the type the library is called with.

/// Evaluates `$run`, a `Result`, with `$cell` naming the Rust type of the array's elements.
/// An array of another type is refused under the name of its file.
macro_rules! for_element {
    ($array:expr, $file:expr, $cell:ident => $run:expr) => {{
        use unpool::Element;
        use $crate::npy::Number;
        match $array.number {
            Number::Element(Element::F32) => {
                type $cell = f32;
                $run
            }
            Number::Element(Element::F16) => {
                type $cell = half::f16;
                $run
            }
            Number::Element(Element::BF16) => {
                type $cell = half::bf16;
                $run
            }
            Number::Element(Element::I32) => {
                type $cell = i32;
                $run
            }
            Number::Element(Element::U32) => {
                type $cell = u32;
                $run
            }
            Number::Element(Element::I8) => {
                type $cell = i8;
                $run
            }
            Number::Element(Element::U8) => {
                type $cell = u8;
                $run
            }
            other => Err(anyhow::anyhow!("{}: holds {}", $file, other.name())),
        }
    }};
}
pub(crate) use for_element;
