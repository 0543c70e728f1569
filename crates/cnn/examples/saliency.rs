//! From a model file to a saliency picture:
//! `cargo run --release -p unpool-cnn --example saliency -- digits.onnx digit.png saliency.png`

use unpool_cnn::{Engine, Keep, Model, Rule, Session, Target};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, model, image, out] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("MODEL.onnx IMAGE.png OUT.png are needed".into());
    };
    let image = image::open(image)?.into_luma8();
    let (width, height) = image.dimensions();
    let pixels: Vec<f32> = image.as_raw().iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let plan = Model::open(model)?.plan(&[1, 1, height as usize, width as usize])?;
    let scores = plan.scores().name().to_owned();
    let mut session = Session::new(&Engine::detect(), plan, Keep::Layers(&[&scores]))?;
    session.forward(&pixels)?;
    let class = session.activation(&scores)?.classes()[0];
    let map = session.look_back(&scores, Target::Class(class), Rule::Guided)?.map.data;
    let largest = map.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let bytes = map.iter().map(|v| (127.5 + 127.5 * v / largest) as u8).collect();
    image::GrayImage::from_raw(width, height, bytes).ok_or("no picture")?.save(out)?;
    println!("class {class}: {out}");
    Ok(())
}
