//! Taps to the indices of other frameworks and back, in every space, and refused indices.

use proptest::prelude::*;
use unpool::{Error, Geometry, Index, IndexSpace, Shape, Taps, Window, cpu};

use crate::engines::numbers;
use crate::support::cases::{parse, table};
use crate::support::compare::{Report, same};
use crate::support::fill::{Fill, fill};
use crate::support::oracle::{self, Plan};
use crate::support::random_cases::any_geometry;

fn round_trip<I>(
    report: &mut Report,
    context: &str,
    (geometry, plan): (&Geometry, &Plan),
    taps: &Taps,
    space: IndexSpace,
) where
    I: Index + PartialEq + std::fmt::Debug + TryFrom<i64>,
{
    let expected: Vec<I> = oracle::indices(plan, &numbers(taps), space)
        .into_iter()
        .map(|index| I::try_from(index).ok().unwrap())
        .collect();
    let context = format!("{context} {}", space.name());
    let found = taps.to_indices::<I>(geometry, space).unwrap();
    report.add(same(&format!("{context}, indices"), &found, &expected));
    match Taps::from_indices(geometry, space, &expected) {
        Ok(back) => {
            report.add(same(&format!("{context}, taps"), &numbers(&back), &numbers(taps)));
            report.add(if &back == taps { Ok(()) } else { Err(format!("{context}: other taps")) });
        }
        Err(error) => report.add(Err(format!("{context}: {error}"))),
    }
}

#[test]
fn taps_become_the_indices_of_the_definition_and_come_back() {
    let mut report = Report::default();
    for case in table() {
        let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
        for kind in [Fill::Ties, Fill::Permutation, Fill::Specials] {
            let input: Vec<f32> = fill(kind, plan.input_len(), 21);
            let taps = cpu::max_pool(&geometry, &input).unwrap().taps;
            for space in IndexSpace::ALL {
                let on = (&geometry, &plan);
                round_trip::<i64>(&mut report, &format!("{case} i64"), on, &taps, space);
                round_trip::<i32>(&mut report, &format!("{case} i32"), on, &taps, space);
                round_trip::<u32>(&mut report, &format!("{case} u32"), on, &taps, space);
            }
        }
    }
    report.finish();
}

/// Every tap of a window, not only the winners.
#[test]
fn every_tap_of_every_window_comes_back() {
    let mut report = Report::default();
    for case in table() {
        let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
        let windows: Vec<_> =
            plan.positions().iter().map(|position| plan.window(position)).collect();
        // Tap number i of each window; all of a small one, a dozen of a large one.
        let step = plan.cells().div_ceil(12);
        for i in (0..plan.cells()).step_by(step) {
            let taps: Vec<u32> = windows.iter().map(|w| w[i % w.len()].0).collect();
            let taps = Taps::from_bytes(&geometry, &plan.tap_bytes(&taps)).unwrap();
            for space in IndexSpace::ALL {
                let on = (&geometry, &plan);
                round_trip::<i64>(&mut report, &format!("{case} tap {i}"), on, &taps, space);
            }
        }
    }
    report.finish();
}

#[test]
fn the_formulas_hold_on_a_cell_counted_by_hand() {
    // Image 1, row 2, column 1, channel 1 of 2×3×5×2: the window (1, 0) of 2×2 windows reaches it.
    let geometry = parse("n2c2h4w5_k2_last").geometry().unwrap();
    assert_eq!(geometry.pooled_len(), 2 * 2 * 2 * 2);
    let mut input = vec![0f32; 80];
    let element = |n: usize, y: usize, x: usize, c: usize| ((n * 4 + y) * 5 + x) * 2 + c;
    input[element(1, 2, 1, 1)] = 1.0;
    let taps = cpu::max_pool(&geometry, &input).unwrap().taps;
    let pooled = ((2 + 1) * 2) * 2 + 1;
    let index = |space| taps.to_indices::<i64>(&geometry, space).unwrap()[pooled];
    assert_eq!(index(IndexSpace::Plane), 2 * 5 + 1);
    assert_eq!(index(IndexSpace::Image), (2 * 5 + 1) * 2 + 1);
    assert_eq!(index(IndexSpace::Batch), ((4 + 2) * 5 + 1) * 2 + 1);
    assert_eq!(index(IndexSpace::Tensor), ((2 + 1) * 4 + 2) * 5 + 1);
    assert_eq!(index(IndexSpace::TensorColumnMajor), (2 + 1) * 20 + 2 + 4);
}

