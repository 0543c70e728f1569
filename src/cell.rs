//! [`Cell`]: the Rust types that the elements of tensors can have.

mod arithmetic;
mod loops;

use std::fmt;

use half::{bf16, f16};

use crate::element::Element;

pub(crate) use arithmetic::Arithmetic;
pub(crate) use loops::Loops;

/// A Rust type that a tensor's elements can have: `f32`, [`half::f16`], [`half::bf16`], `i32`,
/// `u32`, `i8` or `u8`.
///
/// The trait is sealed: it cannot be implemented outside this crate.
pub trait Cell:
    Arithmetic + Loops + bytemuck::Pod + PartialEq + Default + fmt::Debug + Send + Sync + 'static
{
    /// The element type that this Rust type is.
    const ELEMENT: Element;
}

macro_rules! cell {
    ($($type:ty: $element:ident),+) => {$(
        impl Cell for $type {
            const ELEMENT: Element = Element::$element;
        }
    )+};
}

cell!(f32: F32, f16: F16, bf16: BF16, i32: I32, u32: U32, i8: I8, u8: U8);
