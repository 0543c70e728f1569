//! Layers whose channels are last, as inside of a ConvNeXt: the digits' network with two more nodes.

use std::fs;
use std::path::Path;

use crate::network::{Scratch, array, data, said, unpool};

/// A field of bytes of a protobuf message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8][..], bytes].concat()
}

/// The network, with a layer `last` that is `relu3` with the channels last, and its ReLU, `same`:
/// protobuf adds up what is appended to a message.
fn network() -> Vec<u8> {
    let mut order = field(1, b"perm");
    for axis in [0, 2, 3, 1] {
        order.extend([8 << 3, axis]);
    }
    // An AttributeProto of the type INTS.
    order.extend([0xa0, 1, 7]);
    let node = |operator: &str, input: &str, output: &str, rest: &[u8]| {
        let names = [field(1, input.as_bytes()), field(2, output.as_bytes())].concat();
        [names, field(3, output.as_bytes()), field(4, operator.as_bytes()), rest.to_vec()].concat()
    };
    let nodes =
        [node("Transpose", "relu3", "last", &field(5, &order)), node("Relu", "last", "same", &[])];
    let graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    [fs::read(data("digits.onnx")).expect("it is there"), field(7, &graph)].concat()
}

#[test]
fn they_are_shown_and_searched_like_layers_whose_channels_are_second() {
    let scratch = Scratch::new("channels-last");
    let model = scratch.path("model.onnx");
    fs::write(&model, network()).expect("the temporary directory is writable");
    let images = ["digit-0.png", "digit-3.png"].map(data);
    let [image, other] = &images;
    let out = scratch.path("out");

    let maps = scratch.path("maps");
    let asked = ["--layer", "same", "--layer", "relu3", "--channel", "16", "--maps", &maps];
    for of in ["responses", "channel", "strongest"] {
        let arguments = ["visualize", &model, image, "--device", "cpu", "--out", &out];
        said(&unpool(&[&arguments[..], &asked, &["--of", of]].concat()));
        for method in ["gradient", "deconvnet", "guided"] {
            let map = |layer: &str| array(&format!("{maps}/digit-0.{layer}.{method}.npy"));
            let (header, map, expected) = (map("same").0, map("same").1, map("relu3").1);
            assert!(header.contains("(1, 1, 32, 32, )"), "{header}");
            assert!(map.iter().any(|&x| x != 0.0), "{method} of {of}");
            assert!(map == expected, "{method} of {of}");
        }
    }
    let arguments = ["visualize", &model, image, other, "--device", "cpu", "--out", &out];
    let top = ["--top", "4", "--layer", "same", "--layer", "relu3", "--method", "guided"];
    said(&unpool(&[&arguments[..], &top].concat()));
    let sheet = |layer: &str| {
        let path = Path::new(&out).join(format!("top-{layer}.png"));
        image::open(path).expect("a PNG").into_rgb8()
    };
    // Below the title, which has the layer's name.
    let body = |layer: &str| sheet(layer).rows().skip(100).flatten().copied().collect::<Vec<_>>();
    assert!(body("same") == body("relu3"));
    // Evidence is looked for in such maps as well; nothing here depends on these.
    let class = ["--class", "3", "--layer", "same", "--method", "grad-cam,guided-grad-cam"];
    said(&unpool(&[&arguments[..], &class].concat()));

    let file = scratch.path("same.npy");
    let run = ["run", &model, image, "--device", "cpu", "--out", &file, "--layer"];
    said(&unpool(&[&run[..], &["same"]].concat()));
    let (header, last) = array(&file);
    assert!(header.contains("(1, 16, 16, 24, )"), "{header}");
    said(&unpool(&[&run[..], &["relu3"]].concat()));
    let second = array(&file).1;
    assert!((0..last.len()).all(|i| last[i] == second[i % 24 * 256 + i / 24]));

    let maximize = ["maximize", &model, "--device", "cpu", "--out", &out, "--steps", "2"];
    said(&unpool(&[&maximize[..], &["--layer", "same", "--channel", "23"]].concat()));
    let error = unpool(&[&maximize[..], &["--layer", "same", "--channel", "24"]].concat());
    assert!(String::from_utf8_lossy(&error.stderr).contains("channels 0 to 23"), "{error:?}");
    said(&unpool(&["layers", &model]));
}
