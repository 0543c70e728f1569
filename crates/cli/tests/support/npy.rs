//! Files of NumPy, written here so that they can be wrong.

/// A file of NumPy: header as `numpy.save` writes it, and the bytes of the array.
pub(crate) fn npy(descr: &str, fortran: bool, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let dict = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
    raw(&dict, bytes)
}

pub(crate) fn raw(dict: &str, bytes: &[u8]) -> Vec<u8> {
    let len = (dict.len() + 11).next_multiple_of(64) - 10;
    let start = [b"\x93NUMPY\x01\x00", &(len as u16).to_le_bytes()[..]].concat();
    [start, format!("{dict:<0$}\n", len - 1).into_bytes(), bytes.to_vec()].concat()
}

pub(crate) fn f32s(shape: &[usize], numbers: &[f32]) -> Vec<u8> {
    npy("'<f4'", false, &tuple(shape), bytemuck::cast_slice(numbers))
}

pub(crate) fn tuple(shape: &[usize]) -> String {
    format!("({},)", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}

pub(crate) fn i64s(numbers: &[i64]) -> Vec<u8> {
    bytemuck::cast_slice(numbers).to_vec()
}

/// Header and array of a file that the command wrote, as numbers of `T`.
pub(crate) fn parsed<T: bytemuck::Pod>(file: &[u8]) -> (String, Vec<T>) {
    assert!(file.starts_with(b"\x93NUMPY\x01\x00"));
    let end = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    let header = std::str::from_utf8(&file[10..end]).expect("ASCII").trim_end().to_owned();
    (header, bytemuck::pod_collect_to_vec(&file[end..]))
}
