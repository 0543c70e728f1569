//! The cases: one line of geometry each, which is also the case's name.
//!
//! `n2c3h9w8_k3s2p1_ceil_last`: a batch of 2, 3 channels, 9 by 8 cells (`d` for depth, a single
//! `w` for a length), a kernel of 3, stride 2, padding 1 on every side, ceil mode, channels last.
//!
//! - Window letters: `k` kernel, `s` stride (the kernel if left out), `d` dilation (1), `p` padding
//!   (none). A number stands for every axis, `3x2` gives one each.
//! - Padding: `1` on both sides, `1-2` before and after, `same`, `lower` (odd cell before).
//! - `first` or `last` says where the channels are.

use std::fmt;

use unpool::{Geometry, GeometryError, Padding, Shape, Window};

/// How a case pads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pads {
    Valid,
    Same,
    SameLower,
    /// `(before, after)` per axis.
    Explicit(Vec<(usize, usize)>),
}

/// A window over an input.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) channels_last: bool,
    pub(crate) spatial: Vec<usize>,
    pub(crate) kernel: Vec<usize>,
    pub(crate) stride: Vec<usize>,
    pub(crate) dilation: Vec<usize>,
    pub(crate) pads: Pads,
    pub(crate) ceil: bool,
}

impl Case {
    pub(crate) fn shape(&self, spatial: &[usize]) -> Shape {
        let mut dims = vec![self.batch];
        if self.channels_last {
            dims.extend(spatial);
            dims.push(self.channels);
            Shape::channels_last(dims)
        } else {
            dims.push(self.channels);
            dims.extend(spatial);
            Shape::channels_first(dims)
        }
    }

    pub(crate) fn window(&self) -> Window {
        let padding = match &self.pads {
            Pads::Valid => Padding::Valid,
            Pads::Same => Padding::Same,
            Pads::SameLower => Padding::SameLower,
            Pads::Explicit(pads) => Padding::from(pads.clone()),
        };
        Window::new(self.kernel.clone())
            .with_stride(self.stride.clone())
            .with_dilation(self.dilation.clone())
            .with_padding(padding)
            .with_ceil_mode(self.ceil)
    }

    pub(crate) fn geometry(&self) -> Result<Geometry, GeometryError> {
        Geometry::new(&self.window(), self.shape(&self.spatial))
    }
}

// ---- names ----------------------------------------------------------------------------------

/// One value for all axes, or one each.
fn axes<A: PartialEq + fmt::Display>(values: &[A]) -> String {
    if values.iter().all(|v| *v == values[0]) {
        values[0].to_string()
    } else {
        values.iter().map(A::to_string).collect::<Vec<_>>().join("x")
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}c{}", self.batch, self.channels)?;
        let letters = &"dhw"[3 - self.spatial.len()..];
        for (letter, extent) in letters.chars().zip(&self.spatial) {
            write!(f, "{letter}{extent}")?;
        }
        write!(f, "_k{}", axes(&self.kernel))?;
        if self.stride != self.kernel {
            write!(f, "s{}", axes(&self.stride))?;
        }
        if self.dilation.iter().any(|&d| d != 1) {
            write!(f, "d{}", axes(&self.dilation))?;
        }
        match &self.pads {
            Pads::Valid => {}
            Pads::Same => f.write_str("psame")?,
            Pads::SameLower => f.write_str("plower")?,
            Pads::Explicit(pads) => {
                let pad = |&(before, after): &(usize, usize)| {
                    if before == after { before.to_string() } else { format!("{before}-{after}") }
                };
                write!(f, "p{}", axes(&pads.iter().map(pad).collect::<Vec<_>>()))?;
            }
        }
        f.write_str(if self.ceil { "_ceil" } else { "" })?;
        f.write_str(if self.channels_last { "_last" } else { "_first" })
    }
}

/// A case in a message is its name.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `k3x2s1` as `[('k', "3x2"), ('s', "1")]`.
fn letters(text: &str) -> Vec<(char, &str)> {
    let starts: Vec<usize> =
        text.char_indices().filter(|(_, c)| "ncdhwks".contains(*c)).map(|(i, _)| i).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let parts = starts.iter().zip(ends);
    parts.map(|(&start, end)| (text.as_bytes()[start] as char, &text[start + 1..end])).collect()
}

