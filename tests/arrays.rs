//! The operations on `ndarray` arrays of any memory order and dimension give the same as on slices.

use ndarray::{Array, Array2, Array3, Array4, ArrayD, Axis, IxDyn, ShapeBuilder};
use unpool::{
    Cell, Engine, Error, Geometry, IndexSpace, Overlap, Padding, Scatter, Shape, Taps, Window,
};

use crate::support::cases::table;
use crate::support::compare::{Report, same_bits};
use crate::support::every_element;
use crate::support::fill::{Fill, fill};
use crate::support::oracle::Bits;

/// The same array in row-major memory, in column-major, backwards, and as every second element of
/// a larger one.
fn orders<T: Cell>(shape: &Shape, elements: &[T]) -> [(&'static str, ArrayD<T>, usize); 4] {
    let array = ArrayD::from_shape_vec(IxDyn(shape.dims()), elements.to_vec()).unwrap();
    let mut columns = ArrayD::default(IxDyn(shape.dims()).f());
    columns.assign(&array);
    let last = Axis(shape.dims().len() - 1);
    let mut backwards = array.clone();
    backwards.invert_axis(last);
    let backwards = backwards.as_standard_layout().into_owned();
    let mut wide = shape.dims().to_vec();
    wide[last.0] *= 2;
    let mut spread = ArrayD::default(IxDyn(&wide));
    for (i, lane) in array.axis_iter(last).enumerate() {
        spread.index_axis_mut(last, 2 * i).assign(&lane);
    }
    [
        ("rows", array, 1),
        ("columns", columns, 1),
        ("backwards", backwards, 0),
        ("spread", spread, 2),
    ]
}

fn check<T: Cell + Bits>(report: &mut Report, engine: &Engine) {
    for case in table() {
        let geometry = case.geometry().unwrap();
        let (input, pooled) = (geometry.input_shape(), geometry.pooled_shape());
        let x: Vec<T> = fill(Fill::Specials, geometry.input_len(), 7);
        let g: Vec<T> = fill(Fill::Permutation, geometry.pooled_len(), 8);
        let expected = engine.max_pool(&geometry, &x).unwrap();
        let taps = &expected.taps;
        let last = engine.max_unpool(&geometry, &g, taps, Overlap::Last).unwrap();
        let gathered = engine.max_unpool_backward(&geometry, &x, taps).unwrap();
        let inputs = orders(input, &x);
        for (order, array, step) in &inputs {
            let view = seen(array, *step);
            let found = engine.max_pool_array(&geometry, &view).unwrap();
            assert_eq!(&found.taps, taps, "{case} {order}");
            let context = format!("{case} {order} values");
            report.add(same_bits(&context, found.values.as_slice().unwrap(), &expected.values));
            let found = engine.max_unpool_backward_array(&geometry, &view, taps).unwrap();
            assert_eq!(found.shape(), pooled.dims());
            let context = format!("{case} {order} grad_updates");
            report.add(same_bits(&context, found.as_slice().unwrap(), &gathered));
        }
        let grads = orders(pooled, &g);
        let sum = engine.max_pool_backward(&geometry, &g, taps);
        for (order, array, step) in &grads {
            let view = seen(array, *step);
            let found = engine.max_unpool_array(&geometry, &view, taps, Overlap::Last).unwrap();
            assert_eq!(found.shape(), input.dims());
            let context = format!("{case} {order} output");
            report.add(same_bits(&context, found.as_slice().unwrap(), &last));
            match (engine.max_pool_backward_array(&geometry, &view, taps), &sum) {
                (Ok(found), Ok(sum)) => {
                    let context = format!("{case} {order} grad_input");
                    report.add(same_bits(&context, found.as_slice().unwrap(), sum));
                }
                (found, sum) => assert_eq!(found.err(), sum.clone().err(), "{case} {order}"),
            }
        }
    }
}

/// The array that lies in memory as [`orders`] left it.
fn seen<T>(array: &ArrayD<T>, step: usize) -> ndarray::ArrayViewD<'_, T> {
    let mut view = array.view();
    let last = Axis(view.ndim() - 1);
    match step {
        0 => view.invert_axis(last),
        2 => view.slice_axis_inplace(last, ndarray::Slice::new(0, None, 2)),
        _ => {}
    }
    view
}

#[test]
fn every_memory_order_gives_the_bits_of_slices() {
    // Arrays become slices before an engine sees them: one engine tells as much as all.
    let mut report = Report::default();
    every_element!(check(&mut report, &Engine::Cpu));
    report.finish();
}

