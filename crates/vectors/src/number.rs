//! An f32 as the files write it: a JSON number, or `"NaN"`, `"Infinity"`, `"-Infinity"`, for which
//! JSON has no number.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

struct Number(f32);

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number that f32 holds, \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number as f32))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number as f32))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
        let rounded = number as f32;
        if rounded.is_finite() {
            Ok(Number(rounded))
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        match text {
            "NaN" => Ok(Number(f32::NAN)),
            "Infinity" => Ok(Number(f32::INFINITY)),
            "-Infinity" => Ok(Number(f32::NEG_INFINITY)),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// For `#[serde(deserialize_with)]`.
pub(crate) fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let numbers = Vec::<Number>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(|n| n.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_keeps_its_bits() {
        let text = r#"[1, -0.0, -0, 0.1, "NaN", "Infinity", "-Infinity", 1e-45]"#;
        let numbers = numbers(&mut serde_json::Deserializer::from_str(text)).expect("well formed");
        let expected =
            [1.0, -0.0, -0.0, 0.1, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(1)];
        assert_eq!(
            numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>(),
            expected.map(f32::to_bits)
        );
    }

    #[test]
    fn a_number_past_f32_or_another_word_is_refused() {
        for text in ["[1e39]", r#"["nan"]"#, "[true]", "[null]", "[[1]]"] {
            assert!(numbers(&mut serde_json::Deserializer::from_str(text)).is_err(), "{text}");
        }
    }
}
