//! Products of a quantised matrix with activations: what is computed when, and by which thread.
#![allow(unsafe_code)] // Hands pointers to the inner loop, and threads write disjoint parts of one output.

use std::cell::RefCell;
use std::hint::black_box;
use std::marker::PhantomData;
use std::ops::Range;

use super::activations::{Activations, TOKENS};
use super::matrix::{Bits, LINE, PackedMatrix};
use super::simd::{Kernel, Simd};
use super::threads;
use super::tile::{Format, Q4, Q8, VECTORS, Wide, WidePanel, Widen, tile};

/// Tokens rounded and multiplied at a time: their activations stay in the second-level cache.
const CHUNK: usize = 64;

/// Products at least this large (weights × tokens) are shared among threads.
const SHARED: usize = 1 << 17;

/// `x · Wᵀ` for some matrices with the same input, which is rounded once for all of them: every token's outputs. NaN or infinity in a
/// token's activations makes all its outputs NaN.
///
/// The result differs from the exact product with the dequantised weights by less than 1e-4 of its norm, because activations
/// are rounded to 16 bits.
///
/// # Shapes
///
/// - x: `[tokens, columns]`
/// - output: `[tokens, rows]` for each matrix
///
/// # Panics
///
/// If `x` does not have this shape, or the matrices differ in their columns.
pub(crate) fn matmul_each<const N: usize>(matrices: [&PackedMatrix; N], x: &[f32]) -> [Vec<f32>; N] {
    let Some(first) = matrices.first() else { return [(); N].map(|()| Vec::new()) };
    let (set, columns) = (first.set, first.columns());
    let tokens = x.len() / columns.max(1);
    assert_eq!(x.len(), tokens * columns, "x is [tokens, columns]");
    for matrix in matrices {
        assert!(matrix.columns() == columns && matrix.set == set, "the matrices have the same input");
    }
    // Not filled with zeros first: that takes longer than a norm.
    let mut y: [Vec<f32>; N] = matrices.map(|matrix| Vec::with_capacity(tokens * matrix.rows()));
    ACTIVATIONS.with_borrow_mut(|activations| {
        for (chunk, x) in x.chunks((CHUNK * columns).max(1)).enumerate() {
            set.run(Round { activations, x, columns });
            for (matrix, y) in matrices.iter().zip(&mut y) {
                let outputs = activations.tokens() * matrix.rows();
                // SAFETY: the chunk's tokens are among those that there is room for.
                let y = unsafe { y.as_mut_ptr().add(chunk * CHUNK * matrix.rows()) };
                let product = Product { matrix, activations, y };
                if columns * outputs < SHARED {
                    product.panels(0..matrix.panels());
                } else {
                    threads::share(matrix.panels(), |panels| product.panels(panels));
                }
            }
        }
    });
    for (matrix, y) in matrices.iter().zip(&mut y) {
        // SAFETY: the chunks had all tokens, and the panels all rows.
        unsafe { y.set_len(tokens * matrix.rows()) };
    }
    y
}

thread_local! {
    /// Rounded activations and widened weights, kept so that a token allocates nothing.
    static ACTIVATIONS: RefCell<Activations> = RefCell::default();
    static WIDE: RefCell<WidePanel> = RefCell::default();
}

struct Round<'a> {
    activations: &'a mut Activations,
    x: &'a [f32],
    columns: usize,
}

impl Kernel for Round<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.activations.round(simd, self.x, self.columns);
    }
}

/// A product in progress.
struct Product<'a> {
    matrix: &'a PackedMatrix,
    activations: &'a Activations,
    /// `[tokens, rows]`
    y: *mut f32,
}

// SAFETY: threads write disjoint rows of `y`, which outlives them.
unsafe impl Sync for Product<'_> {}

