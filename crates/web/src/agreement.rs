//! Whether a device computed what the CPU computes: every bit of every tensor of every level.

use std::fmt;

use crate::levels::Level;

/// The first element in which a device departs from the CPU.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are the words of the message, under its own names")]
pub struct Departure {
    pub level: usize,
    pub tensor: &'static str,
    pub element: usize,
    pub found: String,
    pub expected: String,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, tensor, element, found, expected } = self;
        write!(f, "level {level}, {tensor}, element {element}: found {found}, expected {expected}")
    }
}

/// Compares bit for bit; gives the number of elements that agree.
///
/// # Errors
///
/// The first departure, lowest level first.
pub fn compare(found: &[Level], expected: &[Level]) -> Result<usize, Departure> {
    let mut compared = 0;
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let bits = |cells: &[f32]| cells.iter().map(|c| c.to_bits()).collect::<Vec<_>>();
        let taps = |level: &Level| (0..level.taps.len()).map_while(|i| level.taps.get(i)).collect();
        for (tensor, found, expected) in [
            ("values", bits(&found.values), bits(&expected.values)),
            ("argmax", taps(found), taps(expected)),
            ("restored", bits(&found.restored), bits(&expected.restored)),
            ("gradient", bits(&found.gradient), bits(&expected.gradient)),
            ("gathered", bits(&found.gathered), bits(&expected.gathered)),
        ] {
            let len = found.len().max(expected.len());
            if found != expected {
                let element = (0..len).find(|&at| found.get(at) != expected.get(at)).unwrap_or(len);
                let show = |of: &[u32]| {
                    of.get(element).map_or("nothing".into(), |bits| format!("{bits:#010x}"))
                };
                let (found, expected) = (show(&found), show(&expected));
                return Err(Departure { level: i + 1, tensor, element, found, expected });
            }
            compared += len;
        }
    }
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::run_on_cpu;
    use crate::settings::{CHANNELS, Settings};

    #[test]
    fn one_wrong_bit_is_told_by_level_tensor_and_element() {
        let geometries = Settings::new(2, 2, 0, 1, 2, true).geometries(9, 13).expect("they fit");
        let image: Vec<f32> = (0..9 * 13 * CHANNELS).map(|i| (i * 31 % 351) as f32).collect();
        let right = run_on_cpu(&geometries, &image).expect("the lengths fit");
        let elements: usize =
            geometries.iter().map(|g| 2 * g.input_len() + 3 * g.pooled_len()).sum();
        assert_eq!(compare(&right, &right), Ok(elements));
        let mut wrong = right.clone();
        let cell = &mut wrong[1].gradient[7];
        *cell = f32::from_bits(cell.to_bits() ^ 1);
        let told = compare(&wrong, &right).expect_err("one bit differs").to_string();
        assert!(told.starts_with("level 2, gradient, element 7: found 0x"), "{told}");
    }
}
