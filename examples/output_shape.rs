//! Unpooling to an explicit output shape, which sizes that the stride does not divide need.
//!
//! A 5×7 image pooled 2×2 with SAME padding becomes 3×4, and so does a 6×8 one: the pooled tensor
//! does not know which it was. TensorFlow programs pass `output_shape` along and decode indices with
//! it. Here the size goes into the geometry.

use unpool::{Engine, Error, Geometry, IndexSpace, Overlap, Padding, Shape, Taps, Window};

/// The usual function: decodes each index into row, column and channel of the output shape, and puts the
/// value there.
fn unpool(
    values: &[f32],
    argmax: &[i64],
    per_image: usize,
    [batch, height, width, channels]: [usize; 4],
) -> Vec<f32> {
    let mut output = vec![0.0; batch * height * width * channels];
    for (i, (&value, &index)) in values.iter().zip(argmax).enumerate() {
        let index = index as usize;
        let y = index / (width * channels);
        let x = index % (width * channels) / channels;
        let c = index % channels;
        output[((i / per_image * height + y) * width + x) * channels + c] = value;
    }
    output
}

fn main() -> Result<(), Error> {
    let engine = Engine::detect();
    let window = Window::new([2, 2]).with_padding(Padding::Same);
    let pooling = Geometry::new(&window, Shape::channels_last([2, 5, 7, 3]))?;
    let x: Vec<f32> = (0..pooling.input_len()).map(|i| (i * 29 % 97) as f32 + 1.0).collect();
    let pooled = engine.max_pool(&pooling, &x)?;

    // What is left when the input is gone: values, argmax, and the shape somebody kept.
    let (values, shape) = (pooled.values, *pooling.pooled_shape());
    let argmax: Vec<i64> = pooled.taps.to_indices(&pooling, IndexSpace::Image)?;

    let unpooling = Geometry::for_pooled(&window, shape, Some(&[5, 7]))?;
    let taps = Taps::from_indices(&unpooling, IndexSpace::Image, &argmax)?;
    let restored = engine.max_unpool(&unpooling, &values, &taps, Overlap::Last)?;
    assert_eq!(restored, unpool(&values, &argmax, values.len() / 2, [2, 5, 7, 3]));
    println!("{shape} unpooled to {}", unpooling.input_shape());

    // Left out, the size is the largest that pools to this shape: right only by luck.
    let largest = Geometry::for_pooled(&window, shape, None)?;
    assert_eq!(largest.input_shape(), &Shape::channels_last([2, 6, 8, 3]));
    println!("without a size: {}", largest.input_shape());

    // The sizes between are those that pool to this shape; others are refused.
    let refused = Geometry::for_pooled(&window, shape, Some(&[5, 9])).expect_err("9 pools to 5");
    println!("5×9: {refused}");
    Ok(())
}
