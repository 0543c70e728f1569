//! The command `unpool`.

fn main() {}
