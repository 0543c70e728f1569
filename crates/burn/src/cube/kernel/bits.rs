//! Elements as bits in 32-bit words: their order, and sums of them.

use cubecl::prelude::*;

/// A type of elements, for a kernel: 0 is f32, 1 is f16, 2 is bf16.
pub(super) const F32: u32 = 0;
pub(super) const F16: u32 = 1;

/// The bits of an element: a word, or half of one.
#[cube]
pub(super) fn load(words: &[u32], at: u32, #[comptime] element: u32) -> u32 {
    if comptime!(element == F32) {
        words[at as usize]
    } else {
        (words[(at / 2) as usize] >> (16 * (at % 2))) & 0xffffu32
    }
}

/// A number that orders elements as floats are ordered: −0 as +0, NaN above all.
#[cube]
pub(super) fn order(bits: u32, #[comptime] element: u32) -> u32 {
    let mut high = bits;
    if comptime!(element != F32) {
        high = bits << 16u32;
    }
    let magnitude = high & 0x7fff_ffffu32;
    let mut key = 0x8000_0000u32;
    if magnitude > comptime!(if element == F16 { 0x7c00_0000u32 } else { 0x7f80_0000u32 }) {
        key = 0xffff_ffffu32;
    } else if high >> 31u32 == 1u32 {
        key = 0x8000_0000u32 - magnitude;
    } else {
        key += magnitude;
    }
    key
}

/// The order of NaN.
#[cube]
pub(super) fn is_nan(key: u32) -> bool {
    key == 0xffff_ffffu32
}

/// An element as an f32, exactly.
#[cube]
pub(super) fn widen(bits: u32, #[comptime] element: u32) -> f32 {
    if comptime!(element == F32) {
        f32::reinterpret(bits)
    } else if comptime!(element == F16) {
        let sign = (bits & 0x8000u32) << 16u32;
        let magnitude = bits & 0x7fffu32;
        let mut wide = 0u32;
        if magnitude >= 0x7c00u32 {
            wide = 0x7f80_0000u32 | ((magnitude & 0x03ffu32) << 13u32);
        } else if magnitude >= 0x0400u32 {
            wide = (magnitude << 13u32) + 0x3800_0000u32;
        } else if magnitude > 0u32 {
            // A multiple of 2⁻²⁴.
            let value = f32::cast_from(magnitude) * f32::reinterpret(0x3380_0000u32);
            wide = u32::reinterpret(value);
        }
        f32::reinterpret(sign | wide)
    } else {
        f32::reinterpret(bits << 16u32)
    }
}

/// An f32 rounded to nearest even.
#[cube]
pub(super) fn round_to_element(value: f32, #[comptime] element: u32) -> u32 {
    let bits = u32::reinterpret(value);
    if comptime!(element == F32) {
        bits
    } else if comptime!(element == F16) {
        let sign = (bits >> 16u32) & 0x8000u32;
        let magnitude = bits & 0x7fff_ffffu32;
        let mut half = 0x7c00u32;
        if magnitude > 0x7f80_0000u32 {
            half = 0x7e00u32 | ((magnitude >> 13u32) & 0x03ffu32);
        } else if magnitude < 0x3880_0000u32 {
            // A multiple of 2⁻²⁴ below 2⁻¹⁴, or nothing.
            let exponent = magnitude >> 23u32;
            half = 0u32;
            if exponent >= 102u32 {
                let shift = 126u32 - exponent;
                half = round((magnitude & 0x007f_ffffu32) | 0x0080_0000u32, shift);
            }
        } else if magnitude < 0x4780_0000u32 {
            half = round(magnitude - 0x3800_0000u32, 13u32);
        }
        sign | half
    } else {
        let mut half = (bits >> 16u32) | 0x0040u32;
        if (bits & 0x7fff_ffffu32) <= 0x7f80_0000u32 {
            half = round(bits, 16u32);
        }
        half
    }
}

/// A number divided by a power of two, rounded to nearest even.
#[cube]
fn round(number: u32, shift: u32) -> u32 {
    let odd = (number >> shift) & 1u32;
    (number + ((1u32 << (shift - 1u32)) - 1u32) + odd) >> shift
}