#[test]
fn fixed_and_dynamic_dimensions_and_turned_axes_are_taken() -> Result<(), Error> {
    let engine = Engine::Cpu;
    // PyTorch's order of axes in memory, seen in TensorFlow's.
    let nchw = Array4::from_shape_fn((2, 3, 5, 7), |(n, c, y, x)| {
        ((n * 31 + c * 17 + y * 11 + x * 5) % 13) as f32
    });
    let nhwc = nchw.view().permuted_axes([0, 2, 3, 1]);
    let window = Window::new([3, 3]).with_stride([2, 2]).with_padding(Padding::Same);
    let first = Geometry::new(&window, Shape::channels_first(nchw.shape()))?;
    let last = Geometry::new(&window, Shape::channels_last(nhwc.shape()))?;
    let a = engine.max_pool_array(&first, &nchw)?;
    let b = engine.max_pool_array(&last, &nhwc)?;
    assert_eq!(a.values, b.values.view().permuted_axes([0, 3, 1, 2]));
    let planes: Array4<i64> = a.indices(&first, IndexSpace::Plane)?;
    let turned: Array4<i64> = b.indices(&last, IndexSpace::Plane)?;
    assert_eq!(planes, turned.view().permuted_axes([0, 3, 1, 2]));
    let back = Taps::from_index_array(&first, IndexSpace::Plane, &planes)?;
    assert_eq!(back, a.taps);
    let dynamic = engine.max_pool_array(&first, &nchw.view().into_dyn())?;
    assert_eq!(dynamic.values, a.values.clone().into_dyn());

    let taps: Array4<u16> = a.taps.to_array(&first)?;
    assert_eq!(Taps::from_array(&first, &taps)?, a.taps);
    let window = Window::new([256]);
    let wide = Geometry::new(&window, Shape::channels_first([1, 1, 512]))?;
    let ramp = Array3::from_shape_fn((1, 1, 512), |(_, _, x)| x as i32);
    let pooled = engine.max_pool_array(&wide, &ramp)?;
    let taps: Array3<u16> = pooled.taps.to_array(&wide)?;
    assert_eq!(taps, Array::from_elem((1, 1, 2), 255));
    assert_eq!(Taps::from_array(&wide, &taps)?, pooled.taps);
    Ok(())
}

#[test]
fn a_tap_that_names_no_cell_stays_one_in_an_array() -> Result<(), Error> {
    let geometry = Geometry::new(&Window::new([2]), Shape::channels_first([1, 1, 4]))?;
    let taps = Taps::from_array(&geometry, &ndarray::array![[[1_u16, 256]]])?;
    let values = ndarray::array![[[3_u8, 4]]];
    let output = Engine::Cpu.max_unpool_array(&geometry, &values, &taps, Overlap::Last)?;
    assert_eq!(output, ndarray::array![[[0, 3, 0, 0]]]);
    Ok(())
}

#[test]
fn scattered_indices_in_arrays_are_those_in_slices() -> Result<(), Error> {
    let (pooled, output) = (Shape::channels_first([1, 1, 3]), Shape::channels_first([1, 1, 4]));
    let scatter = Scatter::new(pooled, output, IndexSpace::Plane)?;
    let values = ndarray::array![[[1.0_f32, 2.0, 3.0]]];
    let indices = ndarray::array![[[3_i64, 0, 3]]];
    for (overlap, expected) in [(Overlap::Last, 3.0), (Overlap::Sum, 4.0)] {
        let output = Engine::Cpu.scatter_array(&scatter, &values, &indices, overlap)?;
        assert_eq!(output, ndarray::array![[[2.0, 0.0, 0.0, expected]]]);
    }
    Ok(())
}

#[test]
fn a_wrong_shape_is_refused_with_both_shapes() -> Result<(), Error> {
    let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_first([1, 1, 4, 4]))?;
    let wrong = |found: &str, allowed: &str, operand| Error::ArrayShape {
        operand,
        found: found.into(),
        allowed: allowed.into(),
    };
    let engine = Engine::Cpu;
    // As many elements, in another shape.
    let x = Array4::<f32>::zeros((1, 4, 1, 4));
    let refused = engine.max_pool_array(&geometry, &x).unwrap_err();
    assert_eq!(refused, wrong("1×4×1×4", "1×1×4×4", "input"));
    assert_eq!(refused.to_string(), "input has shape 1×4×1×4; the geometry takes 1×1×4×4");
    let flat = Array2::<f32>::zeros((4, 4));
    let refused = engine.max_pool_array(&geometry, &flat).unwrap_err();
    assert_eq!(refused, wrong("4×4", "1×1×4×4", "input"));
    let taps = engine.max_pool(&geometry, &[0.0_f32; 16])?.taps;
    let refused = engine.max_unpool_array(&geometry, &x, &taps, Overlap::Last).unwrap_err();
    assert_eq!(refused, wrong("1×4×1×4", "1×1×2×2", "values"));
    let refused = taps.to_index_array::<i64, ndarray::Ix3>(&geometry, IndexSpace::Plane);
    assert_eq!(refused, Err(Error::ArrayRank { operand: "indices", found: 3, allowed: 4 }));
    Ok(())
}

#[test]
fn an_empty_batch_is_an_empty_array() -> Result<(), Error> {
    let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_first([0, 3, 4, 4]))?;
    let pooled = Engine::Cpu.max_pool_array(&geometry, &Array4::<f32>::zeros((0, 3, 4, 4)))?;
    assert_eq!(pooled.values.shape(), [0, 3, 2, 2]);
    Ok(())
}
