//! The gradient of attention.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::super::simd::{InstructionSet, Kernel, Simd};
use super::super::small_product::{Matrix, add_product, product};
use super::{
    Bias, Block, Inputs, Output, QUERIES, SCRATCH, Scratch, Sizes, Sum, blocks, check, exponentials,
    transpose,
};

/// Gradients of the inputs of [`forward`](super::forward).
///
/// # Shapes
///
/// - sums: as [`forward`](super::forward) wrote them
/// - dy: `[batch, queries, heads · d_head]`: the loss by the result
///
/// # Panics
///
/// If a slice does not have its shape.
pub(crate) fn backward(
    sizes: &Sizes,
    inputs: Inputs<'_>,
    sums: &[Sum],
    dy: &[f32],
    with_bias: bool,
) -> Gradients {
    backward_with(InstructionSet::best(), sizes, inputs, sums, dy, with_bias)
}

pub(super) fn backward_with(
    set: InstructionSet,
    sizes: &Sizes,
    inputs: Inputs<'_>,
    sums: &[Sum],
    dy: &[f32],
    with_bias: bool,
) -> Gradients {
    check(sizes, &inputs);
    assert_eq!(dy.len(), inputs.q.len());
    assert_eq!(sums.len(), sizes.batch * sizes.heads * sizes.queries);
    let zeros = |like: &[f32]| vec![0.0; like.len()];
    let (mut q, mut k, mut v) = (zeros(inputs.q), zeros(inputs.k), zeros(inputs.v));
    let bias = with_bias.then(|| Mutex::new(zeros(inputs.bias.values)));
    let outputs = [Output::new(&mut q), Output::new(&mut k), Output::new(&mut v)];
    sizes.share(|units| {
        let (outputs, bias) = (&outputs, bias.as_ref());
        SCRATCH.with_borrow_mut(|scratch| {
            ROOM.with_borrow_mut(|room| {
                set.run(Backward { sizes, inputs, sums, dy, scratch, room, outputs, bias, units });
            });
        });
    });
    let bias = bias.map(|bias| bias.into_inner().unwrap_or_else(PoisonError::into_inner));
    Gradients { q, k, v, bias }
}

/// The loss by each input, in its shape.
pub(crate) struct Gradients {
    pub(crate) q: Vec<f32>,
    pub(crate) k: Vec<f32>,
    pub(crate) v: Vec<f32>,
    pub(crate) bias: Option<Vec<f32>>,
}

/// What the gradient needs beside [`Scratch`], laid out alike.
#[derive(Default)]
struct Room {
    /// `[d_head, keys]`
    v_transposed: Vec<f32>,
    /// `[QUERIES, d_head]`
    dy: Vec<f32>,
    /// `[QUERIES, keys]`
    d_scores: Vec<f32>,
    /// `[keys, d_head]`
    dk: Vec<f32>,
    dv: Vec<f32>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

struct Backward<'a> {
    sizes: &'a Sizes,
    inputs: Inputs<'a>,
    sums: &'a [Sum],
    dy: &'a [f32],
    scratch: &'a mut Scratch,
    room: &'a mut Room,
    outputs: &'a [Output<'a>; 3],
    bias: Option<&'a Mutex<Vec<f32>>>,
    units: Range<usize>,
}

