//! Attention whose queries, keys, values and mask all come from the image, against its definition.

use crate::support::definition::check;
use crate::support::onnx::{Attribute, Bytes, floats, ints, model, node};
use crate::support::random::Random;

/// Batch, positions, and numbers of a head.
const BATCH: usize = 2;
const LENGTH: usize = 4;
const SIZE: usize = 3;

/// An Attention over parts of each row of the image: queries, keys, values, and as many numbers as there are positions
/// for a mask.
#[derive(Clone, Copy, Default)]
struct Case {
    heads: usize,
    sharing: usize,
    is_causal: bool,
    softcap: f32,
    mask: Mask,
    /// What the model shows: the result, or the fourth output in a mode.
    mode: Option<i64>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mask {
    #[default]
    None,
    Numbers,
    /// Where a number is positive.
    Truths,
}

impl Case {
    fn width(&self) -> usize {
        (self.heads + 2 * self.sharing) * SIZE + LENGTH
    }

    /// The parts of row `position` of image `n`, by their names.
    fn part<'a>(&self, x: &'a [f32], n: usize, position: usize, name: char) -> &'a [f32] {
        let row = &x[(n * LENGTH + position) * self.width()..][..self.width()];
        let (q, k) = (self.heads * SIZE, self.sharing * SIZE);
        match name {
            'q' => &row[..q],
            'k' => &row[q..q + k],
            'v' => &row[q + k..q + 2 * k],
            _ => &row[q + 2 * k..],
        }
    }

    /// What the mask adds to the score of a query and a key.
    fn added(&self, x: &[f32], n: usize, query: usize, key: usize) -> f32 {
        let number = self.part(x, n, query, 'm')[key];
        let own = match self.mask {
            Mask::None => 0.0,
            Mask::Numbers => number,
            Mask::Truths if number > 0.0 => 0.0,
            Mask::Truths => f32::NEG_INFINITY,
        };
        if self.is_causal && key > query { f32::NEG_INFINITY } else { own }
    }

    fn expected(&self, x: &[f32]) -> Vec<f32> {
        let group = self.heads / self.sharing;
        let mut result = vec![0.0; BATCH * LENGTH * self.heads * SIZE];
        let mut shown = Vec::new();
        for n in 0..BATCH {
            for head in 0..self.heads {
                for query in 0..LENGTH {
                    let q = &self.part(x, n, query, 'q')[head * SIZE..][..SIZE];
                    let own = head / group * SIZE;
                    let products = (0..LENGTH).map(|key| {
                        let k = &self.part(x, n, key, 'k')[own..][..SIZE];
                        q.iter().zip(k).map(|(q, k)| q * k).sum::<f32>() / (SIZE as f32).sqrt()
                    });
                    let products: Vec<_> = products.collect();
                    let capped = products.iter().map(|x| match self.softcap {
                        0.0 => *x,
                        cap => (x / cap).tanh() * cap,
                    });
                    let capped: Vec<_> = capped.collect();
                    let scores = (0..LENGTH).map(|key| capped[key] + self.added(x, n, query, key));
                    let scores: Vec<_> = scores.collect();
                    let powers: Vec<_> = scores.iter().map(|x| x.exp()).collect();
                    let sum = powers.iter().sum::<f32>();
                    let weights = powers.iter().map(|p| if sum > 0.0 { p / sum } else { 0.0 });
                    let weights: Vec<_> = weights.collect();
                    for (key, weight) in weights.iter().enumerate() {
                        let v = &self.part(x, n, key, 'v')[own..][..SIZE];
                        let at = ((n * LENGTH + query) * self.heads + head) * SIZE;
                        let to = result[at..][..SIZE].iter_mut().zip(v);
                        to.for_each(|(y, v)| *y += weight * v);
                    }
                    shown.extend(match self.mode {
                        Some(0) => products,
                        Some(1) => capped,
                        Some(2) => scores,
                        _ => weights,
                    });
                }
            }
        }
        if self.mode.is_some() { shown } else { result }
    }

    fn model(&self) -> Vec<u8> {
        let (q, k) = ((self.heads * SIZE) as i64, (self.sharing * SIZE) as i64);
        let weights = [
            ints("parts", &[q, k, k, LENGTH as i64]),
            ints("axis", &[1]),
            floats("zero", &[], &[0.0]),
        ];
        let mut nodes = vec![
            node("Split", &["x", "parts"], &["q", "k", "v", "m"], &[Attribute::Int("axis", 2)]),
            node("Unsqueeze", &["m", "axis"], &["numbers"], &[]),
            node("Greater", &["m", "zero"], &["positive"], &[]),
            node("Unsqueeze", &["positive", "axis"], &["truths"], &[]),
        ];
        let mut attributes = vec![
            Attribute::Int("q_num_heads", self.heads as i64),
            Attribute::Int("kv_num_heads", self.sharing as i64),
            Attribute::Int("is_causal", self.is_causal.into()),
            Attribute::Float("softcap", self.softcap),
        ];
        attributes.extend(self.mode.map(|mode| Attribute::Int("qk_matmul_output_mode", mode)));
        let mut inputs = vec!["q", "k", "v"];
        inputs.extend(match self.mask {
            Mask::None => None,
            Mask::Numbers => Some("numbers"),
            Mask::Truths => Some("truths"),
        });
        match self.mode {
            None => nodes.push(node("Attention", &inputs, &["y"], &attributes)),
            Some(_) => {
                let outputs = ["a", "keys", "values", "shown"];
                nodes.push(node("Attention", &inputs, &outputs, &attributes));
                nodes.push(node("Identity", &["shown"], &["y"], &[]));
            }
        }
        model(&nodes, &weights, 23)
    }

    fn check(&self, name: &str, number: u64) {
        let r = &mut Random::new(number + 50);
        // No number so near to 0 that a step makes another truth of it.
        let far = |x: f32| if x < 0.0 { x - 0.2 } else { x + 0.2 };
        let mut x: Vec<_> = r.floats(BATCH * LENGTH * self.width()).into_iter().map(far).collect();
        if self.mask == Mask::Truths {
            // A query that may see nothing, and one that may see all.
            let width = self.width();
            let mask = |row: usize| (row + 1) * width - LENGTH..(row + 1) * width;
            x[mask(1)].fill(-1.0);
            x[mask(2)].fill(1.0);
        }
        let shape = [BATCH, LENGTH, self.width()];
        check(name, number, &self.model(), &shape, &x, &self.expected(&x));
    }
}

