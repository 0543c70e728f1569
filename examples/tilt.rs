//! Why unpooled pictures tilt, and why they cannot here.
//!
//! TensorFlow's argmax is flattened in the input, `(y·W + x)·C + c`. The usual recipe
//! rebuilds the output as pooled width × kernel. On an odd width that is another width: every index
//! is decoded with the wrong `W`, and each row lands a cell further to the side than the last.
//! A vertical line comes out slanted.

use unpool::{Engine, Error, Geometry, IndexSpace, Overlap, Padding, Shape, Taps, Window};

/// The picture, one character a cell.
fn picture(cells: &[f32], width: usize) -> Vec<String> {
    let row = |row: &[f32]| row.iter().map(|&v| if v > 0.0 { '#' } else { '·' }).collect();
    cells.chunks(width).map(row).collect()
}

fn main() -> Result<(), Error> {
    let [height, width] = [12, 13];
    let x: Vec<f32> = (0..height * width).map(|i| f32::from(u8::from(i % width == 6))).collect();
    let window = Window::new([2, 2]).with_padding(Padding::Same);
    let geometry = Geometry::new(&window, Shape::channels_last([1, height, width, 1]))?;
    let engine = Engine::detect();
    let pooled = engine.max_pool(&geometry, &x)?;
    let argmax: Vec<i64> = pooled.taps.to_indices(&geometry, IndexSpace::Image)?;

    // The recipe: 7 pooled columns × 2 make 14, and the line drifts to the left.
    let wrong_width = geometry.pooled_shape().spatial()[1] * 2;
    let mut tilted = vec![0.0; height * wrong_width];
    for (&value, &index) in pooled.values.iter().zip(&argmax) {
        tilted[index as usize] += value;
    }

    // Here the geometry that pooled goes with the argmax, and gives the shape of the output.
    let restored = engine.max_unpool(&geometry, &pooled.values, &pooled.taps, Overlap::Last)?;

    println!("{:<16}{:<17}taps", "input", "width × kernel");
    let tilted_rows = picture(&tilted, wrong_width);
    let restored_rows = picture(&restored, width);
    for ((a, b), c) in picture(&x, width).iter().zip(&tilted_rows).zip(&restored_rows) {
        println!("{a}   {b}   {c}");
    }
    let columns = |cells: &[f32], width: usize| {
        let mut columns: Vec<usize> =
            cells.iter().enumerate().filter(|(_, v)| **v > 0.0).map(|(i, _)| i % width).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    };
    assert_eq!(columns(&restored, width), [6]);
    assert!(columns(&tilted, wrong_width).len() > 3);

    // And indices of one width are not taken for another's: most are outside their window there.
    let other = Geometry::new(&window, Shape::channels_last([1, height, wrong_width, 1]))?;
    let refused =
        Taps::from_indices(&other, IndexSpace::Image, &argmax).expect_err("another width");
    println!("\nread with width {wrong_width}: {refused}");
    Ok(())
}