impl Kernel for Backward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { sizes, inputs, sums, dy, scratch, room, outputs: [dq, dk, dv], bias, units } = self;
        let (stride, width, d_head) = (sizes.keys_width(), sizes.width(), sizes.d_head);
        for unit in units {
            scratch.read(sizes, &inputs, unit);
            let block = sizes.keys * d_head;
            transpose(&mut room.v_transposed, &inputs.v[unit * block..][..block], d_head);
            room.d_scores.resize(QUERIES * stride, 0.0);
            for gradient in [&mut room.dk, &mut room.dv] {
                gradient.clear();
                gradient.resize(sizes.keys * width, 0.0);
            }
            for block in blocks(sizes, inputs.bias, unit) {
                block.score(s, sizes, &inputs, scratch);
                let count = block.queries.len();
                room.dy.clear();
                room.dy.resize(count * width, 0.0);
                for (i, row) in room.dy.chunks_exact_mut(width).enumerate() {
                    row[..d_head].copy_from_slice(&dy[block.result_at(sizes, i)..][..d_head]);
                }
                let by_result = Matrix::rows(&room.dy, width);
                let extent = [count, block.columns, d_head];
                product(s, &mut room.d_scores, stride, by_result, &room.v_transposed, stride, extent);
                let rows =
                    scratch.scores.chunks_exact_mut(stride).zip(room.d_scores.chunks_exact_mut(stride));
                for ((p, d), sum) in rows.zip(&sums[block.at(sizes)..][..count]) {
                    let (p, d) = (&mut p[..block.columns], &mut d[..block.columns]);
                    exponentials(s, p, sum.largest, sum.inverse);
                    softmax_gradient(s, p, d);
                }
                if let Some(bias) = bias {
                    block.add_bias_gradient(sizes, &inputs.bias, &room.d_scores, bias);
                }
                let (by_score, weights) = (&room.d_scores, &scratch.scores);
                let rows = Matrix::rows(by_score, stride);
                product(s, &mut scratch.out, width, rows, &scratch.k, width, [count, width, block.seen]);
                for (i, row) in scratch.out.chunks_exact_mut(width).take(count).enumerate() {
                    let row = &mut row[..d_head];
                    row.iter_mut().for_each(|value| *value *= inputs.scale);
                    // SAFETY: a unit's queries are its own.
                    unsafe { dq.write((block.at(sizes) + i) * d_head, row) };
                }
                let extent = [block.seen, width, count];
                add_product(
                    s,
                    &mut room.dk,
                    width,
                    Matrix::columns(by_score, stride),
                    &scratch.q,
                    width,
                    extent,
                );
                add_product(
                    s,
                    &mut room.dv,
                    width,
                    Matrix::columns(weights, stride),
                    &room.dy,
                    width,
                    extent,
                );
            }
            let at = |key: usize| (unit * sizes.keys + key) * d_head;
            for (key, row) in room.dk.chunks_exact_mut(width).enumerate() {
                row.iter_mut().for_each(|value| *value *= inputs.scale);
                // SAFETY: a unit's keys are its own.
                unsafe { dk.write(at(key), &row[..d_head]) };
            }
            for (key, row) in room.dv.chunks_exact(width).enumerate() {
                // SAFETY: as above.
                unsafe { dv.write(at(key), &row[..d_head]) };
            }
        }
    }
}

/// `d = p · (d − Σ p · d)`: from the loss by probabilities to the loss by scores.
#[inline(always)]
fn softmax_gradient<S: Simd>(s: S, p: &[f32], d: &mut [f32]) {
    let mut sum = s.splat(0.0);
    for (p, d) in p.chunks_exact(S::LANES).zip(d.chunks_exact(S::LANES)) {
        // SAFETY: the chunks hold `LANES` floats.
        sum = unsafe { s.mul_add(s.load(p.as_ptr()), s.load(d.as_ptr()), sum) };
    }
    let sum = s.splat(s.sum(sum));
    for (p, d) in p.chunks_exact(S::LANES).zip(d.chunks_exact_mut(S::LANES)) {
        // SAFETY: the chunks hold `LANES` floats.
        unsafe { s.store(d.as_mut_ptr(), s.mul(s.load(p.as_ptr()), s.sub(s.load(d.as_ptr()), sum))) };
    }
}

impl Block {
    /// Adds the loss by scores to the loss by their bias.
    fn add_bias_gradient(&self, sizes: &Sizes, bias: &Bias<'_>, d_scores: &[f32], to: &Mutex<Vec<f32>>) {
        let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, query) in d_scores.chunks_exact(sizes.keys_width()).zip(self.queries.clone()) {
            let to = &mut to[bias.start(self.sequence, self.head, query)..][..self.seen];
            for (to, d) in to.iter_mut().zip(row) {
                *to += d;
            }
        }
    }
}