/// Reads a case from its name; panics where it is none, for the names are typed in this file.
pub(crate) fn parse(name: &str) -> Case {
    let wrong = |what: &str| -> ! { panic!("{what} in the case {name}") };
    let number = |text: &str| -> usize { text.parse().unwrap_or_else(|_| wrong("a bad number")) };
    let mut parts: Vec<&str> = name.split('_').collect();
    let channels_last = match parts.pop() {
        Some("last") => true,
        Some("first") => false,
        _ => wrong("no layout"),
    };
    let ceil = parts.last() == Some(&"ceil");
    if ceil {
        parts.pop();
    }
    let [shape, window] = parts[..] else { wrong("not a shape and a window") };

    let (mut batch, mut channels, mut spatial) = (None, None, Vec::new());
    for (letter, text) in letters(shape) {
        match letter {
            'n' => batch = Some(number(text)),
            'c' => channels = Some(number(text)),
            'd' | 'h' | 'w' => spatial.push(number(text)),
            _ => wrong("an unknown extent"),
        }
    }
    let rank = spatial.len();
    let split = |text: &str| -> Vec<String> {
        let values: Vec<String> = text.split('x').map(String::from).collect();
        match values.len() {
            1 => vec![values[0].clone(); rank],
            n if n == rank => values,
            _ => wrong("a bad number of axes"),
        }
    };
    let numbers = |text: &str| -> Vec<usize> { split(text).iter().map(|v| number(v)).collect() };

    let (sizes, pads) = match window.split_once('p') {
        Some((sizes, pads)) => (sizes, Some(pads)),
        None => (window, None),
    };
    let pads = match pads {
        None => Pads::Valid,
        Some("same") => Pads::Same,
        Some("lower") => Pads::SameLower,
        Some(pads) => {
            let pad = |text: &String| match text.split_once('-') {
                Some((before, after)) => (number(before), number(after)),
                None => (number(text), number(text)),
            };
            Pads::Explicit(split(pads).iter().map(pad).collect())
        }
    };
    let (mut kernel, mut stride, mut dilation) = (None, None, None);
    for (letter, text) in letters(sizes) {
        match letter {
            'k' => kernel = Some(numbers(text)),
            's' => stride = Some(numbers(text)),
            'd' => dilation = Some(numbers(text)),
            _ => wrong("an unknown size"),
        }
    }
    let (Some(batch), Some(channels), Some(kernel)) = (batch, channels, kernel) else {
        wrong("no batch, channels or kernel")
    };
    Case {
        batch,
        channels,
        channels_last,
        spatial,
        stride: stride.unwrap_or_else(|| kernel.clone()),
        dilation: dilation.unwrap_or_else(|| vec![1; rank]),
        kernel,
        pads,
        ceil,
    }
}

// ---- the table ------------------------------------------------------------------------------

/// Every case that every engine runs.
pub(crate) fn table() -> Vec<Case> {
    TABLE.iter().map(|name| parse(name)).collect()
}

