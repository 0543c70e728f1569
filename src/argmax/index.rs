//! [`Index`]: the integer types of indices.

/// An integer type of indices: `i64`, `i32` or `u32`.
///
/// The trait is sealed: it cannot be implemented outside this crate.
pub trait Index: integer::Integer {
    /// The value that stands for "no cell": −1, or the largest value of an unsigned type.
    const NONE: Self;
}

/// Conversions, in a private module so that they are no part of the public interface.
pub(super) mod integer {
    /// An integer type that holds indices.
    pub trait Integer: Copy {
        /// The largest index that the type holds.
        const LARGEST: u64;
        /// The type's name.
        const NAME: &'static str;
        /// The index as this type, which holds it.
        fn of(index: u64) -> Self;
        /// The value of this type as an `i64`.
        fn wide(self) -> i64;
    }
}

macro_rules! index {
    ($type:ty, $none:expr, $largest:expr) => {
        impl Index for $type {
            const NONE: Self = $none;
        }

        impl integer::Integer for $type {
            const LARGEST: u64 = $largest;
            const NAME: &'static str = stringify!($type);
            fn of(index: u64) -> Self {
                index as Self
            }
            fn wide(self) -> i64 {
                i64::from(self)
            }
        }
    };
}

index!(i64, -1, i64::MAX as u64);
index!(i32, -1, i32::MAX as u64);
index!(u32, u32::MAX, u32::MAX as u64 - 1);
