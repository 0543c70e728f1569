//! The check of the demonstration: every output of the device against the CPU, bit for bit, and
//! the law that a kept pixel comes back to its own position.

use std::fmt;

use unpool::{Engine, Overlap, Taps, cpu};

use crate::levels::{Level, positions};

/// The first element in which the result of a device departs from the reference.
#[derive(Debug)]
pub(crate) struct Departure {
    level: usize,
    output: &'static str,
    element: usize,
    found: String,
    expected: String,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, output, element, found, expected } = self;
        write!(f, "level {level}, {output}: element {element}: found {found}, expected {expected}")
    }
}

/// What was compared.
pub(crate) struct Comparison {
    pub(crate) outputs: usize,
    pub(crate) departures: Vec<Departure>,
}

/// Compares all four operations of every level with the CPU.
pub(crate) fn compare(engine: &Engine, levels: &[Level]) -> Result<Comparison, unpool::Error> {
    let mut comparison = Comparison { outputs: 0, departures: Vec::new() };
    for (i, Level { geometry, input, pooled, unpooled, .. }) in levels.iter().enumerate() {
        let taps = &pooled.taps;
        let mut note =
            |output, departure: Option<(usize, String, String)>| {
                comparison.outputs += 1;
                comparison.departures.extend(departure.map(|(element, found, expected)| {
                    Departure { level: i + 1, output, element, found, expected }
                }));
            };
        let expected = cpu::max_pool(geometry, input)?;
        note("max_pool, values", floats(&pooled.values, &expected.values));
        note("max_pool, argmax", numbers(taps, &expected.taps));

        // From here on the CPU gets the device's own argmax, so that one fault is told once.
        let expected = cpu::max_unpool(geometry, &pooled.values, taps, Overlap::Last)?;
        note("max_unpool", floats(unpooled, &expected));

        let gradient = gradient(geometry.pooled_len());
        let found = engine.max_pool_backward(geometry, &gradient, taps)?;
        let expected = cpu::max_pool_backward(geometry, &gradient, taps)?;
        note("max_pool_backward", floats(&found, &expected));

        let gradient = self::gradient(geometry.input_len());
        let found = engine.max_unpool_backward(geometry, &gradient, taps)?;
        let expected = cpu::max_unpool_backward(geometry, &gradient, taps)?;
        note("max_unpool_backward", floats(&found, &expected));
    }
    Ok(comparison)
}

/// The first cell of the restored image that differs from the argmax, followed by hand: the
/// image's own pixel where one was kept, zero elsewhere.
pub(crate) fn misplaced(levels: &[Level]) -> Result<Option<Departure>, unpool::Error> {
    let Some(first) = levels.first() else { return Ok(None) };
    let positions = positions(levels, |_, index| Some(index))?;
    let mut expected = vec![0.0; first.input.len()];
    for position in positions.iter().flatten() {
        expected[*position] = first.input[*position];
    }
    Ok(floats(&first.restored, &expected).map(|(element, found, expected)| Departure {
        level: 1,
        output: "restored image",
        element,
        found,
        expected,
    }))
}

/// The first element whose bits differ, with the found and the expected value.
pub(crate) fn floats(found: &[f32], expected: &[f32]) -> Option<(usize, String, String)> {
    let element = found
        .iter()
        .zip(expected)
        .position(|(a, b)| a.to_bits() != b.to_bits())
        .or_else(|| (found.len() != expected.len()).then(|| found.len().min(expected.len())))?;
    let show = |cells: &[f32]| {
        cells.get(element).map_or("nothing".into(), |c| format!("{c:?} ({:#010x})", c.to_bits()))
    };
    Some((element, show(found), show(expected)))
}

/// The first tap that differs, likewise.
pub(crate) fn numbers(found: &Taps, expected: &Taps) -> Option<(usize, String, String)> {
    let element =
        (0..found.len().max(expected.len())).find(|&i| found.get(i) != expected.get(i))?;
    let show = |taps: &Taps| taps.get(element).map_or("nothing".into(), |tap| format!("tap {tap}"));
    Some((element, show(found), show(expected)))
}

/// A gradient in which neighbours differ in sign and in most bits.
pub(crate) fn gradient(len: usize) -> Vec<f32> {
    (0..len as u32).map(|i| i.wrapping_mul(0x9E37_79B1) as i32 as f32 / 2_147_483_648.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::{CHANNELS, geometries, run};

    fn levels() -> Vec<Level> {
        let geometries = geometries(9, 13, 2).expect("two levels fit");
        let image = (0..9 * 13 * CHANNELS).map(|i| (i * 31 % 351) as f32).collect();
        run(&Engine::Cpu, &geometries, image).expect("the lengths fit")
    }

    fn told(levels: &[Level]) -> Vec<String> {
        let departures = compare(&Engine::Cpu, levels).expect("the lengths fit").departures;
        departures.iter().map(Departure::to_string).collect()
    }

    #[test]
    fn nothing_departs_from_itself() {
        let levels = levels();
        assert_eq!(told(&levels), [""; 0]);
        assert!(misplaced(&levels).expect("taps of these geometries").is_none());
    }

    #[test]
    fn one_wrong_bit_is_told_by_level_output_and_element() {
        let mut wrong = levels();
        let cell = &mut wrong[1].unpooled[7];
        *cell = f32::from_bits(cell.to_bits() ^ 1);
        let told = told(&wrong);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("level 2, max_unpool: element 7: found "), "{told:?}");
    }

    #[test]
    fn one_wrong_tap_is_told_and_so_is_a_pixel_out_of_place() {
        let mut wrong = levels();
        let geometry = &wrong[0].geometry;
        let mut bytes = wrong[0].pooled.taps.as_bytes().to_vec();
        bytes[5] ^= 1;
        wrong[0].pooled.taps = Taps::from_bytes(geometry, &bytes).expect("as many as before");
        assert!(told(&wrong)[0].starts_with("level 1, max_pool, argmax: element 5: found tap "));

        let mut wrong = levels();
        wrong[0].restored.rotate_right(CHANNELS);
        assert!(misplaced(&wrong).expect("taps of these geometries").is_some());
    }
}