/// ONNX's test `maxpool_with_argmax_2d_precomputed_strides`, whose storage order is 1.
#[test]
fn column_major_indices_are_those_of_the_onnx_test_suite() {
    let geometry =
        Geometry::new(&Window::new([2, 2]), Shape::channels_first([1, 1, 5, 5])).unwrap();
    let input: Vec<f32> = (1..=25u8).map(f32::from).collect();
    let pooled = cpu::max_pool(&geometry, &input).unwrap();
    assert_eq!(pooled.values, [7.0, 9.0, 17.0, 19.0]);
    let indices: Vec<i64> =
        pooled.taps.to_indices(&geometry, IndexSpace::TensorColumnMajor).unwrap();
    assert_eq!(indices, [6, 16, 8, 18]);
}

// ---- refusals -------------------------------------------------------------------------------

#[test]
fn an_index_outside_its_window_is_refused_with_what_was_allowed() {
    // 4×6, windows of 2×2: window (1, 2) holds the rows 2 and 3, the columns 4 and 5.
    let geometry = parse("n1c1h4w6_k2_first").geometry().unwrap();
    let good: Vec<i64> = vec![0, 2, 4, 12, 14, 16];
    assert!(Taps::from_indices(&geometry, IndexSpace::Plane, &good).is_ok());
    // Just outside: above, left of, right of (the next row's start), below, past the end.
    for wrong in [10, 15, 18, 24, 22 + 6, -1, i64::MIN, i64::MAX] {
        let mut indices = good.clone();
        indices[5] = wrong;
        let error = Taps::from_indices(&geometry, IndexSpace::Plane, &indices).unwrap_err();
        let expected = Error::IndexOutside {
            element: 5,
            index: wrong,
            lowest: 16,
            highest: 23,
            space: IndexSpace::Plane,
        };
        assert_eq!(error, expected);
        assert_eq!(
            error.to_string(),
            format!(
                "index {wrong} at element 5 names no cell of its window, whose first cell has \
                 index 16 and whose last has index 23 in index space plane"
            )
        );
    }
}

#[test]
fn the_first_wrong_index_is_the_one_named() {
    let geometry = parse("n1c1h4w6_k2_first").geometry().unwrap();
    let indices = [0i32, 2, 99, -5, 14, 99];
    let error = Taps::from_indices(&geometry, IndexSpace::Plane, &indices).unwrap_err();
    let expected = Error::IndexOutside {
        element: 2,
        index: 99,
        lowest: 4,
        highest: 11,
        space: IndexSpace::Plane,
    };
    assert_eq!(error, expected);
}

#[test]
fn an_index_is_never_narrowed() {
    for case in ["n2c3h5w7_k3s2p1_last", "n2c3h5w7_k3s2p1_first", "n2c2d3h4w5_k2_first"] {
        let geometry = parse(case).geometry().unwrap();
        let input = vec![0f32; geometry.input_len()];
        let taps = cpu::max_pool(&geometry, &input).unwrap().taps;
        for space in IndexSpace::ALL {
            let good: Vec<i64> = taps.to_indices(&geometry, space).unwrap();
            for at in [0, good.len() - 1] {
                for beyond in [1i64 << 32, -(1 << 32), 1 << 31, 1 << 16, 1 << 8, i64::MIN] {
                    let mut indices = good.clone();
                    indices[at] = good[at].wrapping_add(beyond);
                    let error = Taps::from_indices(&geometry, space, &indices).unwrap_err();
                    let Error::IndexOutside { element, index, .. } = error else {
                        panic!("{case} {}: {error}", space.name());
                    };
                    assert_eq!((element, index), (at, indices[at]), "{case} {}", space.name());
                }
            }
        }
    }
}

/// Each index moved by what separates images, planes and channels still names a cell of the
/// tensor, but of another image or channel.
#[test]
fn an_index_of_another_image_or_channel_is_refused() {
    let spaces = [
        ("n2c3h4w4_k2_last", IndexSpace::Image, vec![1, 2]),
        ("n2c3h4w4_k2_last", IndexSpace::Batch, vec![1, 2, 48]),
        ("n2c3h4w4_k2_first", IndexSpace::Tensor, vec![16, 32, 48]),
        ("n2c3h4w4_k2_first", IndexSpace::TensorColumnMajor, vec![16, 32, 48]),
        ("n2c3h4w4_k2_last", IndexSpace::Tensor, vec![16, 32, 48]),
        ("n2c3h4w4_k2_first", IndexSpace::Image, vec![1, 2]),
    ];
    for (case, space, steps) in spaces {
        let geometry = parse(case).geometry().unwrap();
        let input: Vec<f32> = fill(Fill::Permutation, geometry.input_len(), 3);
        let taps = cpu::max_pool(&geometry, &input).unwrap().taps;
        let good: Vec<i64> = taps.to_indices(&geometry, space).unwrap();
        for i in 0..good.len() {
            for step in steps.iter().flat_map(|&s| [s, -s]) {
                let mut indices = good.clone();
                indices[i] += step;
                assert!(
                    matches!(
                        Taps::from_indices(&geometry, space, &indices),
                        Err(Error::IndexOutside { element, .. }) if element == i
                    ),
                    "{case} {}: element {i} moved by {step}",
                    space.name()
                );
            }
        }
    }
}

