//! How long a network takes: `cargo run --release --example time -- MODEL.onnx [RUNS] [DEVICE]`.
//!
//! Prints one line of JSON with the seconds of reading, planning and preparing it, and the medians of a
//! forward pass, and of one with the way back from a class, each in a session of its own. `benches/peers/networks.py`
//! compares them with other runtimes.

use std::time::Instant;

use unpool_cnn::{Engine, Keep, Layout, Model, Rule, Session, Target};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: time MODEL.onnx [RUNS] [DEVICE]")?;
    let runs = arguments.get(1).map_or(Ok(5), |runs| runs.parse::<usize>())?.max(1);
    let engine = Engine::named(arguments.get(2).map_or("cpu", String::as_str))?;

    let start = Instant::now();
    let model = Model::open(path)?;
    let read = start.elapsed().as_secs_f64();
    // Open extents are those of ImageNet's images.
    let dims = model.input_dims().unwrap_or_else(|| vec![None; 4]);
    let channels = if model.input_layout() == Layout::ChannelsLast { dims.len() - 1 } else { 1 };
    let open = |(i, dim): (usize, Option<usize>)| match dim {
        Some(dim) => dim,
        None if i == 0 => 1,
        None if i == channels => 3,
        None => 224,
    };
    let shape: Vec<_> = dims.into_iter().enumerate().map(open).collect();
    let start = Instant::now();
    let plan = model.plan(&shape)?;
    let planned = start.elapsed().as_secs_f64();
    let scores = plan.scores().name().to_owned();
    let image: Vec<f32> =
        (0..shape.iter().product()).map(|i: usize| (i % 251) as f32 / 251.0).collect();
    let start = Instant::now();
    let mut session = Session::new(&engine, plan.clone(), Keep::Output)?;
    let prepared = start.elapsed().as_secs_f64();
    let mut forward = Vec::new();
    for _ in 0..=runs {
        let start = Instant::now();
        session.forward(&image)?;
        session.output()?;
        forward.push(start.elapsed().as_secs_f64());
    }
    drop(session);
    // The way back reads tensors that a forward pass by itself need not keep.
    let mut session = Session::new(&engine, plan, Keep::Layers(&[&scores]))?;
    let mut both = Vec::new();
    for _ in 0..=runs {
        let start = Instant::now();
        session.forward(&image)?;
        session.look_back(&scores, Target::Channel(0), Rule::Gradient)?;
        both.push(start.elapsed().as_secs_f64());
    }
    // The first run compiles and touches memory.
    let median = |mut times: Vec<f64>| {
        times.remove(0);
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    println!(
        "{{\"device\": {:?}, \"shape\": {shape:?}, \"read\": {read:.4}, \"plan\": {planned:.4}, \
         \"prepare\": {prepared:.4}, \
         \"forward\": {:.5}, \"forward_and_back\": {:.5}}}",
        engine.description(),
        median(forward),
        median(both)
    );
    Ok(())
}
