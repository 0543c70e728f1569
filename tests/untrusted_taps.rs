//! Taps of any numbers: those that name no cell of the input unpool to nothing.

use unpool::{Cell, Overlap, Taps};

use crate::engines::numbers;
use crate::support::cases::parse;
use crate::support::devices::engines;
use crate::support::every_element;
use crate::support::oracle::{Bits, zero};

/// The taps 255 (of no cell), 9 (past a window of nine), and 0 (in the padding of the first
/// window) name nothing; 4 is the cell itself.
fn untrusted<T: Cell + Bits>() {
    let geometry = parse("n1c1h4w4_k3s2p1_last").geometry().unwrap();
    let seven = T::of_bits(7);
    for (name, engine) in engines() {
        for overlap in [Overlap::Last, Overlap::Sum] {
            let taps = Taps::from_bytes(&geometry, &[0, 255, 9, 4]).unwrap();
            assert_eq!(numbers(&taps), [0, 255, 9, 4]);
            let output = engine.max_unpool(&geometry, &[seven; 4], &taps, overlap).unwrap();
            for (i, element) in output.iter().enumerate() {
                // Window (1, 1) starts at (1, 1): its middle cell is (2, 2).
                let expected = if i == 10 { 7 } else { 0 };
                assert_eq!(element.bits(), expected, "{overlap:?} on {name}, element {i}");
            }
            let cells: Vec<T> = (1..17).map(T::of_bits).collect();
            let read = engine.max_unpool_backward(&geometry, &cells, &taps).unwrap();
            let read: Vec<u32> = read.into_iter().map(T::bits).collect();
            assert_eq!(read, [0, 0, 0, 11], "on {name}");
        }
    }
    assert_eq!(zero::<T>().bits(), 0);
}

#[test]
fn taps_that_name_no_cell_put_nothing_anywhere_and_read_zero() {
    every_element!(untrusted());
}

#[test]
fn a_tap_past_the_row_of_a_window_is_not_the_next_row() {
    // The last window holds the columns 4, 5 and, outside, 6: its tap 2 must not come out at the
    // start of the next row.
    let geometry = parse("n1c1h3w6_k3s2_ceil_first").geometry().unwrap();
    assert_eq!(geometry.pooled_len(), 3);
    let taps = Taps::from_bytes(&geometry, &[255, 255, 2]).unwrap();
    for (name, engine) in engines() {
        let output = engine.max_unpool(&geometry, &[1f32, 2.0, 3.0], &taps, Overlap::Last);
        assert_eq!(output, Ok(vec![0.0; 18]), "on {name}");
    }
}

#[test]
fn taps_of_two_bytes_are_little_endian_and_65535_names_no_cell() {
    let geometry = parse("n1c1h16w32_k16_last").geometry().unwrap();
    assert_eq!((geometry.window_cells(), geometry.tap_width()), (256, 2));
    let taps = Taps::from_bytes(&geometry, &[0xff, 0x00, 0xff, 0xff]).unwrap();
    assert_eq!(numbers(&taps), [255, 65_535]);
    assert_eq!(taps.as_bytes(), [0xff, 0x00, 0xff, 0xff]);
    for (name, engine) in engines() {
        let output = engine.max_unpool(&geometry, &[5i8, 6], &taps, Overlap::Last).unwrap();
        let found: Vec<usize> = (0..output.len()).filter(|&i| output[i] != 0).collect();
        assert_eq!(found, [15 * 32 + 15], "on {name}");
    }
}

#[test]
fn bytes_past_the_last_tap_are_left_out_and_missing_ones_refused() {
    let geometry = parse("n1c3h2w2_k2_last").geometry().unwrap();
    assert_eq!(geometry.taps_bytes(), 4);
    let taps = Taps::from_bytes(&geometry, &[1, 2, 3, 77]).unwrap();
    assert_eq!(numbers(&taps), [1, 2, 3]);
    assert_eq!(taps.get(3), None);
    let error = Taps::from_bytes(&geometry, &[1, 2]).unwrap_err();
    assert_eq!(error.to_string(), "taps has 2 bytes; 3 are needed");
}