#[test]
fn a_hole_of_a_dilated_window_is_outside_it() {
    let geometry = parse("n1c1w5_k2d3_first").geometry().unwrap();
    for (index, tap) in [(0, Some(0)), (1, None), (2, None), (3, Some(1)), (4, None)] {
        let found = Taps::from_indices(&geometry, IndexSpace::Plane, &[i64::from(index)]);
        assert_eq!(found.ok().and_then(|taps| taps.get(0)), tap, "index {index}");
    }
}

#[test]
fn a_tap_that_names_no_cell_becomes_minus_one() {
    // Four windows: a tap in the padding, the tap of no cell, one past the window, and the cell
    // (2, 3), which column by column comes after three columns of four.
    let geometry = parse("n1c1h4w4_k3s2p1_first").geometry().unwrap();
    let taps = Taps::from_bytes(&geometry, &[0, 255, 9, 5]).unwrap();
    for space in IndexSpace::ALL {
        let index = if space == IndexSpace::TensorColumnMajor { 14 } else { 11 };
        let signed = taps.to_indices::<i64>(&geometry, space).unwrap();
        assert_eq!(signed, [-1, -1, -1, index], "{}", space.name());
        let small = taps.to_indices::<i32>(&geometry, space).unwrap();
        assert_eq!(small, [-1, -1, -1, index as i32], "{}", space.name());
        let unsigned = taps.to_indices::<u32>(&geometry, space).unwrap();
        assert_eq!(unsigned, [u32::MAX, u32::MAX, u32::MAX, index as u32], "{}", space.name());
        // And it is refused on the way back.
        let error = Taps::from_indices(&geometry, space, &signed).unwrap_err();
        assert!(matches!(error, Error::IndexOutside { element: 0, index: -1, .. }), "{error}");
        let error = Taps::from_indices(&geometry, space, &unsigned).unwrap_err();
        let none = i64::from(u32::MAX);
        assert!(
            matches!(error, Error::IndexOutside { element: 0, index, .. } if index == none),
            "{error}"
        );
    }
}

#[test]
fn an_index_space_too_large_for_the_type_is_refused() {
    // One image of 65,536 × 65,535 cells, which pools to one value.
    let window = Window::new([1, 1]).with_stride([65_536, 65_536]);
    let shape = Shape::channels_first([1, 1, 65_536, 65_535]);
    let geometry = Geometry::new(&window, shape).unwrap();
    assert_eq!(geometry.pooled_len(), 1);
    let taps = Taps::from_bytes(&geometry, &[0]).unwrap();
    let largest = 65_536 * 65_535 - 1;
    for space in IndexSpace::ALL {
        let found = taps.to_indices::<i32>(&geometry, space).unwrap_err();
        let expected =
            Error::IndexSpaceTooLarge { space, largest, kind: "i32", allowed: i32::MAX as u64 };
        assert_eq!(found, expected);
        assert_eq!(
            found.to_string(),
            format!(
                "index space {} reaches 4294901759 on this shape; i32 holds at most 2147483647",
                space.name()
            )
        );
        // u32 holds it, and so does i64.
        assert_eq!(taps.to_indices::<u32>(&geometry, space), Ok(vec![0]));
        assert_eq!(taps.to_indices::<i64>(&geometry, space), Ok(vec![0]));
    }
}

#[test]
fn indices_past_an_i32_are_exact() {
    // The last of 65,536 × 65,535 cells is the one cell of the last window.
    let window = Window::new([1, 2]).with_stride([65_535, 65_533]);
    let shape = Shape::channels_first([1, 1, 65_536, 65_535]);
    let geometry = Geometry::new(&window, shape).unwrap();
    assert_eq!(geometry.pooled_len(), 4);
    let taps = Taps::from_bytes(&geometry, &[0, 0, 0, 1]).unwrap();
    let last = 65_535u32 * 65_535 + 65_534;
    let indices = taps.to_indices::<u32>(&geometry, IndexSpace::Tensor).unwrap();
    assert_eq!(indices[3], last);
    assert_eq!(Taps::from_indices(&geometry, IndexSpace::Tensor, &indices), Ok(taps.clone()));
    // In column order the last cell is the last too.
    let space = IndexSpace::TensorColumnMajor;
    assert_eq!(taps.to_indices::<u32>(&geometry, space).unwrap()[3], last);
}

