//! Every element type: bits are moved and never recomputed, sums are rounded once, and the error of an
//! integer overflow names the element.

use half::{bf16, f16};
use unpool::{Cell, Element, Error, Overlap, Taps};

use crate::support::cases::parse;
use crate::support::compare::{Report, same_bits};
use crate::support::devices::engines;
use crate::support::every_element;
use crate::support::fill::specials;
use crate::support::oracle::Bits;

/// Every special bit pattern of a type, alone in its window.
fn moved<T: Cell + Bits>(report: &mut Report) {
    let patterns: Vec<T> = specials::<T>().into_iter().map(T::of_bits).collect();
    let n = patterns.len();
    let case = parse(&format!("n1c1w{n}_k1_last"));
    let geometry = case.geometry().unwrap();
    for (name, engine) in engines() {
        let at = |operation| format!("{} on {name}, {operation}", T::ELEMENT.name());
        let pooled = engine.max_pool(&geometry, &patterns).unwrap();
        report.add(same_bits(&at("max_pool"), &pooled.values, &patterns));
        let taps = pooled.taps;
        let output = engine.max_unpool(&geometry, &patterns, &taps, Overlap::Last).unwrap();
        report.add(same_bits(&at("max_unpool"), &output, &patterns));
        let read = engine.max_unpool_backward(&geometry, &patterns, &taps).unwrap();
        report.add(same_bits(&at("max_unpool_backward"), &read, &patterns));
    }
}

#[test]
fn bits_are_moved_and_never_recomputed() {
    let mut report = Report::default();
    every_element!(moved(&mut report));
    report.finish();
}

/// Every 16-bit pattern there is goes through unchanged.
fn all_patterns<T: Cell + Bits>(report: &mut Report) {
    let patterns: Vec<T> = (0..=0xffff).map(T::of_bits).collect();
    let geometry = parse("n1c256h16w16_k1_last").geometry().unwrap();
    for (name, engine) in engines() {
        let pooled = engine.max_pool(&geometry, &patterns).unwrap();
        let context = format!("{} on {name}, max_pool", T::ELEMENT.name());
        report.add(same_bits(&context, &pooled.values, &patterns));
    }
}

#[test]
fn every_pattern_of_two_bytes_is_moved() {
    let mut report = Report::default();
    all_patterns::<f16>(&mut report);
    all_patterns::<bf16>(&mut report);
    report.finish();
}

/// Pools a single window of the elements with these bits: the bits and the tap that come out.
fn pool_one<T: Cell + Bits>(bits: &[u32]) -> Vec<(String, u32, u32)> {
    let input: Vec<T> = bits.iter().map(|&b| T::of_bits(b)).collect();
    let case = parse(&format!("n1c1w{}_k{}_first", bits.len(), bits.len()));
    let geometry = case.geometry().unwrap();
    let pool = |(name, engine): (String, unpool::Engine)| {
        let pooled = engine.max_pool(&geometry, &input).unwrap();
        (name, pooled.values[0].bits(), pooled.taps.get(0).unwrap())
    };
    engines().into_iter().map(pool).collect()
}

#[test]
fn the_zeros_of_both_signs_tie_and_the_first_wins() {
    for (name, bits, tap) in pool_one::<f32>(&[0x8000_0000, 0, 0x8000_0000]) {
        assert_eq!((bits, tap), (0x8000_0000, 0), "f32 on {name}");
    }
    for (name, bits, tap) in pool_one::<f16>(&[0, 0x8000]) {
        assert_eq!((bits, tap), (0, 0), "f16 on {name}");
    }
    for (name, bits, tap) in pool_one::<bf16>(&[0x8000, 0]) {
        assert_eq!((bits, tap), (0x8000, 0), "bf16 on {name}");
    }
}

#[test]
fn the_last_nan_of_a_window_shows_whatever_its_sign_and_payload() {
    for (name, bits, tap) in pool_one::<f32>(&[0x7fc0_0001, 0x7f80_0000, 0xff80_0003, 0x3f80_0000])
    {
        assert_eq!((bits, tap), (0xff80_0003, 2), "f32 on {name}");
    }
    for (name, bits, tap) in pool_one::<f16>(&[0x7c01, 0x7c00]) {
        assert_eq!((bits, tap), (0x7c01, 0), "f16 on {name}");
    }
    for (name, bits, tap) in pool_one::<bf16>(&[0xffff, 0x7f80, 0xff81]) {
        assert_eq!((bits, tap), (0xff81, 2), "bf16 on {name}");
    }
}

