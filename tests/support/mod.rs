//! Code that the groups of tests share.

pub(crate) mod bench;
pub(crate) mod cases;
pub(crate) mod compare;
pub(crate) mod devices;
pub(crate) mod fill;
pub(crate) mod guarded;
pub(crate) mod oracle;
pub(crate) mod random_cases;

/// Runs `$function::<T>($arguments…)` for every element type; with a `?` at the end, of functions
/// that return a `Result`.
macro_rules! every_element {
    ($function:ident($($argument:expr),* $(,)?) $($question:tt)?) => {{
        $function::<f32>($($argument),*) $($question)?;
        $function::<half::f16>($($argument),*) $($question)?;
        $function::<half::bf16>($($argument),*) $($question)?;
        $function::<i32>($($argument),*) $($question)?;
        $function::<u32>($($argument),*) $($question)?;
        $function::<i8>($($argument),*) $($question)?;
        $function::<u8>($($argument),*) $($question)?;
    }};
}
pub(crate) use every_element;

/// Runs `$function::<T>($arguments…)` for every element type on the CPU, and on an adapter for f32
/// and, alternating over the cases, for another one. There every pipeline takes its time to compile.
macro_rules! elements_by_case {
    ($case:expr, $engine:expr, $function:ident($($argument:expr),* $(,)?)) => {{
        let runs = |element| {
            matches!($engine, unpool::Engine::Cpu) || $crate::support::runs_in_case(element, $case)
        };
        macro_rules! run {
            ($type:ty) => {
                if runs(<$type as unpool::Cell>::ELEMENT) {
                    $function::<$type>($($argument),*);
                }
            };
        }
        run!(f32);
        run!(half::f16);
        run!(half::bf16);
        run!(i32);
        run!(u32);
        run!(i8);
        run!(u8);
    }};
}
pub(crate) use elements_by_case;

/// Whether an element runs on the adapters in case number `case` of the table.
pub(crate) fn runs_in_case(element: unpool::Element, case: usize) -> bool {
    // Cases come in pairs of layouts: every round of six is shifted by one.
    let other = 1 + (case + case / 6) % 6;
    element == unpool::Element::ALL[0] || element == unpool::Element::ALL[other]
}