impl Product<'_> {
    /// All tokens' outputs of some panels.
    fn panels(&self, panels: Range<usize>) {
        let (matrix, tokens) = (self.matrix, self.activations.tokens());
        if tokens > TOKENS || (tokens > 1 && matrix.bits == Bits::Four) {
            // Widening once is cheaper than for every group of tokens.
            WIDE.with_borrow_mut(|wide| {
                for index in panels {
                    matrix.set.run(Widen {
                        panel: matrix.panel(index),
                        four_bits: matrix.bits == Bits::Four,
                        to: wide,
                    });
                    let widened = Widened { panel: wide, next: matrix.panel_bytes(index + 1) };
                    self.tokens::<Wide>(index..index + 1, Some(widened));
                }
            });
        } else if matrix.bits == Bits::Four {
            self.groups::<Q4, 1>(panels, 0..1, None);
        } else {
            self.tokens::<Q8>(panels, None);
        }
    }

    /// As [`Self::panels`]; the only panel's weights are in `widened` if that is there.
    fn tokens<F: Format>(&self, panels: Range<usize>, widened: Option<Widened>) {
        let tokens = self.activations.tokens();
        let (whole, left) = (tokens / TOKENS * TOKENS, tokens % TOKENS);
        if whole > 0 {
            self.groups::<F, TOKENS>(panels.clone(), 0..whole, widened);
        }
        match left {
            0 => {}
            1 => self.groups::<F, 1>(panels, whole..tokens, widened),
            2 => self.groups::<F, 2>(panels, whole..tokens, widened),
            _ => self.groups::<F, 3>(panels, whole..tokens, widened),
        }
    }

    fn groups<F: Format, const T: usize>(
        &self,
        panels: Range<usize>,
        tokens: Range<usize>,
        widened: Option<Widened>,
    ) {
        self.matrix.set.run(Groups::<F, T> { product: self, panels, tokens, widened, format: PhantomData });
    }
}

/// A panel whose weights were widened.
#[derive(Clone, Copy)]
struct Widened<'a> {
    panel: &'a WidePanel,
    /// The panel to be widened next, as it is stored.
    next: &'a [u8],
}

/// Some panels times groups of `T` tokens.
struct Groups<'a, F, const T: usize> {
    product: &'a Product<'a>,
    panels: Range<usize>,
    tokens: Range<usize>,
    widened: Option<Widened<'a>>,
    format: PhantomData<F>,
}

impl<F: Format, const T: usize> Kernel for Groups<'_, F, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Product { matrix, activations, y } = self.product;
        let panel_rows = VECTORS * S::LANES;
        for index in self.panels {
            let panel =
                self.widened.map_or_else(|| matrix.panel(index), |widened| widened.panel.panel(panel_rows));
            let rows = panel_rows.min(matrix.rows() - index * panel_rows);
            let next = self.widened.map_or(&[][..], |widened| widened.next);
            let mut next = next.chunks(next.len().div_ceil(self.tokens.len() / T).max(1));
            for token in self.tokens.clone().step_by(T) {
                fetch(next.next().unwrap_or_default());
                let group = activations.group(token);
                // SAFETY: the panel's weights have format `F`; a group of `T` tokens starts at `token`.
                let sums = unsafe { tile::<S, F, T>(s, panel, group) };
                for (t, sums) in sums.into_iter().enumerate() {
                    // SAFETY: `y` holds `matrix.rows()` outputs for each token, of which `rows` belong to this panel.
                    unsafe {
                        write(s, sums, y.add((token + t) * matrix.rows() + index * panel_rows), rows);
                    }
                }
            }
        }
    }
}

/// Reads something of each cache line, so that all of them are near when they are needed. There is an instruction for it, but not in
/// WebAssembly.
#[inline(always)]
fn fetch(lines: &[u8]) {
    black_box(lines.iter().step_by(LINE).fold(0, |all, byte| all ^ byte));
}

/// Writes the first `rows` of two vectors.
///
/// # Safety
///
/// `to` must be writable for them.
#[inline(always)]
unsafe fn write<S: Simd>(s: S, sums: [S::F32; VECTORS], to: *mut f32, rows: usize) {
    if rows == VECTORS * S::LANES {
        for (v, sums) in sums.into_iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { s.store(to.add(v * S::LANES), sums) };
        }
        return;
    }
    // 32 is the largest panel.
    let mut panel = [0.0; 32];
    for (v, sums) in sums.into_iter().enumerate() {
        // SAFETY: `panel` has room for two vectors.
        unsafe { s.store(panel.as_mut_ptr().add(v * S::LANES), sums) };
    }
    // SAFETY: the caller's.
    unsafe { to.copy_from_nonoverlapping(panel.as_ptr(), rows) };
}
