//! The `unpool` that TensorFlow programs share, and the same in this crate.
//!
//! The recipe of tensorflow#2169 flattens values and argmax, puts the number of the image before
//! each index unless the argmax has it already, and calls `tf.scatter_nd`, which sums the values of
//! a cell. Here the indices are checked against their windows, become taps, and are unpooled with
//! `Overlap::Sum`.

use unpool::{Engine, Error, Geometry, IndexSpace, Overlap, Padding, Shape, Taps, Window};

/// What the recipe computes. `ksize` is how many times larger than `pooled` the result is.
fn scatter_nd_unpool(
    values: &[f32],
    argmax: &[i64],
    pooled: [usize; 4],
    ksize: [usize; 4],
    include_batch_in_index: bool,
) -> Vec<f32> {
    let [batch, height, width, channels] = pooled;
    let image = height * ksize[1] * width * ksize[2] * channels;
    let mut output = vec![0.0; batch * image];
    for (i, (value, &index)) in values.iter().zip(argmax).enumerate() {
        let number = i / (height * width * channels);
        let start = if include_batch_in_index { 0 } else { number * image };
        output[start + index as usize] += value;
    }
    output
}

fn main() -> Result<(), Error> {
    // tf.nn.max_pool_with_argmax(x, ksize=3, strides=2, padding="SAME"): windows overlap, so that
    // neighbours often share their maximum.
    let window = Window::new([3, 3]).with_stride([2, 2]).with_padding(Padding::Same);
    let geometry = Geometry::new(&window, Shape::channels_last([2, 8, 6, 3]))?;
    let x: Vec<f32> = (0..geometry.input_len()).map(|i| (i * 37 % 101) as f32).collect();
    let engine = Engine::detect();
    let pooled = engine.max_pool(&geometry, &x)?;

    for (space, include_batch_in_index) in [(IndexSpace::Image, false), (IndexSpace::Batch, true)] {
        let argmax: Vec<i64> = pooled.taps.to_indices(&geometry, space)?;
        let recipe = scatter_nd_unpool(
            &pooled.values,
            &argmax,
            [2, 4, 3, 3],
            [1, 2, 2, 1],
            include_batch_in_index,
        );

        let taps = Taps::from_indices(&geometry, space, &argmax)?;
        let restored = engine.max_unpool(&geometry, &pooled.values, &taps, Overlap::Sum)?;
        assert_eq!(restored, recipe);

        let mut cells = argmax.clone();
        if !include_batch_in_index {
            let image = x.len() as i64 / 2;
            let half = cells.len() / 2;
            cells[half..].iter_mut().for_each(|index| *index += image);
        }
        cells.sort_unstable();
        cells.dedup();
        let met = argmax.len() - cells.len();
        assert!(met > 0);
        println!("{:>5} indices: {} cells, {met} values met another", space.name(), cells.len());
    }
    println!("tf.scatter_nd and Overlap::Sum agree in every cell");
    Ok(())
}