#[test]
fn attention_is_its_definition_there_and_back_to_queries_keys_values_and_mask() {
    let plain = Case { heads: 2, sharing: 2, ..Case::default() };
    let cases = [
        plain,
        Case { heads: 4, ..plain },
        Case { heads: 3, sharing: 1, is_causal: true, ..plain },
        Case { softcap: 0.5, is_causal: true, ..plain },
        Case { mask: Mask::Numbers, ..plain },
        Case { mask: Mask::Truths, heads: 4, ..plain },
        Case { mask: Mask::Numbers, is_causal: true, softcap: 2.0, ..plain },
        Case { mask: Mask::Truths, is_causal: true, ..plain },
    ];
    for (number, case) in (0..).zip(cases) {
        case.check("Attention", number);
    }
}

#[test]
fn attention_shows_its_scores_in_every_mode() {
    let plain = Case { heads: 4, sharing: 2, softcap: 0.5, ..Case::default() };
    for mode in 0..4 {
        Case { mode: Some(mode), ..plain }.check("scores", mode as u64);
        let mask = Mask::Numbers;
        Case { mode: Some(mode), mask, ..plain }.check("masked scores", mode as u64);
    }
    // A query that sees no key has weights of 0, and sends nothing back.
    Case { mode: Some(3), mask: Mask::Truths, ..plain }.check("weights", 0);
}

#[test]
fn what_an_attention_cannot_be_is_refused_by_the_name_of_its_attribute() {
    let refused = |inputs: &[&str], attributes: &[Attribute], weights: &[Bytes]| {
        let all = [&[Attribute::Int("q_num_heads", 2)], attributes].concat();
        let bytes = model(&[node("Attention", inputs, &["y"], &all)], weights, 24);
        let planned =
            unpool_cnn::Model::from_bytes(&bytes).and_then(|model| model.plan(&[2, 4, 6]));
        planned.expect_err("it is refused").to_string()
    };
    let heads = [Attribute::Int("kv_num_heads", 2)];
    let all = ["x", "x", "x"];
    let with = |more: Attribute| [heads[0].clone(), more];
    for (error, said) in [
        (refused(&all, &[], &[]), "kv_num_heads is 0 for K of 2×4×6; a divisor of 6 is needed"),
        (refused(&all, &with(Attribute::Int("qk_matmul_output_mode", 4)), &[]), "0 to 3 are"),
        (
            refused(&all, &with(Attribute::Int("left_window_size", -2)), &[]),
            "left_window_size is -2",
        ),
        (
            refused(&["x", "x", "x", "", "", "", "x"], &heads, &[]),
            "nonpad_kv_seqlen depends on the image",
        ),
        (
            refused(&["x", "x", "x", "m"], &heads, &[floats("m", &[3, 4], &[0.0; 12])]),
            "attn_mask is 3×4; a shape that repeats to 2×2×4×4 is needed",
        ),
        (
            refused(&["x", "x", "x", "", "p"], &heads, &[floats("p", &[2, 2, 1, 3], &[0.0; 12])]),
            "with what is past; one batch",
        ),
    ] {
        assert!(error.contains(said), "{error}");
    }
}
