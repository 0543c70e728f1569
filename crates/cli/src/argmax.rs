//! An argmax as a file holds it: taps, or the indices of another framework.

use anyhow::{Result, bail, ensure};
use unpool::{Geometry, IndexSpace, Taps};

use crate::npy::{self, Array, Number};
use crate::options::ArgmaxSpace;

/// Taps as an array of a file: one byte each, two where the window has more than 255 cells, or
/// indices in 64 bits, as NumPy, PyTorch and TensorFlow take them. The array has the given
/// extents.
pub(crate) fn to_array(
    geometry: &Geometry,
    taps: &Taps,
    space: ArgmaxSpace,
    extents: Vec<usize>,
) -> Result<Array> {
    Ok(match space {
        ArgmaxSpace::Taps if geometry.tap_width() == 1 => {
            Array::new(Number::U8, extents, taps.as_bytes())
        }
        ArgmaxSpace::Taps => {
            let taps: Vec<u16> = taps.iter().map(|tap| tap as u16).collect();
            Array::new(Number::U16, extents, &taps)
        }
        ArgmaxSpace::Indices(space) => {
            let indices: Vec<i64> = taps.to_indices(geometry, space)?;
            Array::new(Number::I64, extents, &indices)
        }
    })
}

/// The taps of an array, each of which names a cell of its window.
pub(crate) fn to_taps(geometry: &Geometry, array: &Array, space: ArgmaxSpace) -> Result<Taps> {
    let ArgmaxSpace::Indices(space) = space else { return own_taps(geometry, array) };
    Ok(Taps::from_indices(geometry, space, &indices(array)?)?)
}

/// The indices of an array, whatever they point at.
pub(crate) fn indices(array: &Array) -> Result<Vec<i64>> {
    Ok(match array.number {
        Number::I64 => array.numbers(),
        Number::I32 => array.numbers::<i32>().into_iter().map(i64::from).collect(),
        Number::U32 => array.numbers::<u32>().into_iter().map(i64::from).collect(),
        other => bail!("holds {}; {}", other.name(), npy::ARGMAX),
    })
}

fn own_taps(geometry: &Geometry, array: &Array) -> Result<Taps> {
    let wanted = if geometry.tap_width() == 1 { Number::U8 } else { Number::U16 };
    ensure!(
        array.number == wanted,
        "holds {}; the taps of this window are {}",
        array.number.name(),
        wanted.name()
    );
    let bytes = match wanted {
        Number::U16 => array.numbers::<u16>().into_iter().flat_map(u16::to_le_bytes).collect(),
        _ => array.bytes().to_vec(),
    };
    let taps = Taps::from_bytes(geometry, &bytes)?;
    // The library unpools a tap without a cell to nothing; a file that has one is damaged.
    let cells: Vec<i64> = taps.to_indices(geometry, IndexSpace::Plane)?;
    if let Some(element) = cells.iter().position(|&cell| cell < 0) {
        let tap = taps.get(element).unwrap_or_default();
        bail!("tap {tap} at element {element} names no cell of the input");
    }
    Ok(taps)
}
