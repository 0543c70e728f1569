//! The library in a browser.
//!
//! Three faces, all for JavaScript: the operations themselves ([`operations`], [`device`]), which
//! the browser's tests drive through every vector; the levels of the page ([`device_levels`],
//! [`frame`]); and its network ([`digits`], [`ink`]). Everything that computes without a device is in the other modules, which are
//! ordinary Rust and are tested as such: only a browser has what the first ones need.

pub mod agreement;
mod clock;
pub mod device;
pub mod device_levels;
pub mod digits;
pub mod frame;
pub mod geometry;
pub mod ink;
pub mod levels;
pub mod operations;
pub mod picture;
pub mod prepared;
pub mod probe;
pub mod settings;
pub mod tilt;

/// Panics are reported on the console, with their source location.
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}
