//! The header of a file of NumPy, checked before it is parsed.
//!
//! `npyz` parses it, and trusts it in three ways that a hostile file can use: it allocates the
//! length that the header claims (up to 4 GiB), it parses brackets by recursion, and it multiplies
//! extents without a check for overflow. A header of an array of plain numbers is short, flat and
//! small in these respects; anything else is refused here and never reaches the parser.

use std::io::{ErrorKind, Read};

use anyhow::{Context, Result, bail, ensure};
use npyz::{DType, NpyHeader, Order, TypeStr};

/// Bytes of a header at most: NumPy's own bound when it loads a file.
const MAX_BYTES: usize = 10_000;

/// The most elements of an array: those that the library can number.
const MAX_ELEMENTS: u64 = u32::MAX as u64;

const PLAIN: &str = "plain numbers are needed";
const ODD: &str = "its header is not that of an array of plain numbers";
const SHORT: &str = "is cut short inside its header";

/// What a file says about its array.
#[derive(Debug)]
pub(crate) struct Header {
    /// Which numbers, and how their bytes lie.
    pub(crate) code: TypeStr,
    /// Bytes of the array.
    pub(crate) bytes: u64,
    pub(crate) shape: Vec<usize>,
    /// Whether the first axis is the fastest.
    pub(crate) fortran: bool,
}

impl Header {
    /// Reads a header, and leaves `file` at the first byte of the array.
    pub(crate) fn read(file: &mut impl Read) -> Result<Self> {
        let mut start = [0; 8];
        fill(file, &mut start, "not a file of NumPy")?;
        ensure!(start.starts_with(b"\x93NUMPY"), "not a file of NumPy");
        let width = match start[6] {
            1 => 2,
            2 | 3 => 4,
            version => bail!("version {version} of the format is not known; 1 to 3 are"),
        };
        let mut length = [0; 4];
        fill(file, &mut length[..width], SHORT)?;
        let len = u32::from_le_bytes(length) as usize;
        ensure!(len <= MAX_BYTES, "its header has {len} bytes; at most {MAX_BYTES} are read");
        let mut whole = [&start[..], &length[..width]].concat();
        let text = whole.len();
        whole.resize(text + len, 0);
        fill(file, &mut whole[text..], SHORT)?;
        check(&whole[text..])?;
        let header = NpyHeader::from_reader(&whole[..]).map_err(|error| {
            // The parser draws where, over several lines.
            let drawn = error.to_string().contains("syntax error");
            if drawn { anyhow::anyhow!(ODD) } else { error.into() }
        })?;
        let code = match header.dtype() {
            DType::Plain(code) => code,
            other => bail!("holds {}; {PLAIN}", other.descr()),
        };
        let Some(width) = code.num_bytes() else { bail!("holds '{code}'; {PLAIN}") };
        let shape = header.shape().iter().map(|&n| Ok(usize::try_from(n)?));
        let shape = shape.collect::<Result<Vec<_>>>()?;
        // Their product fits, as `check` has seen; a number's own size may be anything.
        let elements: u64 = shape.iter().map(|&n: &usize| n as u64).product();
        let bytes = elements.checked_mul(width as u64);
        let bytes = bytes.with_context(|| format!("holds '{code}'; {PLAIN}"))?;
        Ok(Self { code, bytes, shape, fortran: header.order() == Order::Fortran })
    }
}

/// Reads as much as there is room for; `short` is the message if the file ends before.
fn fill(file: &mut impl Read, room: &mut [u8], short: &'static str) -> Result<()> {
    file.read_exact(room).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => anyhow::anyhow!(short),
        _ => error.into(),
    })
}

/// Whether a header's text is flat and its numbers, multiplied, are an array's that can be.
///
/// Strings hold no backslash and are not empty, so that none is open here that is closed for the
/// parser, or the other way round.
fn check(text: &[u8]) -> Result<()> {
    ensure!(text.is_ascii() && !text.contains(&b'\\'), ODD);
    let (mut depth, mut elements) = (0usize, 1u64);
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'\'' | b'"' => {
                let Some(end) = rest.iter().position(|b| b == first) else { bail!(ODD) };
                ensure!(end > 0, ODD);
                rest = &rest[end + 1..];
            }
            b'{' | b'(' => {
                depth += 1;
                ensure!(depth <= 2, ODD);
            }
            b'}' | b')' => depth = depth.saturating_sub(1),
            b'[' => bail!("holds a structured array; {PLAIN}"),
            b'0'..=b'9' => {
                let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                let from = text.len() - rest.len() - 1;
                let number = std::str::from_utf8(&text[from..=from + digits])?;
                rest = &rest[digits..];
                // A 0 makes the product 0, but not those of some of the extents.
                let product = number.parse().ok().and_then(|n: u64| elements.checked_mul(n.max(1)));
                elements = product.filter(|&n| n <= MAX_ELEMENTS).ok_or_else(|| {
                    anyhow::anyhow!("its shape has more than {MAX_ELEMENTS} elements")
                })?;
            }
            b'-' => bail!("its shape has a negative extent"),
            b' ' | b'\n' | b':' | b',' => {}
            b'T' if rest.starts_with(b"rue") => rest = &rest[3..],
            b'F' if rest.starts_with(b"alse") => rest = &rest[4..],
            _ => bail!(ODD),
        }
    }
    Ok(())
}
