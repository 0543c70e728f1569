//! Layers whose channels are last, as inside of a ConvNeXt.

use unpool_cnn::{Attribution, Cam, Keep, Layer, Layout, Model, Projection, Rule, Session, Target};

use crate::support::engines::engines;
use crate::support::onnx::{Attribute, floats, ints, model, node};
use crate::support::random::Random;

/// A network of small images whose blocks have the channels last, and the same with them second.
fn blocks(channels_last: bool) -> Model {
    let r = &mut Random::new(21);
    let (first, second) = (r.floats(6 * 3 * 9), r.floats(8 * 6));
    // As a convolution of one cell, [8, 6, 1, 1], and as a matrix, [6, 8].
    let turned: Vec<_> = (0..48).map(|i| second[i % 8 * 6 + i / 8]).collect();
    let scores = r.floats(8 * 4);
    let weights = [
        floats("k", &[6, 3, 3, 3], &first),
        floats("k1", &[8, 6, 1, 1], &second),
        floats("m", &[6, 8], &turned),
        floats("w", &[8, 4], &scores),
        ints("flat", &[0, -1]),
    ];
    let perm = |order: &[i64]| [Attribute::Ints("perm", order.to_vec())];
    let mut nodes = vec![node("Conv", &["x", "k"], &["c"], &[])];
    if channels_last {
        nodes.push(node("Transpose", &["c"], &["last"], &perm(&[0, 2, 3, 1])));
        nodes.push(node("MatMul", &["last", "m"], &["h"], &[]));
    } else {
        nodes.push(node("Conv", &["c", "k1"], &["h"], &[]));
    }
    nodes.push(node("Relu", &["h"], &["act"], &[]));
    let maps = if channels_last { "back" } else { "act" };
    if channels_last {
        nodes.push(node("Transpose", &["act"], &["back"], &perm(&[0, 3, 1, 2])));
    }
    nodes.push(node("GlobalAveragePool", &[maps], &["mean"], &[]));
    nodes.push(node("Reshape", &["mean", "flat"], &["row"], &[]));
    nodes.push(node("MatMul", &["row", "w"], &["y"], &[]));
    Model::from_bytes(&model(&nodes, &weights, 17)).expect("a model")
}

#[test]
fn they_are_looked_back_from_like_layers_whose_channels_are_second() {
    let shape = [2, 3, 7, 9];
    let image = Random::new(5).floats(2 * 3 * 7 * 9);
    let close = |a: &[f32], b: &[f32]| {
        let largest = b.iter().fold(1e-6f32, |m, x| m.max(x.abs()));
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * largest)
    };
    for (name, engine) in engines().iter() {
        let open = |last| {
            let plan = blocks(last).plan(&shape).expect("it fits");
            let mut session = Session::new(engine, plan, Keep::All).expect("memory");
            session.forward(&image).expect("it runs");
            let layer = session.plan().layer("act").expect("it is there").clone();
            (session, layer)
        };
        let ((mut first, one), (mut last, other)) = (open(false), open(true));
        assert_eq!((one.layout(), other.layout()), (Layout::ChannelsFirst, Layout::ChannelsLast));
        assert_eq!(other.shape(), [2, 5, 7, 8]);
        assert_eq!((other.channels(), other.positions()), (8, 35));
        assert_eq!(other.spatial(), one.spatial());
        let responses = last.activation("act").expect("it was kept").channels_first(other.layout());
        let expected = first.activation("act").expect("it was kept");
        assert_eq!(responses.shape, expected.shape, "{name}");
        assert!(close(&responses.data, &expected.data), "{name}");
        for target in [
            Target::Channel(7),
            Target::Responses(3),
            Target::Strongest(5),
            Target::Unit { channel: 6, position: 11 },
        ] {
            let a = first.look_back("act", target, Rule::Guided).expect("it runs");
            let b = last.look_back("act", target, Rule::Guided).expect("it runs");
            assert!(close(&b.map.data, &a.map.data), "{name} {target:?}");
            let at =
                |p: &Projection| p.units.iter().map(|u| u.map(|u| u.position)).collect::<Vec<_>>();
            assert_eq!(at(&a), at(&b), "{name} {target:?}");
        }
        // In each image its own target, and none in one.
        let unit = |position| Some(Target::Unit { channel: 6, position });
        for each in [vec![unit(3), unit(30)], vec![None, Some(Target::Responses(2))]] {
            let a = first.look_back("act", each.clone(), Rule::Guided).expect("it runs");
            let b = last.look_back("act", each.clone(), Rule::Guided).expect("it runs");
            assert!(close(&b.map.data, &a.map.data), "{name} {each:?}");
            for (i, target) in each.iter().enumerate() {
                let image = a.map.image(i);
                let Some(target) = *target else {
                    assert!(image.iter().all(|&x| x == 0.0), "{name} {each:?}");
                    continue;
                };
                let alone = first.look_back("act", target, Rule::Guided).expect("it runs");
                assert!(close(image, alone.map.image(i)), "{name} {each:?}");
            }
        }
        assert!(last.look_back("act", vec![unit(3)], Rule::Guided).is_err());
        let field = |session: &Session, layer: &Layer| session.plan().receptive_field(layer, 11);
        assert_eq!(field(&first, &one), field(&last, &other));
        for cam in Cam::ALL {
            let a = first.class_activation(cam, "y", Target::Class(2), "act").expect("it runs");
            let b = last.class_activation(cam, "y", Target::Class(2), "act").expect("it runs");
            assert_eq!(b.shape, [2, 1, 5, 7]);
            assert!(close(&b.data, &a.data), "{name} {cam:?}");
        }
        let guided = Attribution::GuidedGradCam { at: "act".into() };
        let a = first.attribute(&guided, &image, "y", Target::Class(1)).expect("it runs").map;
        let b = last.attribute(&guided, &image, "y", Target::Class(1)).expect("it runs").map;
        assert!(close(&b.data, &a.data), "{name}");
        assert!(last.look_back("act", Target::Channel(8), Rule::Gradient).is_err());
    }
}
