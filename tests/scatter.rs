//! Unpooling by arbitrary indices on every adapter against [`cpu::scatter`] and against the
//! definition: duplicates, other index shapes, indices that name no cell.

use unpool::{
    Cell, Element, Gpu, IndexReport, IndexSpace, IndicesIn, Layout, Overlap, Scatter, Shape,
    Window, cpu, operands,
};

use crate::support::compare::{Report, same, same_bits};
use crate::support::devices::{at_once, gpus};
use crate::support::every_element;
use crate::support::fill::{Fill, Random, fill};
use crate::support::guarded::{Guarded, run};
use crate::support::oracle::{Bits, sums, zero};

fn shape(layout: Layout, batch: usize, channels: usize, spatial: &[usize]) -> Shape {
    let mut dims = vec![batch];
    match layout {
        Layout::ChannelsLast => {
            dims.extend(spatial);
            dims.push(channels);
        }
        _ => {
            dims.push(channels);
            dims.extend(spatial);
        }
    }
    Shape::new(layout, dims)
}

/// What a device leaves in the output and the report.
fn unpool<T: Cell + Bits>(
    gpu: &Gpu,
    scatter: &Scatter,
    values: &[T],
    indices: &[u32],
    overlap: Overlap,
) -> Result<(Vec<T>, [u32; 3]), String> {
    let scattering = gpu.scattering(scatter, T::ELEMENT).unwrap();
    let values = Guarded::of(gpu, "values", values, 0xa5);
    let indices = Guarded::of(gpu, "indices", indices, 0xa5);
    let output = Guarded::poisoned(gpu, "output", scattering.output_bytes(), 0xa5);
    let report = Guarded::poisoned(gpu, "report", IndexReport::BYTES, 0xa5);
    let step = scattering
        .scatter(
            operands::Scatter {
                values: values.slice(),
                indices: indices.slice(),
                output: output.slice(),
                report: report.slice(),
            },
            overlap,
        )
        .map_err(|error| error.to_string())?;
    run(gpu, &[&step, &step]);
    values.bytes(gpu)?;
    indices.bytes(gpu)?;
    let len = scatter.output_shape().len().unwrap();
    let words: Vec<u32> = report.elements(gpu, 3)?;
    Ok((output.elements(gpu, len)?, [words[0], words[1], words[2]]))
}

/// The cell of the output that an index names, by looking at each cell of the frame that the
/// element may go to.
fn destinations(scatter: &Scatter, indices: &[u32]) -> Vec<Option<usize>> {
    let (pooled, output) = (scatter.pooled_shape(), scatter.output_shape());
    let frame = scatter.index_shape();
    let three = |s: &Shape| {
        let mut axes = [1; 3];
        axes[3 - s.spatial().len()..].copy_from_slice(s.spatial());
        axes
    };
    let ([d, h, w], [od, oh, ow]) = (three(frame), three(output));
    let (batch, channels) = (output.batch(), output.channels());
    let around: usize = pooled.spatial().iter().product();
    let first = output.layout() == Layout::ChannelsFirst;
    // Every cell of the frame by its index: (image or any, channel or any).
    let mut cells = std::collections::HashMap::new();
    for n in 0..batch {
        for c in 0..channels {
            for (z, y, x) in
                (0..d).flat_map(|z| (0..h).flat_map(move |y| (0..w).map(move |x| (z, y, x))))
            {
                let (own, index) = match scatter.index_space() {
                    IndexSpace::Plane => ((n, c), (z * h + y) * w + x),
                    IndexSpace::Image => ((n, usize::MAX), ((z * h + y) * w + x) * channels + c),
                    IndexSpace::Batch => {
                        ((usize::MAX, usize::MAX), (((n * d + z) * h + y) * w + x) * channels + c)
                    }
                    IndexSpace::Tensor => {
                        ((usize::MAX, usize::MAX), (((n * channels + c) * d + z) * h + y) * w + x)
                    }
                    IndexSpace::TensorColumnMajor => (
                        (usize::MAX, usize::MAX),
                        (n * channels + c) * d * h * w + z + y * d + x * d * h,
                    ),
                    other => panic!("{other} is unknown here"),
                };
                let at = if first {
                    (((n * channels + c) * od + z) * oh + y) * ow + x
                } else {
                    (((n * od + z) * oh + y) * ow + x) * channels + c
                };
                cells.insert((own, index), at);
            }
        }
    }
    let one = |(element, &index): (usize, &u32)| {
        let (n, c) = if first {
            (element / around / channels, element / around % channels)
        } else {
            (element / channels / around, element % channels)
        };
        [(n, c), (n, usize::MAX), (usize::MAX, usize::MAX)]
            .iter()
            .find_map(|&own| cells.get(&(own, index as usize)).copied())
    };
    indices.iter().enumerate().map(one).collect()
}

