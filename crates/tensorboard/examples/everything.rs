//! One of everything, for `scripts/test-tensorboard` to read back:
//! `cargo run -p unpool-tensorboard --example everything -- DIR PICTURE.png WIDTH HEIGHT`

use unpool_tensorboard::{Histogram, Node, Picture, Writer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, dir, picture, width, height] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("DIR PICTURE.png WIDTH HEIGHT are needed".into());
    };
    let encoded = std::fs::read(picture)?;
    let picture = Picture { width: width.parse()?, height: height.parse()?, encoded: &encoded };
    let mut writer = Writer::create(dir)?;
    for step in 0..5i16 {
        writer.scalar("scalar", step.into(), f32::from(step) * 0.5)?;
    }
    writer.image("image", 1, picture)?;
    writer.images("batch", 2, &[picture, picture, picture])?;
    writer.histogram("histogram", 3, Histogram::of(&[-1.5, 0.0, 0.25, 0.25, 4.0]))?;
    writer.text("text", 4, "some *text*")?;
    let node = |name: &str, operator: &str, inputs: &[&str]| Node {
        name: name.into(),
        operator: operator.into(),
        inputs: inputs.iter().map(|&input| input.into()).collect(),
        shape: vec![1, 12, 32, 32],
    };
    writer.graph(&[node("image", "Placeholder", &[]), node("conv", "Conv", &["image"])])?;
    writer.finish()?;
    Ok(())
}