#[test]
fn a_window_of_negative_infinity_gives_it_and_its_first_cell() {
    for (name, bits, tap) in pool_one::<f32>(&[0xff80_0000; 3]) {
        assert_eq!((bits, tap), (0xff80_0000, 0), "f32 on {name}");
    }
    for (name, bits, tap) in pool_one::<f16>(&[0xfc00, 0xfbff]) {
        assert_eq!((bits, tap), (0xfbff, 1), "f16 on {name}: the lowest number is greater");
    }
    for (name, bits, tap) in pool_one::<i8>(&[0x80; 3]) {
        assert_eq!((bits, tap), (0x80, 0), "i8 on {name}");
    }
}

#[test]
fn subnormals_are_compared_as_the_numbers_they_are() {
    for (name, bits, tap) in pool_one::<f32>(&[0, 0x8000_0001, 1, 2, 0x0080_0000 - 1, 3]) {
        assert_eq!((bits, tap), (0x007f_ffff, 4), "f32 on {name}");
    }
    for (name, bits, tap) in pool_one::<f32>(&[0x8000_0002, 0x8000_0001, 0x8000_0003]) {
        assert_eq!((bits, tap), (0x8000_0001, 1), "f32 on {name}");
    }
    for (name, bits, tap) in pool_one::<f16>(&[0x8001, 0, 1]) {
        assert_eq!((bits, tap), (1, 2), "f16 on {name}");
    }
    for (name, bits, tap) in pool_one::<bf16>(&[0x8001, 0, 1]) {
        assert_eq!((bits, tap), (1, 2), "bf16 on {name}");
    }
}

#[test]
fn integers_are_compared_with_their_sign_and_without_rounding() {
    for (name, bits, tap) in pool_one::<i32>(&[u32::MAX, 1 << 31, 5]) {
        assert_eq!((bits, tap), (5, 2), "i32 on {name}");
    }
    for (name, bits, tap) in pool_one::<u32>(&[5, 1 << 31, u32::MAX - 1, u32::MAX]) {
        assert_eq!((bits, tap), (u32::MAX, 3), "u32 on {name}");
    }
    // Neighbours that are equal as 32-bit floats.
    for (name, bits, tap) in pool_one::<i32>(&[0x0100_0000, 0x0100_0001]) {
        assert_eq!((bits, tap), (0x0100_0001, 1), "i32 on {name}");
    }
    for (name, bits, tap) in pool_one::<u8>(&[0x7f, 0x80, 0xff]) {
        assert_eq!((bits, tap), (0xff, 2), "u8 on {name}");
    }
}

// ---- sums -----------------------------------------------------------------------------------

/// Sums these elements, in this order, into a single cell.
fn sum<T: Cell + Bits>(bits: &[u32]) -> Vec<(String, Result<u32, Error>)> {
    let n = bits.len();
    // Windows of n cells at stride 1 over 2n − 1: the middle cell is in all n of them, as tap
    // n − 1, n − 2, … 0.
    let case = parse(&format!("n1c1w{}_k{n}s1_last", 2 * n - 1));
    let geometry = case.geometry().unwrap();
    let taps: Vec<u8> = (0..n as u8).rev().collect();
    let taps = Taps::from_bytes(&geometry, &taps).unwrap();
    let values: Vec<T> = bits.iter().map(|&b| T::of_bits(b)).collect();
    let add = |(name, engine): (String, unpool::Engine)| {
        let summed = engine.max_unpool(&geometry, &values, &taps, Overlap::Sum);
        (name, summed.map(|output| output[n - 1].bits()))
    };
    engines().into_iter().map(add).collect()
}

