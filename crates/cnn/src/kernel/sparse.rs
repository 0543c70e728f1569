//! Sparse matrices, by which tensors are mapped along an axis.

use std::sync::Arc;

/// A matrix in compressed rows: for each row its entries, a column and a value each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sparse {
    columns: usize,
    /// The first entry of each row, and the number of all entries.
    starts: Vec<u32>,
    /// Column and value of each entry.
    entries: Vec<(u32, f32)>,
}

impl Sparse {
    /// A matrix of so many columns, without rows.
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns, starts: vec![0], entries: Vec::new() }
    }

    /// Appends a row.
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = (usize, f32)>) {
        self.entries.extend(row.into_iter().map(|(column, value)| (column as u32, value)));
        self.starts.push(self.entries.len() as u32);
    }

    /// The matrix that picks one column for each row, or none, which gives 0.
    pub(crate) fn picking(columns: usize, rows: impl IntoIterator<Item = Option<usize>>) -> Self {
        let mut matrix = Self::new(columns);
        for row in rows {
            matrix.push(row.map(|column| (column, 1.0)));
        }
        matrix
    }

    /// The matrix of one row that multiplies the sum of all columns.
    pub(crate) fn sum(columns: usize, factor: f32) -> Self {
        let mut matrix = Self::new(columns);
        matrix.push((0..columns).map(|column| (column, factor)));
        matrix
    }

    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Whether it changes nothing.
    pub(crate) fn is_identity(&self) -> bool {
        self.rows() == self.columns
            && self.entries.len() == self.columns
            && self.entries.iter().enumerate().all(|(i, &entry)| entry == (i as u32, 1.0))
    }

    pub(crate) fn transposed(&self) -> Self {
        let mut starts = vec![0u32; self.columns + 1];
        for &(column, _) in &self.entries {
            starts[column as usize + 1] += 1;
        }
        for i in 0..self.columns {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0.0); self.entries.len()];
        for row in 0..self.rows() {
            for &(column, value) in self.row(row) {
                let at = &mut next[column as usize];
                entries[*at as usize] = (row as u32, value);
                *at += 1;
            }
        }
        Self { columns: self.rows(), starts, entries }
    }

    fn row(&self, row: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    /// The three tensors that a kernel reads: starts and columns as the bits of whole numbers, and
    /// values.
    pub(crate) fn tensors(&self) -> [Arc<Vec<f32>>; 3] {
        // A matrix without entries still has something to bind.
        let padded = |mut list: Vec<f32>| {
            if list.is_empty() {
                list.push(0.0);
            }
            Arc::new(list)
        };
        [
            padded(self.starts.iter().map(|&n| f32::from_bits(n)).collect()),
            padded(self.entries.iter().map(|&(column, _)| f32::from_bits(column)).collect()),
            padded(self.entries.iter().map(|&(_, value)| value).collect()),
        ]
    }
}