/// Compares every adapter and the CPU with the definition.
pub(crate) fn check<T: Cell + Bits>(
    report: &mut Report,
    name: &str,
    scatter: &Scatter,
    indices: &[u32],
) {
    let values: Vec<T> = fill(Fill::Specials, indices.len(), 61);
    check_values(report, name, scatter, &values, indices);
}

fn check_values<T: Cell + Bits>(
    report: &mut Report,
    name: &str,
    scatter: &Scatter,
    values: &[T],
    indices: &[u32],
) {
    let destinations = destinations(scatter, indices);
    let wrong: Vec<usize> = (0..indices.len()).filter(|&i| destinations[i].is_none()).collect();
    let first = wrong.first().copied();
    let expected_report = [
        wrong.len() as u32,
        first.map_or(u32::MAX, |i| i as u32),
        first.map_or(u32::MAX, |i| indices[i]),
    ];
    let len = scatter.output_shape().len().unwrap();
    let terms = || destinations.iter().zip(values).filter_map(|(at, &v)| Some(((*at)?, v)));
    let mut last: Vec<T> = vec![zero(); len];
    terms().for_each(|(at, value)| last[at] = value);
    let totals = sums(len, terms());
    let sum: Vec<T> = totals.iter().map(|&(total, _)| total).collect();
    let all_exact = totals.iter().all(|&(_, exact)| exact);
    let gpus = gpus();
    for (overlap, expected) in [(Overlap::Last, &last), (Overlap::Sum, &sum)] {
        let found = at_once(&gpus, |gpu| unpool(gpu, scatter, values, indices, overlap));
        for (gpu, found) in gpus.iter().zip(found) {
            let on = gpu.description();
            let context = format!("{name} {} {overlap:?} on {on}", T::ELEMENT.name());
            match found {
                Ok((found, found_report)) => {
                    report.add(same_bits(&context, &found, expected));
                    report.add(same(
                        &format!("{context}, report"),
                        &found_report,
                        &expected_report,
                    ));
                }
                Err(error) => report.add(Err(format!("{context}: {error}"))),
            }
        }
        // The CPU gives the same, or the error.
        match (cpu::scatter(scatter, values, indices, overlap), first) {
            (Ok(found), None) => report.add(same_bits(&name, &found, expected)),
            (Err(unpool::Error::IndexOutOfRange { element, .. }), Some(first)) => {
                report.add(same(&name, &[element], &[first]));
            }
            (Err(unpool::Error::Overflow { .. }), None)
                if !all_exact && overlap == Overlap::Sum => {}
            (found, _) => report.add(Err(format!("{name}: {:?}", found.err()))),
        }
    }
}

/// Indices of a kind for so many elements of a frame that has indices below `size`.
pub(crate) fn indices(kind: &str, len: usize, size: usize, random: &mut Random) -> Vec<u32> {
    let any = |random: &mut Random| random.below(size) as u32;
    match kind {
        "all in one cell" => vec![any(random); len],
        "at random" => (0..len).map(|_| any(random)).collect(),
        "in three cells" => {
            let three = [any(random), any(random), any(random)];
            (0..len).map(|_| random.pick(&three)).collect()
        }
        "out of range" => (0..len)
            .map(|_| match random.below(4) {
                0 => size as u32 + random.below(3) as u32,
                1 => u32::MAX - random.below(2) as u32,
                2 => random.next() as u32,
                _ => any(random),
            })
            .collect(),
        _ => unreachable!("no such kind"),
    }
}

pub(crate) const KINDS: [&str; 4] =
    ["all in one cell", "at random", "in three cells", "out of range"];

/// How many indices there are in the frame of each element.
pub(crate) fn size(scatter: &Scatter) -> usize {
    let frame = scatter.index_shape();
    let plane: usize = frame.spatial().iter().product();
    match scatter.index_space() {
        IndexSpace::Plane => plane,
        IndexSpace::Image => plane * frame.channels(),
        _ => frame.len().unwrap(),
    }
}

#[test]
fn arbitrary_indices_of_every_space_unpool_as_the_definition_says() {
    let mut report = Report::default();
    let mut random = Random::new(62);
    for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
        for (batch, channels, pooled, output, frame) in [
            (2, 3, &[3, 4][..], &[5, 7][..], &[5, 7][..]),
            (2, 1, &[3, 4], &[5, 7], &[4, 6]),
            (1, 4, &[6], &[9], &[9]),
            (2, 2, &[2, 2, 3], &[3, 5, 4], &[3, 4, 4]),
        ] {
            let of = |spatial: &[usize]| shape(layout, batch, channels, spatial);
            for space in IndexSpace::ALL {
                let scatter = Scatter::new(of(pooled), of(output), space)
                    .unwrap()
                    .with_index_shape(of(frame))
                    .unwrap();
                let len = of(pooled).len().unwrap();
                for kind in KINDS {
                    let indices = indices(kind, len, size(&scatter), &mut random);
                    let name = format!("{} to {}, {} {kind}", of(pooled), of(output), space.name());
                    check::<f32>(&mut report, &name, &scatter, &indices);
                }
            }
        }
    }
    report.finish();
}