pub(crate) const TABLE: &[&str] = &[
    // A single cell, alone and in more channels than one.
    "n1c1w1_k1_last",
    "n1c1h1w1_k1_first",
    "n2c3d1h1w1_k1_last",
    "n1c1h1w1_k3s1p1_first",
    // Windows side by side.
    "n1c1h4w4_k2_last",
    "n1c1h4w4_k2_first",
    "n2c3h6w8_k2_last",
    "n2c3h6w8_k2_first",
    "n2c4h6w16_k2_last",
    "n2c4h6w16_k2_first",
    "n1c8h5w7_k2_last",
    "n1c8h5w7_k2_first",
    "n1c67h5w6_k2_last",
    "n1c67h4w6_k2_first",
    "n3c5h7w9_k3_last",
    "n3c2h7w12_k3x1_first",
    "n1c4h6w10_k1x5_last",
    // The same in channels and rows of eight, which a work item moves as words where elements are small.
    "n1c8h7w6_k2psame_last",
    "n1c2h6w16_k2p0x1-0_first",
    "n2c16h5w7_k2p1_last",
    "n2c4w64_k4_first",
    "n2c8d4h5w6_k2_last",
    "n1c2d4h6w32_k2_first",
    "n1c8h10w11_k2s3d2_last",
    "n1c2h6w20_k1x3p0x2_first",
    // Channels and rows of sixteen, of which a work item owns as many as 16 bytes hold.
    "n2c16h9w7_k3s2p1_last",
    "n1c32h8w6_k3s1psame_last",
    "n1c16h6w10_k2_last",
    "n1c16d4h5w6_k3s2p1_last",
    "n1c16h8w9_k1s2_last",
    "n1c16h10w11_k2s3d2_last",
    "n2c2h9w32_k3s2p1_first",
    "n1c2h6w64_k2_first",
    "n1c2h8w32_k3s1psame_first",
    "n1c3h7w48_k5x4s1psame_first",
    "n1c2h8w32_k1s2_first",
    "n1c2h9w32_k3s2d3psame_first",
    "n2c2w64_k5s2plower_first",
    "n1c2d4h6w32_k3s2p1_first",
    // Rows of more tiles than the CPU searches at a time, of small cells 32.
    "n1c2h5w70_k3x2_first",
    "n1c1h7w103_k3p1_first",
    "n1c1w150_k4_first",
    // Windows that overlap.
    "n2c3h9w8_k3s2p1_last",
    "n2c3h9w8_k3s2p1_first",
    "n2c4h9w16_k3s2p1_last",
    "n2c4h9w16_k3s2p1_first",
    "n1c5h7w7_k3s1_last",
    "n1c5h7w7_k3s1_first",
    "n1c4h8w8_k3s1psame_last",
    "n1c4h8w8_k3s1psame_first",
    "n1c2h11w10_k5s1p2_last",
    "n1c2h11w12_k5s1p2_first",
    "n1c67h6w5_k3s2psame_last",
    "n2c1h9w7_k4x3s3x1_first",
    "n1c8h6w6_k2s1_last",
    // More than two windows to a cell, on both axes and with holes.
    "n1c3h15w14_k7s2d2_last",
    "n1c3h15w14_k7s2d2_first",
    "n2c2h10w10_k5s1_first",
    "n1c4h12w12_k6s2p3_last",
    "n1c1w40_k9s2d3p4_first",
    // Holes in windows, and windows that interleave.
    "n1c2h9w9_k2s1d2_last",
    "n1c2h9w8_k3s1d3_first",
    "n2c3h10w11_k3s2d3_last",
    "n1c4h10w12_k2s2d4_first",
    "n1c1h9w9_k2s3d5_last",
    "n1c5h8w11_k3x2s1x2d2x3p2x1_last",
    "n1c5h8w11_k3x2s1x2d2x3p2x1_first",
    "n1c3w17_k3s1d4psame_last",
    "n1c3w17_k2s4d3_first",
    // Gaps: a stride past the window, cells that no window holds, rows that no window starts.
    "n2c3h9w10_k2s3_last",
    "n2c3h9w10_k2s3_first",
    "n1c4h8w8_k1s2_last",
    "n1c4h8w16_k1s4_first",
    "n1c1h11w13_k2x1s5x3_last",
    "n2c2h7w7_k1s3psame_first",
    "n2c3h8w15_k3s4_first",
    "n1c8h9w9_k2s4psame_last",
    "n1c2h10w10_k2s5d2p1_first",
    // Padding by rule: the odd cell after, and before.
    "n1c3h7w6_k2psame_last",
    "n1c3h7w6_k2psame_first",
    "n1c3h7w6_k2plower_last",
    "n1c3h7w6_k2plower_first",
    "n2c4h5w9_k4s3psame_last",
    "n2c4h5w9_k4s3plower_first",
    "n1c2h6w6_k4s1d2psame_last",
    "n1c2h6w6_k4s1d2plower_last",
    // Padding given: uneven, on one side, as much as the stride and more.
    "n1c3h6w5_k3s2p0-1_last",
    "n1c3h6w5_k3s2p2-0_first",
    "n2c3h9w8_k7s2p5-1_last",
    "n2c3h9w8_k7s2p1-6_first",
    "n1c4h6w8_k5s1p4_last",
    "n1c4h6w8_k5s1p4_first",
    "n1c1h4w5_k3x4s1p2-0x0-3_first",
    "n1c2h5w6_k3s1d3p5x4-6_last",
    "n1c1w9_k3s3p2-2_last",
    // A window larger than the input.
    "n1c2h3w3_k5s2p2_last",
    "n1c3h2w2_k7s3p3_first",
    "n2c1w2_k9s1psame_last",
    "n1c4h3w8_k3x11s1x2p1x5_last",
    // Sizes rounded up, with and without a last window that is dropped.
    "n1c3h8w7_k3s2_ceil_last",
    "n1c3h8w7_k3s2_ceil_first",
    "n2c2h6w6_k3s2p1_ceil_last",
    "n1c1h2w2_k1s2_ceil_first",
    "n1c3h3w5_k2p1_ceil_last",
    "n1c4h9w9_k2s4p1_ceil_first",
    "n1c2h2w3_k4s4_ceil_last",
    "n1c1w10_k3s4d2p0-2_ceil_first",
    // The most cells that a one-byte tap names, and the fewest that need two.
    "n1c2h16w18_k15x17_last",
    "n1c2h33w20_k16s8_last",
    "n1c2h33w20_k16s8_first",
    "n2c3h17w16_k16s1_last",
    "n1c2h18w19_k16s1_first",
    "n1c1w300_k256s22_first",
    "n1c5d8h9w8_k7s4p3_last",
    // One axis, three axes.
    "n2c3w11_k3s2p1_last",
    "n2c3w11_k3s2p1_first",
    "n1c4w16_k4_first",
    "n1c67w9_k2_last",
    "n2c3d4h5w6_k2_last",
    "n2c3d4h5w6_k2_first",
    "n1c4d5h6w8_k3s2p1_last",
    "n1c2d5h6w8_k3s2p1_first",
    "n1c1d6h5w7_k2x3x2s1x2x3d3x1x2_last",
    "n1c2d5h4w9_k3x2x2s1psame_first",
    "n1c3d3h4w5_k2s3x1x2p1x0x1-0_ceil_last",
    // Nothing in it.
    "n0c3h5w5_k3s2p1_last",
    "n0c4w8_k2_first",
    "n0c1d3h3w3_k2_first",
];

