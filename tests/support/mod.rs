//! What the groups of tests share.

pub(crate) mod cases;
pub(crate) mod compare;
pub(crate) mod fill;
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
