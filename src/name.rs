//! Names of values in files and on the command line, and the error of one that is unknown.

/// A name that no value of the type has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {found:?} is unknown; {allowed} are allowed")]
#[non_exhaustive]
pub struct UnknownName {
    /// The kind of value that was asked for, such as `index space`.
    pub what: &'static str,
    /// The name that was found.
    pub found: String,
    /// The names that are allowed, as a list to read.
    pub allowed: String,
}

/// Implements `Display` and `FromStr` for a type by its `ALL` and its `name`.
macro_rules! named {
    ($type:ty, $what:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::name::UnknownName;

            /// The value of a [`name`](Self::name), in any case, with `-` or `_` between its words.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::name::parse($what, text, &Self::ALL, Self::name)
            }
        }
    };
}
pub(crate) use named;

/// The value of `all` with a given name, in any case and with `-` or `_` between its words.
pub(crate) fn parse<T: Copy>(
    what: &'static str,
    found: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let wanted = found.to_ascii_lowercase().replace('_', "-");
    all.iter().copied().find(|&value| name(value) == wanted).ok_or_else(|| UnknownName {
        what,
        found: found.into(),
        allowed: list(all.iter().map(|&value| name(value)).collect()),
    })
}

/// `a, b and c`.
fn list(mut names: Vec<&str>) -> String {
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last.into() } else { format!("{} and {last}", names.join(", ")) }
}
