//! The feature `serde`: values are read back as they were written, and inconsistent ones are refused.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use unpool::{
    Element, Geometry, IndexSpace, Layout, Overlap, Padding, PerAxis, Scatter, Shape, Window,
};

/// Writes a value as `json` says, and reads it back.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, json: &str) {
    let written = serde_json::to_string(&value).unwrap();
    assert_eq!(written, json);
    assert_eq!(serde_json::from_str::<T>(&written).unwrap(), value);
}

#[test]
fn every_type_is_written_and_read_back() {
    for element in Element::ALL {
        round_trip(element, &format!("\"{element}\""));
    }
    for space in IndexSpace::ALL {
        round_trip(space, &format!("\"{space}\""));
    }
    for layout in Layout::ALL {
        round_trip(layout, &format!("\"{layout}\""));
    }
    for overlap in Overlap::ALL {
        round_trip(overlap, &format!("\"{overlap}\""));
    }
    round_trip(PerAxis::<usize>::from(2), "2");
    round_trip(PerAxis::<usize>::from([2]), "[2]");
    round_trip(PerAxis::<(usize, usize)>::from((1, 2)), "[1,2]");
    round_trip(PerAxis::<(usize, usize)>::from([(1, 2), (3, 4)]), "[[1,2],[3,4]]");
    round_trip(Padding::Same, "\"same\"");
    round_trip(Padding::SameLower, "\"same-lower\"");
    round_trip(Padding::from([1, 2]), r#"{"explicit":[[1,1],[2,2]]}"#);
    round_trip(Shape::nchw([1, 2, 3, 4]), r#"{"layout":"channels-first","dims":[1,2,3,4]}"#);
    let window = r#"{"kernel":3,"stride":[2,1],"dilation":1,"padding":"valid","ceil_mode":true}"#;
    round_trip(Window::new(3).with_stride([2, 1]).with_ceil_mode(true), window);
}

#[test]
fn a_geometry_is_read_back_whichever_way_it_was_made() {
    let window = Window::new(2).with_dilation(3).with_padding(1);
    let pooled = Geometry::new(&window, Shape::nhwc([2, 9, 8, 3])).unwrap();
    // PyTorch's range holds sizes that pooling makes no 3×3 of.
    let window = Window::new(2);
    let unpooled = Geometry::for_pooled(&window, Shape::nchw([1, 1, 3, 3]), Some(&[5, 7])).unwrap();
    assert_ne!(Geometry::new(&window, *unpooled.input_shape()), Ok(unpooled));
    for geometry in [pooled, unpooled] {
        let json = serde_json::to_string(&geometry).unwrap();
        assert_eq!(serde_json::from_str::<Geometry>(&json).unwrap(), geometry);
        let wrong = json.replace("\"dims\":[2,", "\"dims\":[4,").replace("[1,1,3,3]", "[1,1,9,3]");
        assert_ne!(serde_json::from_str::<Geometry>(&wrong).ok(), Some(geometry));
    }
}

#[test]
fn a_scatter_is_written_and_read_back_and_its_shapes_are_checked() {
    let shape = |dims: &str| format!(r#"{{"layout":"channels-first","dims":{dims}}}"#);
    let json = |index: &str| {
        let [pooled, output, index] = ["[1,1,2,2]", "[1,1,5,5]", index].map(shape);
        let shapes = format!(r#""pooled_shape":{pooled},"output_shape":{output}"#);
        format!(r#"{{{shapes},"index_shape":{index},"index_space":"tensor"}}"#)
    };
    let (pooled, output) = (Shape::nchw([1, 1, 2, 2]), Shape::nchw([1, 1, 5, 5]));
    let scatter = Scatter::new(pooled, output, IndexSpace::Tensor).unwrap();
    round_trip(scatter, &json("[1,1,5,5]"));
    round_trip(scatter.with_index_shape(Shape::nchw([1, 1, 4, 4])).unwrap(), &json("[1,1,4,4]"));
    let error = serde_json::from_str::<Scatter>(&json("[1,1,6,5]")).unwrap_err().to_string();
    assert!(error.contains("output size 5 on axis 0"), "{error}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let window =
        r#"{"kernel":[3],"stride":[3],"dilation":[1],"padding":"valid","ceil_mode":false}"#;
    let shape = |dims: &str| format!(r#"{{"layout":"channels-last","dims":{dims}}}"#);
    let read = |input: &str, pooled: &str| {
        let (input, pooled) = (shape(input), shape(pooled));
        serde_json::from_str::<Geometry>(&format!(
            r#"{{"window":{window},"input_shape":{input},"pooled_shape":{pooled}}}"#
        ))
    };
    assert!(read("[1,9,4]", "[1,3,4]").is_ok());
    for (input, pooled, message) in [
        ("[1,9,4]", "[1,7,4]", "output size 9 on axis 0"),
        ("[1,9,4]", "[2,3,4]", "differs from"),
        ("[1,9,0]", "[1,3,0]", "0 channels"),
        ("[1,2,4]", "[1,0,4]", "is 0 on axis 0"),
    ] {
        let error = read(input, pooled).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert!(serde_json::from_str::<Element>("\"f64\"").is_err());
    assert!(serde_json::to_string(&PerAxis::<usize>::from([1; 4])).is_err());
    assert!(serde_json::to_string(&Shape::channels_last([1; 9])).is_err());
}