/// Windows that reach far: the first and the last window that could hold a cell, were there no holes,
/// are tens of thousands of windows from each other, or the product of such numbers passes 32 bits.
pub(crate) const FAR: &[&str] = &[
    "n1c1h1w1_k3s1d181p181_first",
    "n1c1h1w1_k3s1d181p181_last",
    "n2c4h1w1_k3s1d181p181_last",
    "n1c1h257w257_k2s1d255_first",
    "n1c1h257w257_k2s1d255_last",
    "n1c1h400w400_k2s1d300psame_first",
    "n1c1h400w400_k2s1d300psame_last",
    "n1c1w65543_k2s1d65535_first",
    "n1c1w65543_k2s1d65535_last",
    "n1c4w65543_k2s1d65535_last",
    "n1c1d44h44w44_k2s1d40_first",
    "n1c1d44h44w44_k2s1d40_last",
    "n1c1h1w1_k255s1d2p254_first",
    "n1c1h1w1_k255s1d2p254_last",
    "n2c4h1w1_k255s1d2p254_last",
    "n1c1d1h1w1_k2s1d2000p2000-0_first",
    "n2c4d1h1w1_k2s1d2000p2000-0_last",
    "n1c1h8w8_k2s1d65535p65535-0_first",
    "n1c1h8w8_k2s1d65535p65535-0_last",
    "n2c4h8w8_k2s1d65535p65535-0_last",
];
