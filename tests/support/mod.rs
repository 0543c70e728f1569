//! What the groups of tests share.

pub(crate) mod cases;
pub(crate) mod compare;
pub(crate) mod devices;
pub(crate) mod fill;
pub(crate) mod guarded;
pub(crate) mod oracle;

/// Runs `$function::<T>($arguments…)` for every element type.
macro_rules! every_element {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        $function::<f32>($($argument),*);
        $function::<half::f16>($($argument),*);
        $function::<half::bf16>($($argument),*);
        $function::<i32>($($argument),*);
        $function::<u32>($($argument),*);
        $function::<i8>($($argument),*);
        $function::<u8>($($argument),*);
    }};
    // The same for functions that return a `Result`.
    ($function:ident($($argument:expr),* $(,)?)?) => {{
        $function::<f32>($($argument),*)?;
        $function::<half::f16>($($argument),*)?;
        $function::<half::bf16>($($argument),*)?;
        $function::<i32>($($argument),*)?;
        $function::<u32>($($argument),*)?;
        $function::<i8>($($argument),*)?;
        $function::<u8>($($argument),*)?;
    }};
}
pub(crate) use every_element;

/// Runs `$function::<T>($arguments…, engines)` for every element type: f32 on all of `$engines`,
/// the others on the CPU and, taking turns over the cases, on the adapters too. There every
/// pipeline takes its time to compile.
macro_rules! elements_in_turn {
    ($case:expr, $engines:expr, $function:ident($($argument:expr),* $(,)?)) => {{
        let engines: &[(String, unpool::Engine)] = $engines;
        let on = |element| {
            let all = $crate::support::takes_turn(element, $case);
            if all { engines } else { &engines[..1] }
        };
        $function::<f32>($($argument),*, on(unpool::Element::F32));
        $function::<half::f16>($($argument),*, on(unpool::Element::F16));
        $function::<half::bf16>($($argument),*, on(unpool::Element::BF16));
        $function::<i32>($($argument),*, on(unpool::Element::I32));
        $function::<u32>($($argument),*, on(unpool::Element::U32));
        $function::<i8>($($argument),*, on(unpool::Element::I8));
        $function::<u8>($($argument),*, on(unpool::Element::U8));
    }};
}
pub(crate) use elements_in_turn;

/// Whether an element runs on the adapters in case number `case` of the table.
pub(crate) fn takes_turn(element: unpool::Element, case: usize) -> bool {
    // Cases come in pairs of layouts: every round of six is shifted by one.
    let turn = 1 + (case + case / 6) % 6;
    element == unpool::Element::ALL[0] || element == unpool::Element::ALL[turn]
}