#[test]
fn arbitrary_indices_unpool_every_element_to_the_bit() {
    let mut report = Report::default();
    let mut random = Random::new(63);
    for (layout, space) in
        [(Layout::ChannelsLast, IndexSpace::Image), (Layout::ChannelsFirst, IndexSpace::Plane)]
    {
        let of = |spatial: &[usize]| shape(layout, 2, 3, spatial);
        let scatter = Scatter::new(of(&[7, 5]), of(&[3, 3]), space).unwrap();
        for kind in KINDS {
            let indices = indices(kind, 2 * 3 * 35, size(&scatter), &mut random);
            let name = format!("{} {kind}", space.name());
            every_element!(check(&mut report, &name, &scatter, &indices));
        }
    }
    report.finish();
}

/// 420,000 values to 600 cells.
fn many_to_few() -> Scatter {
    let of = |spatial: &[usize]| shape(Layout::ChannelsFirst, 1, 1, spatial);
    Scatter::new(of(&[600, 700]), of(&[30, 20]), IndexSpace::Plane).unwrap()
}

/// Values of which every order has another sum.
fn uneven(len: usize) -> Vec<f32> {
    (0..len as u32).map(|i| i.wrapping_mul(2_654_435_761) as i32 as f32 * 2f32.powi(-31)).collect()
}

/// More in one cell than a thread adds in one dispatch, and more than the 65,535 iterations of a loop that
/// llvmpipe allows a thread.
#[test]
fn as_many_values_as_there_are_may_go_to_one_cell() {
    let (scatter, mut report) = (many_to_few(), Report::default());
    let len = scatter.pooled_shape().len().unwrap();
    check_values(&mut report, "ones", &scatter, &vec![1f32; len], &vec![3; len]);
    check_values(&mut report, "uneven", &scatter, &uneven(len), &vec![599; len]);
    check_values(&mut report, "bytes", &scatter, &vec![1u8; len], &vec![0; len]);
    let found = cpu::scatter(&scatter, &vec![1f32; len], &vec![3u32; len], Overlap::Sum).unwrap();
    assert_eq!(found[3], 420_000.0);
    report.finish();
}

/// Runs of neighbouring cells, that start anywhere, and that end where a dispatch does or one value off.
#[test]
fn runs_of_several_dispatches_are_summed_in_raster_order() {
    const SEGMENT: usize = 1 << 16;
    let (scatter, mut report) = (many_to_few(), Report::default());
    let len = scatter.pooled_shape().len().unwrap();
    let mut random = Random::new(64);
    let any = |random: &mut Random| random.below(30 * 20 + 5) as u32;
    let mixed: Vec<u32> = (0..len)
        .map(|i| if i % 100 == 0 { any(&mut random) } else { [4, 7, 4, 5][i % 4] })
        .collect();
    let lengths = [SEGMENT, 1, SEGMENT + 1, SEGMENT - 1, 2 * SEGMENT, 3];
    let ends: Vec<u32> =
        (8..).zip(lengths).flat_map(|(cell, len)| std::iter::repeat_n(cell, len)).collect();
    for (name, mut indices) in [("mixed", mixed), ("ends", ends)] {
        indices.resize_with(len, || any(&mut random));
        check_values(&mut report, name, &scatter, &uneven(len), &indices);
        let halves: Vec<half::f16> = uneven(len).into_iter().map(half::f16::from_f32).collect();
        check_values(&mut report, name, &scatter, &halves, &indices);
        let integers: Vec<i32> = (0..len as i32).map(|i| i % 200 - 99).collect();
        check_values(&mut report, name, &scatter, &integers, &indices);
    }
    report.finish();
}

#[test]
fn both_readings_of_the_onnx_output_shape_are_the_same_on_every_adapter() {
    let mut report = Report::default();
    let window = Window::new([2, 2]);
    let (pooled, output) =
        (Shape::channels_first([1, 1, 2, 2]), Shape::channels_first([1, 1, 5, 5]));
    for indices_in in [IndicesIn::Given, IndicesIn::Inferred] {
        let scatter = Scatter::onnx(&window, pooled, output, indices_in).unwrap();
        check::<f32>(&mut report, "onnx", &scatter, &[5, 7, 13, 15]);
    }
    report.finish();
}

#[test]
fn an_empty_batch_reports_that_nothing_is_wrong() {
    let of = |spatial: &[usize]| shape(Layout::ChannelsLast, 0, 3, spatial);
    let scatter = Scatter::new(of(&[2, 2]), of(&[4, 4]), IndexSpace::Image).unwrap();
    for gpu in gpus().iter() {
        let found = unpool::<f32>(gpu, &scatter, &[], &[], Overlap::Last).unwrap();
        assert_eq!(found, (vec![], [0, u32::MAX, u32::MAX]), "{}", gpu.description());
        assert_eq!(gpu.scattering(&scatter, Element::F32).unwrap().output_bytes(), 0);
    }
}
