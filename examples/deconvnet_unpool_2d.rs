//! The unpooling of the deconvolution network for segmentation (Noh, Hong and Han 2015,
//! arXiv 1505.04366): `unpool_2d` with a stride.
//!
//! The network pools 2×2 at stride 2 on its way down, records which cell won (the switch), and on
//! its way up puts each activation back there: a map twice as large with one activation in each
//! block. Deconvolutions, left out here, then fill it.

use unpool::{Engine, Error, Geometry, IndexSpace, Overlap, Pooled, Shape, Window};

/// What `unpool_2d` computes on channels last: the index, flattened in an output `stride` times as
/// large as its input, says where a value goes.
fn unpool_2d(
    values: &[f32],
    argmax: &[i64],
    [batch, height, width, channels]: [usize; 4],
    stride: [usize; 2],
) -> Vec<f32> {
    let image = height * stride[0] * width * stride[1] * channels;
    let mut output = vec![0.0; batch * image];
    for (i, (&value, &index)) in values.iter().zip(argmax).enumerate() {
        output[i / (height * width * channels) * image + index as usize] = value;
    }
    output
}

fn main() -> Result<(), Error> {
    let engine = Engine::detect();
    let stride = [2, 2];
    let (batch, channels) = (2, 4);

    // Down: three levels, each with its switches.
    let mut levels = Vec::new();
    let mut size = 24;
    let mut map: Vec<f32> =
        (0..batch * size * size * channels).map(|i| (i * 7919 % 1009) as f32 + 1.0).collect();
    while size > 3 {
        let shape = Shape::channels_last([batch, size, size, channels]);
        let geometry = Geometry::new(&Window::new(stride), shape)?;
        let Pooled { values, taps } = engine.max_pool(&geometry, &map)?;
        println!("pool    {} to {}", geometry.input_shape(), geometry.pooled_shape());
        levels.push((geometry, taps));
        map = values;
        size /= 2;
    }

    // Up: the same switches, from the last level to the first.
    for (geometry, taps) in levels.iter().rev() {
        let argmax: Vec<i64> = taps.to_indices(geometry, IndexSpace::Image)?;
        let pooled = [batch, size, size, channels];
        let loops = unpool_2d(&map, &argmax, pooled, stride);
        let restored = engine.max_unpool(geometry, &map, taps, Overlap::Last)?;
        assert_eq!(restored, loops);
        // Pooling the unpooled map finds every activation again: one in each block.
        assert_eq!(engine.max_pool(geometry, &restored)?.values, map);
        println!("unpool  {} to {}", geometry.pooled_shape(), geometry.input_shape());
        map = restored;
        size *= 2;
    }
    let kept = map.iter().filter(|&&value| value != 0.0).count();
    assert_eq!(kept, batch * 3 * 3 * channels);
    println!("{kept} activations of the last level, each where it came from");
    Ok(())
}
