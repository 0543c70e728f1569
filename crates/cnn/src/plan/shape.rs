//! Numbers of elements and axes of a shape.

use crate::error::Fault;

/// Elements of a shape that was counted in u32 already.
pub(super) fn len(shape: &[usize]) -> u32 {
    shape.iter().product::<usize>() as u32
}

/// An axis that may be counted from the end; `end` says whether the one past the last is allowed.
pub(super) fn resolve_axis(axis: i64, rank: usize, end: bool) -> Result<usize, Fault> {
    let count = rank as i64;
    let found = if axis < 0 { axis.saturating_add(count) } else { axis };
    let highest = if end { count } else { count - 1 };
    if found < 0 || found > highest {
        let allowed = format!("{} to {highest} are allowed", -count);
        return Err(Fault::new(format!("axis is {axis}"), allowed));
    }
    Ok(found as usize)
}