#[test]
fn a_sum_of_f16_is_rounded_once() {
    // 2048 + 1 + 1: 2050. Rounded after every step, 2049 goes back to 2048, twice.
    for (name, sum) in sum::<f16>(&[0x6800, 0x3c00, 0x3c00]) {
        assert_eq!(sum, Ok(0x6801), "on {name}");
    }
    // 65504 + 65504 − 65504: past the largest number and back.
    for (name, sum) in sum::<f16>(&[0x7bff, 0x7bff, 0xfbff]) {
        assert_eq!(sum, Ok(0x7bff), "on {name}");
    }
    // 65504 + 16 is halfway to the next number there would be: infinity, the even one.
    for (name, sum) in sum::<f16>(&[0x7bff, 0x4c00]) {
        assert_eq!(sum, Ok(0x7c00), "on {name}");
    }
    // 65504 + 15 is nearer to 65504.
    for (name, sum) in sum::<f16>(&[0x7bff, 0x4b80]) {
        assert_eq!(sum, Ok(0x7bff), "on {name}");
    }
    // 2048 + 1 is halfway between two: the even one.
    for (name, sum) in sum::<f16>(&[0x6800, 0x3c00]) {
        assert_eq!(sum, Ok(0x6800), "on {name}");
    }
    // 2050 + 1 too.
    for (name, sum) in sum::<f16>(&[0x6801, 0x3c00]) {
        assert_eq!(sum, Ok(0x6802), "on {name}");
    }
    // Subnormals: 3 · 2⁻²⁴ and the same below zero.
    for (name, sum) in sum::<f16>(&[1, 2]) {
        assert_eq!(sum, Ok(3), "on {name}");
    }
    for (name, sum) in sum::<f16>(&[0x8001, 0x8002]) {
        assert_eq!(sum, Ok(0x8003), "on {name}");
    }
}

#[test]
fn a_sum_of_bf16_is_rounded_once() {
    // 256 + 1 + 1: 258. Rounded after every step, 257 goes back to 256, twice.
    for (name, sum) in sum::<bf16>(&[0x4380, 0x3f80, 0x3f80]) {
        assert_eq!(sum, Ok(0x4381), "on {name}");
    }
    for (name, sum) in sum::<bf16>(&[0x4380, 0x3f80]) {
        assert_eq!(sum, Ok(0x4380), "on {name}");
    }
    for (name, sum) in sum::<bf16>(&[0x4381, 0x3f80]) {
        assert_eq!(sum, Ok(0x4382), "on {name}");
    }
    // A hair above the halfway point, which a sum kept in 16 bits would have lost.
    for (name, sum) in sum::<bf16>(&[0x4380, 0x3f80, 0x3780]) {
        assert_eq!(sum, Ok(0x4380), "257 + 2⁻¹⁶ is 257 in an f32, and halfway, on {name}");
    }
    for (name, sum) in sum::<bf16>(&[0x4380, 0x3f80, 0x3880]) {
        assert_eq!(sum, Ok(0x4381), "257 + 2⁻¹⁴ is above halfway, on {name}");
    }
    // The largest number twice is infinity.
    for (name, sum) in sum::<bf16>(&[0x7f7f, 0x7f7f]) {
        assert_eq!(sum, Ok(0x7f80), "on {name}");
    }
    // Subnormals.
    for (name, sum) in sum::<bf16>(&[1, 2, 0x8004]) {
        assert_eq!(sum, Ok(0x8001), "on {name}");
    }
}

#[test]
fn a_sum_of_f32_is_taken_in_raster_order() {
    // 2²⁴ + 1 + 1 from the left is 2²⁴; from the right it would be 2²⁴ + 2.
    for (name, sum) in sum::<f32>(&[0x4b80_0000, 0x3f80_0000, 0x3f80_0000]) {
        assert_eq!(sum, Ok(0x4b80_0000), "on {name}");
    }
    for (name, sum) in sum::<f32>(&[0x3f80_0000, 0x3f80_0000, 0x4b80_0000]) {
        assert_eq!(sum, Ok(0x4b80_0001), "on {name}");
    }
    // Subnormals are not flushed.
    for (name, sum) in sum::<f32>(&[1, 2, 0x0080_0000]) {
        assert_eq!(sum, Ok(0x0080_0003), "on {name}");
    }
    for (name, sum) in sum::<f32>(&[0x0080_0001, 0x8080_0000]) {
        assert_eq!(sum, Ok(1), "on {name}");
    }
}

#[test]
fn a_sum_starts_from_positive_zero() {
    for (name, sum) in sum::<f32>(&[0x8000_0000]) {
        assert_eq!(sum, Ok(0), "f32 on {name}");
    }
    for (name, sum) in sum::<f16>(&[0x8000, 0x8000]) {
        assert_eq!(sum, Ok(0), "f16 on {name}");
    }
    for (name, sum) in sum::<bf16>(&[0x8000, 0x8000]) {
        assert_eq!(sum, Ok(0), "bf16 on {name}");
    }
}

