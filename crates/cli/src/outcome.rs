//! The outcome of a command that ran to its end.

/// Whether all results agreed: exit status 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Agrees,
    Differs,
}
