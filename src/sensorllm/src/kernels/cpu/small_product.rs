//! Products of small matrices that lie in the processor's cache.
#![allow(unsafe_code)] // Inner loops read through pointers.

use super::simd::Simd;

/// Rows of the result that are summed side by side.
const ROWS: usize = 4;

/// The left matrix of a product, by where its elements lie.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    /// Floats from one row to the next.
    row: usize,
    /// Floats from one column to the next.
    column: usize,
}

impl<'a> Matrix<'a> {
    /// Row after row of `stride` floats.
    pub(super) fn rows(values: &'a [f32], stride: usize) -> Self {
        Self { values, row: stride, column: 1 }
    }

    /// The transpose of such a matrix.
    #[cfg(feature = "training")]
    pub(super) fn columns(values: &'a [f32], stride: usize) -> Self {
        Self { values, row: 1, column: stride }
    }
}

/// `c = a · b`, where rows of `c` and `b` lie as many floats apart as is said.
///
/// # Shapes
///
/// - c: `[rows, columns]`, a: `[rows, depth]`, b: `[depth, columns]`; columns in whole vectors
///
/// # Panics
///
/// If a slice is too short.
#[inline(always)]
pub(super) fn product<S: Simd>(
    s: S,
    c: &mut [f32],
    c_row: usize,
    a: Matrix<'_>,
    b: &[f32],
    b_row: usize,
    extent: [usize; 3],
) {
    multiply::<S, false>(s, c, c_row, a, b, b_row, extent);
}

/// `c += a · b`, else as [`product`].
#[cfg(feature = "training")]
#[inline(always)]
pub(super) fn add_product<S: Simd>(
    s: S,
    c: &mut [f32],
    c_row: usize,
    a: Matrix<'_>,
    b: &[f32],
    b_row: usize,
    extent: [usize; 3],
) {
    multiply::<S, true>(s, c, c_row, a, b, b_row, extent);
}

#[inline(always)]
fn multiply<S: Simd, const ADD: bool>(
    s: S,
    c: &mut [f32],
    c_row: usize,
    a: Matrix<'_>,
    b: &[f32],
    b_row: usize,
    [rows, columns, depth]: [usize; 3],
) {
    if rows == 0 || columns == 0 {
        return;
    }
    let last = |count: usize| count.saturating_sub(1);
    assert!(columns.is_multiple_of(S::LANES), "columns are whole vectors");
    assert!(last(rows) * c_row + columns <= c.len());
    assert!(depth == 0 || last(depth) * b_row + columns <= b.len());
    assert!(depth == 0 || last(rows) * a.row + last(depth) * a.column < a.values.len());
    let b = b.as_ptr();
    for row in (0..rows).step_by(ROWS) {
        let mut column = 0;
        while column < columns {
            let wide = columns - column >= 2 * S::LANES;
            // SAFETY: checked above: rows, columns and depth lie within the slices.
            unsafe {
                let tile = Tile {
                    c: c.as_mut_ptr().add(row * c_row + column),
                    c_row,
                    a: a.values.as_ptr().add(row * a.row),
                    a_row: a.row,
                    a_column: a.column,
                    b: b.add(column),
                    b_row,
                    depth,
                };
                match ((rows - row).min(ROWS), wide) {
                    (1, false) => tile.run::<S, 1, 1, ADD>(s),
                    (1, true) => tile.run::<S, 1, 2, ADD>(s),
                    (2, false) => tile.run::<S, 2, 1, ADD>(s),
                    (2, true) => tile.run::<S, 2, 2, ADD>(s),
                    (3, false) => tile.run::<S, 3, 1, ADD>(s),
                    (3, true) => tile.run::<S, 3, 2, ADD>(s),
                    (_, false) => tile.run::<S, ROWS, 1, ADD>(s),
                    (_, true) => tile.run::<S, ROWS, 2, ADD>(s),
                }
            }
            column += if wide { 2 * S::LANES } else { S::LANES };
        }
    }
}

/// A part of the result that is held in registers.
struct Tile {
    c: *mut f32,
    c_row: usize,
    a: *const f32,
    a_row: usize,
    a_column: usize,
    b: *const f32,
    b_row: usize,
    depth: usize,
}

impl Tile {
    /// `R` rows of `V` vectors.
    ///
    /// # Safety
    ///
    /// `c` must be writable for them, `b` readable for `depth` rows of as many vectors, `a` for `R` rows of `depth` columns.
    #[inline(always)]
    unsafe fn run<S: Simd, const R: usize, const V: usize, const ADD: bool>(self, s: S) {
        let mut sums = [[s.splat(0.0); V]; R];
        let (mut a, mut b) = (self.a, self.b);
        for _ in 0..self.depth {
            // SAFETY: the caller's word, for each of the `depth` columns and rows.
            unsafe {
                let mut row = [s.splat(0.0); V];
                for (v, row) in row.iter_mut().enumerate() {
                    *row = s.load(b.add(v * S::LANES));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = s.splat(*a.add(r * self.a_row));
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum = s.mul_add(factor, value, *sum);
                    }
                }
            }
            (a, b) = (a.wrapping_add(self.a_column), b.wrapping_add(self.b_row));
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                // SAFETY: the caller's word.
                unsafe {
                    let to = self.c.add(r * self.c_row + v * S::LANES);
                    s.store(to, if ADD { s.add(s.load(to), sum) } else { sum });
                }
            }
        }
    }
}
