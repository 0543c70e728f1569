//! A SegNet, trained on drawn shapes: the encoder pools and keeps its taps, the decoder unpools with them.
//! Sizes are odd, so that no pooled size tells the size that was pooled.
//!
//! ```sh
//! cargo run --release --example segnet
//! cargo run --release --example segnet --features vulkan -- --device wgpu
//! ```
//!
//! writes `out/segnet/sheet.png` (image, label and prediction, side by side) and an event file for
//! TensorBoard, and prints the share of pixels that are right in images that it was not trained on, of all and of those
//! that belong to a shape.

mod network;
mod shapes;
mod sheet;

use std::path::Path;

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor};
use indicatif::{ProgressBar, ProgressStyle};
use unpool_tensorboard::{Picture, Writer};

use network::SegNet;
use shapes::{CLASSES, Drawn, HEIGHT, WIDTH};

const BATCH: usize = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let steps: usize = after("--steps").map_or(Ok(800), |steps| steps.parse())?;
    let device = device(after("--device").as_deref().unwrap_or("cpu"))?;
    let out = Path::new("out/segnet");
    std::fs::create_dir_all(out)?;
    let mut events = Writer::create(out)?;

    let training = device.clone().autodiff();
    training.seed(0);
    let mut model = SegNet::new(CLASSES, &training);
    let mut optimizer = AdamConfig::new().init();
    let style = "{bar:40} {pos}/{len} steps, loss {msg}, {eta} left";
    let bar = ProgressBar::new(steps as u64).with_style(ProgressStyle::with_template(style)?);
    for step in 0..steps {
        let drawn: Vec<_> = (0..BATCH).map(|i| Drawn::new((step * BATCH + i) as u64)).collect();
        let (images, labels) = batch(&drawn, &training);
        let loss = network::cross_entropy(model.forward(images), labels);
        let value = loss.clone().into_scalar::<f32>();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let rate = 0.01 * (1.0 - step as f64 / steps as f64);
        model = optimizer.step(rate, model, gradients);
        bar.set_message(format!("{value:.3}"));
        bar.inc(1);
        events.scalar("loss", step as i64, value)?;
    }
    bar.finish();

    let unseen: Vec<_> = (0..16).map(|i| Drawn::new(u64::MAX - i)).collect();
    let (images, labels) = batch(&unseen, &device);
    let predicted = model.valid().forward(images).argmax(1);
    let share = |of: Tensor<4>| of.mean().into_scalar::<f32>();
    let (right, shapes) = (predicted.clone().equal(labels.clone()).float(), labels.greater_elem(0));
    let (shown, shapes) = (right.clone() * shapes.clone().float(), shapes.float());
    let (right, shown) = (share(right), share(shown) / share(shapes));
    let predicted: Vec<i64> = predicted.into_data().convert::<i64>().try_into_vec()?;
    let sheet = sheet::draw(&unseen, &predicted);
    let file = out.join("sheet.png");
    sheet.save(&file)?;
    let encoded = std::fs::read(&file)?;
    let (width, height) = sheet.dimensions();
    events.image(
        "image, label, prediction",
        steps as i64,
        Picture { width, height, encoded: &encoded },
    )?;
    events.scalar("right", steps as i64, right)?;
    events.finish()?;
    println!(
        "{:.1} % of the pixels of unseen images are right, {:.1} % of those of shapes; {}",
        100.0 * right,
        100.0 * shown,
        file.display()
    );
    Ok(())
}

/// Images and labels as tensors.
fn batch(drawn: &[Drawn], device: &Device) -> (Tensor<4>, Tensor<4, Int>) {
    let images: Vec<f32> = drawn.iter().flat_map(|d| d.image.iter().copied()).collect();
    let labels: Vec<i32> = drawn.iter().flat_map(|d| d.label.iter().map(|&l| l.into())).collect();
    let images = Tensor::<1>::from_floats(&images[..], device);
    let labels = Tensor::<1, Int>::from_ints(&labels[..], device);
    (
        images.reshape([drawn.len(), 3, HEIGHT, WIDTH]),
        labels.reshape([drawn.len(), 1, HEIGHT, WIDTH]),
    )
}

fn device(name: &str) -> Result<Device, Box<dyn std::error::Error>> {
    match name {
        "cpu" => Ok(Device::flex()),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(unpool_burn::init_wgpu(Device::wgpu_options())?),
        other => Err(format!("no device {other}; cpu, and with the feature wgpu also wgpu").into()),
    }
}