#[test]
fn only_what_an_index_counts_must_fit_the_type() {
    // Two images of 30,000 × 20,000 × 3: one fits an i32, both do not.
    let window = Window::new([1, 1]).with_stride([30_000, 30_000]);
    let shape = Shape::channels_last([2, 30_000, 20_000, 3]);
    let geometry = Geometry::new(&window, shape).unwrap();
    let taps = Taps::from_bytes(&geometry, &[0; 6]).unwrap();
    assert!(taps.to_indices::<i32>(&geometry, IndexSpace::Plane).is_ok());
    let fits = |space| taps.to_indices::<i32>(&geometry, space).is_ok();
    assert!(fits(IndexSpace::Image), "1,800,000,000 cells");
    assert!(!fits(IndexSpace::Batch) && !fits(IndexSpace::Tensor));
    assert!(!fits(IndexSpace::TensorColumnMajor));
    assert!(taps.to_indices::<u32>(&geometry, IndexSpace::Batch).is_ok());
}

#[test]
fn a_wrong_number_of_indices_or_other_taps_are_refused() {
    let geometry = parse("n1c1h4w6_k2_first").geometry().unwrap();
    let error = Taps::from_indices(&geometry, IndexSpace::Plane, &[0i64; 5]).unwrap_err();
    assert_eq!(error.to_string(), "indices has 5 elements; 6 are needed");
    let other = parse("n1c1h4w4_k2_first").geometry().unwrap();
    let taps = Taps::from_bytes(&other, &[0; 4]).unwrap();
    let error = taps.to_indices::<i64>(&geometry, IndexSpace::Plane).unwrap_err();
    assert_eq!(error, Error::Length { operand: "taps", found: 4, allowed: 6 });
    let wide = parse("n1c1w256_k256_first").geometry().unwrap();
    let error = taps.to_indices::<i64>(&wide, IndexSpace::Plane).unwrap_err();
    assert_eq!(error, Error::TapWidth { found: 1, allowed: 2 });
}

// ---- by chance ------------------------------------------------------------------------------

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the index, it is taken exactly when some tap of the window has it.
    #[test]
    fn an_index_is_taken_exactly_when_a_tap_of_its_window_has_it(
        (case, geometry) in any_geometry(),
        space in prop::sample::select(&IndexSpace::ALL[..]),
        seed in any::<u64>(),
    ) {
        let plan = Plan::new(&case).unwrap();
        let positions = plan.positions();
        prop_assume!(!positions.is_empty());
        let (chosen, position) = {
            let i = (seed % positions.len() as u64) as usize;
            (i, positions[i])
        };
        let input: Vec<f32> = fill(Fill::Ties, plan.input_len(), seed);
        let taps = oracle::max_pool(&plan, &input).taps;
        let good = oracle::indices(&plan, &taps, space);
        let own: Vec<(u32, i64)> = plan
            .window(&position)
            .into_iter()
            .map(|(tap, cell)| (tap, plan.index(&position, cell, space)))
            .collect();
        let lowest = own.iter().map(|o| o.1).min().unwrap();
        let highest = own.iter().map(|o| o.1).max().unwrap();
        // Every index about the window's own; of a window that reaches far, some hundred, with those
        // next to its own.
        let about = (lowest - 3)..=(highest + 3);
        let step = 1 + (highest - lowest) as usize / 100;
        let adjacent = own.iter().step_by(1 + own.len() / 40).flat_map(|o| [o.1 - 1, o.1, o.1 + 1]);
        for index in about.step_by(step).chain(adjacent).chain([highest + 3]) {
            let mut indices = good.clone();
            indices[chosen] = index;
            let found = Taps::from_indices(&geometry, space, &indices);
            match own.iter().find(|o| o.1 == index) {
                Some((tap, _)) => {
                    prop_assert_eq!(found.map(|t| t.get(chosen)), Ok(Some(*tap)));
                }
                None => {
                    let expected = Error::IndexOutside {
                        element: chosen,
                        index,
                        lowest: lowest as u64,
                        highest: highest as u64,
                        space,
                    };
                    prop_assert_eq!(found, Err(expected));
                }
            }
        }
    }
}
