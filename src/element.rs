//! [`Element`] and [`Cell`]: the types of the elements of tensors.

mod arithmetic;

use std::fmt;

use half::{bf16, f16};

use crate::name::named;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum Element {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// bfloat16: the upper half of a binary32.
    BF16,
    /// Signed 32-bit integer.
    I32,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 8-bit integer.
    I8,
    /// Unsigned 8-bit integer.
    U8,
}

impl Element {
    /// Every element type.
    pub const ALL: [Self; 7] =
        [Self::F32, Self::F16, Self::BF16, Self::I32, Self::U32, Self::I8, Self::U8];

    /// Bytes of one element: 4, 2 or 1.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::I8 | Self::U8 => 1,
        }
    }

    /// The type's short name, such as `f32` or `bf16`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::I8 => "i8",
            Self::U8 => "u8",
        }
    }
}

named!(Element, "element type");

/// A Rust type that a tensor's elements can have: `f32`, [`half::f16`], [`half::bf16`], `i32`,
/// `u32`, `i8` or `u8`.
///
/// The trait is sealed: it cannot be implemented outside this crate.
pub trait Cell:
    arithmetic::Arithmetic + bytemuck::Pod + PartialEq + Default + fmt::Debug + Send + Sync + 'static
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
