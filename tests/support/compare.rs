//! Comparison bit for bit, and a report of everything that differs.

use std::fmt;

use unpool::Cell;

use super::devices::at_once;
use super::oracle::{Bits, value};

/// Failures that are shown.
const SHOWN: usize = 20;

/// Failures, collected so that one broken rule does not hide another.
#[derive(Default)]
pub(crate) struct Report {
    compared: usize,
    failures: Vec<String>,
}

impl Report {
    /// Adds what differs between `found` and `expected`, if anything does.
    pub(crate) fn add(&mut self, compared: Result<(), String>) {
        self.compared += 1;
        self.failures.extend(compared.err());
    }

    /// Checks each, all at once, and finishes with what all of them reported.
    pub(crate) fn of_each<A: Sync>(all: &[A], check: impl Fn(&A, &mut Self) + Sync) {
        let mut whole = Self::default();
        whole.add_each(all, check);
        whole.finish();
    }

    /// Checks each, all at once, and adds what all of them reported.
    pub(crate) fn add_each<A: Sync>(&mut self, all: &[A], check: impl Fn(&A, &mut Self) + Sync) {
        let reports = at_once(all, |one| {
            let mut report = Self::default();
            check(one, &mut report);
            report
        });
        for report in reports {
            assert!(report.compared > 0, "nothing was compared on one of them");
            self.compared += report.compared;
            self.failures.extend(report.failures);
        }
    }

    /// Whether more failures would not be shown.
    pub(crate) fn is_full(&self) -> bool {
        self.failures.len() >= SHOWN
    }

    /// Panics with what differed. A report that compared nothing fails too.
    pub(crate) fn finish(self) {
        assert!(self.compared > 0, "nothing was compared");
        let shown = self.failures.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
        assert!(
            self.failures.is_empty(),
            "{} of {} comparisons failed:\n{shown}",
            self.failures.len(),
            self.compared
        );
    }
}

/// `found` must have the bits of `expected`; `context` names case, engine and field.
pub(crate) fn same_bits<T: Cell + Bits>(
    context: &dyn fmt::Display,
    found: &[T],
    expected: &[T],
) -> Result<(), String> {
    let show = |element: T| {
        let digits = 2 * T::ELEMENT.bytes();
        format!("0x{:0digits$x} ({})", element.bits(), value(element))
    };
    first_difference(context, found, expected, |a, b| a.bits() == b.bits(), show)
}

/// `found` must equal `expected`.
pub(crate) fn same<A: Copy + PartialEq + fmt::Debug>(
    context: &dyn fmt::Display,
    found: &[A],
    expected: &[A],
) -> Result<(), String> {
    first_difference(context, found, expected, |a, b| a == b, |a| format!("{a:?}"))
}

fn first_difference<A: Copy>(
    context: &dyn fmt::Display,
    found: &[A],
    expected: &[A],
    equal: impl Fn(A, A) -> bool,
    show: impl Fn(A) -> String,
) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!(
            "{context}: {} elements found, {} expected",
            found.len(),
            expected.len()
        ));
    }
    let differs = |i: &usize| !equal(found[*i], expected[*i]);
    let wrong = (0..found.len()).filter(differs).count();
    match (0..found.len()).find(differs) {
        None => Ok(()),
        Some(i) => Err(format!(
            "{context}: element {i} is {}, expected {} ({wrong} of {} differ)",
            show(found[i]),
            show(expected[i]),
            found.len()
        )),
    }
}