#[test]
fn a_sum_that_is_nan_is_the_canonical_one() {
    for (name, sum) in sum::<f32>(&[0xff80_0123, 0x3f80_0000]) {
        assert_eq!(sum, Ok(0x7fc0_0000), "f32 on {name}");
    }
    for (name, sum) in sum::<f32>(&[0x7f80_0000, 0xff80_0000]) {
        assert_eq!(sum, Ok(0x7fc0_0000), "f32, from infinities, on {name}");
    }
    for (name, sum) in sum::<f16>(&[0xfe01]) {
        assert_eq!(sum, Ok(0x7e00), "f16 on {name}");
    }
    for (name, sum) in sum::<bf16>(&[0xff81, 0x7f80]) {
        assert_eq!(sum, Ok(0x7fc0), "bf16 on {name}");
    }
}

/// On the CPU the error of an overflow, elsewhere the number nearest to the sum.
fn overflows(
    name: &str,
    found: &Result<u32, Error>,
    (element, kind): (usize, Element),
    nearest: u32,
) {
    let error = Error::Overflow { operand: "output", element, kind };
    let expected = if name == "cpu" { Err(error) } else { Ok(nearest) };
    assert_eq!(*found, expected, "{} on {name}", kind.name());
}

#[test]
fn a_sum_of_integers_that_does_not_fit_is_named_by_the_cpu_and_saturated_by_a_gpu() {
    for (name, sum) in sum::<i8>(&[127, 1]) {
        overflows(&name, &sum, (1, Element::I8), 127);
    }
    for (name, sum) in sum::<i8>(&[0x80, 0xff]) {
        overflows(&name, &sum, (1, Element::I8), 0x80);
    }
    for (name, sum) in sum::<u8>(&[255, 255, 1]) {
        overflows(&name, &sum, (2, Element::U8), 255);
    }
    for (name, sum) in sum::<i32>(&[1 << 31, u32::MAX]) {
        overflows(&name, &sum, (1, Element::I32), 1 << 31);
    }
    // Past 32 bits and nearly back: a sum saturated at each step would differ.
    for (name, sum) in sum::<i32>(&[0x7fff_ffff, 0x7fff_ffff, 0xffff_ffff]) {
        overflows(&name, &sum, (2, Element::I32), 0x7fff_ffff);
    }
    for (name, sum) in sum::<u32>(&[u32::MAX, 1]) {
        overflows(&name, &sum, (1, Element::U32), u32::MAX);
    }
    let error = Error::Overflow { operand: "output", element: 1, kind: Element::U32 };
    assert_eq!(error.to_string(), "the sum at element 1 of the output does not fit u32");
}

#[test]
fn integers_may_pass_their_bounds_on_the_way_to_a_sum_that_fits() {
    for (name, sum) in sum::<i8>(&[127, 127, 0x81, 0x80, 1]) {
        assert_eq!(sum, Ok(0), "i8 on {name}");
    }
    for (name, sum) in sum::<i32>(&[i32::MAX as u32, i32::MAX as u32, 1 << 31, 1 << 31]) {
        assert_eq!(sum, Ok(-2i32 as u32), "i32 on {name}");
    }
}

#[test]
fn the_first_of_several_sums_that_do_not_fit_is_named() {
    // Four cells, each chosen by two windows along y; the second and the fourth overflow.
    let geometry = parse("n1c4h3w1_k2x1s1_last").geometry().unwrap();
    let taps = Taps::from_bytes(&geometry, &[1, 1, 1, 1, 0, 0, 0, 0]).unwrap();
    let values = [1u8, 200, 3, 255, 1, 200, 3, 255];
    for (name, engine) in engines() {
        let found = engine.max_pool_backward(&geometry, &values, &taps);
        let operand = "grad_input";
        let error = Error::Overflow { operand, element: 5, kind: Element::U8 };
        let expected = if name == "cpu" {
            Err(error)
        } else {
            Ok(vec![0, 0, 0, 0, 2, 255, 6, 255, 0, 0, 0, 0])
        };
        assert_eq!(found, expected, "on {name}");
    }
}
