//! Attention of a batch of whole sequences, and its gradient: half of the time of training was spent here in Burn's operations,
//! which write the scores of all queries to memory ten times over.
#![allow(unsafe_code)] // Threads write disjoint parts of one output.

#[cfg(feature = "training")]
mod gradient;

use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Range;

use super::simd::{InstructionSet, Kernel, Simd, exp};
use super::small_product::{Matrix, product};
use super::threads;
use crate::attention::HIDDEN;

#[cfg(feature = "training")]
pub(crate) use gradient::backward;

/// Queries whose scores are held at a time.
const QUERIES: usize = 32;

/// What vectors are rounded up to: the lanes of the widest instruction set.
const WIDTH: usize = 16;

/// Multiply-adds from which on the work is shared among threads.
const SHARED: usize = 1 << 18;

/// Taken from every probability, so that what is hidden becomes an exact zero and not 1e-38, which would slow every product.
const NOTHING: f32 = 1e-30;

/// Sizes of one call. Groups of `heads / kv_heads` queries share a head of keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) queries: usize,
    pub(crate) keys: usize,
    pub(crate) d_head: usize,
}

impl Sizes {
    fn width(&self) -> usize {
        self.d_head.next_multiple_of(WIDTH)
    }

    fn keys_width(&self) -> usize {
        self.keys.next_multiple_of(WIDTH)
    }

    /// Calls `work` with heads of keys and values of all sequences, on several threads where it pays.
    fn share(&self, work: impl Fn(Range<usize>) + Sync) {
        let units = self.batch * self.kv_heads;
        if self.batch * self.heads * self.queries * self.keys * self.d_head < SHARED {
            work(0..units);
        } else {
            threads::share(units, work);
        }
    }
}

/// Queries `[batch, heads, queries, d_head]`; keys and values `[batch, kv_heads, keys, d_head]`; what is added to the scores.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) q: &'a [f32],
    pub(crate) k: &'a [f32],
    pub(crate) v: &'a [f32],
    pub(crate) bias: Bias<'a>,
    pub(crate) scale: f32,
}

/// `[1 or batch, 1 or heads, 1 or queries, keys]`.
#[derive(Clone, Copy)]
pub(crate) struct Bias<'a> {
    pub(crate) values: &'a [f32],
    /// Floats from one sequence, head and query to the next; 0 where they share them.
    strides: [usize; 3],
}

impl<'a> Bias<'a> {
    /// `None` if the shape does not fit the sizes.
    pub(crate) fn new(values: &'a [f32], shape: [usize; 4], sizes: &Sizes) -> Option<Self> {
        let [batch, heads, queries, keys] = shape;
        let fits = |size, whole| size == 1 || size == whole;
        let whole = fits(batch, sizes.batch) && fits(heads, sizes.heads) && fits(queries, sizes.queries);
        if !whole || keys != sizes.keys || values.len() != shape.iter().product::<usize>() {
            return None;
        }
        let stride = |size: usize, stride| if size == 1 { 0 } else { stride };
        let strides =
            [stride(batch, heads * queries * keys), stride(heads, queries * keys), stride(queries, keys)];
        Some(Self { values, strides })
    }

    fn start(&self, sequence: usize, head: usize, query: usize) -> usize {
        sequence * self.strides[0] + head * self.strides[1] + query * self.strides[2]
    }

    /// Keys up to the last one that one of the queries may look at; all if none may look at any, as their softmax is even then.
    fn seen(&self, sequence: usize, head: usize, queries: Range<usize>, keys: usize) -> usize {
        let row = |query| &self.values[self.start(sequence, head, query)..][..keys];
        let visible = |bias: &f32| *bias > HIDDEN / 2.0;
        // Without a way out of the loop it is one of vectors.
        let any = |part: &[f32]| part.iter().fold(false, |any, bias| any | visible(bias));
        let last = |row: &[f32]| row.iter().rposition(visible).map_or(keys, |last| last + 1);
        let mut rows = if self.strides[2] == 0 { queries.start..queries.start + 1 } else { queries };
        // Causal attention: the last query sees the most, and where the others end need not be known.
        let most = rows.next_back().map_or(0, |query| last(row(query)));
        if most == keys {
            return keys;
        }
        rows.fold(most, |most, query| {
            let (before, after) = row(query).split_at(most);
            if any(before) && !any(after) { most } else { most.max(last(row(query))) }
        })
    }
}

/// `softmax(q · kᵀ · scale + bias) · v`.
///
/// # Shapes
///
/// - y: `[batch, queries, heads · d_head]`, overwritten
/// - sums: `[batch, heads, queries]`, overwritten: what the gradient needs of the softmax
///
/// # Panics
///
/// If a slice does not have its shape.
pub(crate) fn forward(sizes: &Sizes, inputs: Inputs<'_>, y: &mut [f32], sums: &mut [Sum]) {
    forward_with(InstructionSet::best(), sizes, inputs, y, sums);
}

fn forward_with(set: InstructionSet, sizes: &Sizes, inputs: Inputs<'_>, y: &mut [f32], sums: &mut [Sum]) {
    check(sizes, &inputs);
    assert_eq!(y.len(), inputs.q.len());
    assert_eq!(sums.len(), sizes.batch * sizes.heads * sizes.queries);
    let (y, sums) = (Output::new(y), Output::new(sums));
    sizes.share(|units| {
        SCRATCH.with_borrow_mut(|scratch| {
            set.run(Forward { sizes, inputs, scratch, y: &y, sums: &sums, units });
        });
    });
}

/// The softmax of one query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(not(feature = "training"), allow(dead_code))] // Without a gradient nobody reads it.
pub(crate) struct Sum {
    /// Its largest score.
    largest: f32,
    /// 1 / Σ e^(score − largest)
    inverse: f32,
}

fn check(sizes: &Sizes, inputs: &Inputs<'_>) {
    let Sizes { batch, heads, kv_heads, queries, keys, d_head } = *sizes;
    assert!(kv_heads > 0 && heads.is_multiple_of(kv_heads), "heads are a multiple of kv_heads");
    assert_eq!(inputs.q.len(), batch * heads * queries * d_head, "q is [batch, heads, queries, d_head]");
    assert_eq!(inputs.k.len(), batch * kv_heads * keys * d_head, "k is [batch, kv_heads, keys, d_head]");
    assert_eq!(inputs.v.len(), inputs.k.len(), "v is as k");
}

/// An output, of which each unit of work writes its own part.
struct Output<'a, T = f32>(*mut T, usize, PhantomData<&'a mut [T]>);

// SAFETY: `write` is called with parts that no other thread writes.
unsafe impl<T: Send> Sync for Output<'_, T> {}

impl<'a, T: Copy> Output<'a, T> {
    fn new(values: &'a mut [T]) -> Self {
        Self(values.as_mut_ptr(), values.len(), PhantomData)
    }

    /// # Safety
    ///
    /// No other thread may write there.
    unsafe fn write(&self, at: usize, values: &[T]) {
        assert!(at + values.len() <= self.1);
        // SAFETY: within the slice this was made of, which it borrows; the caller's word that it is alone there.
        unsafe { self.0.add(at).copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    }
}

/// Matrices of one head of keys and values, and of a block of queries; rows are rounded up to whole vectors, with zeros.
#[derive(Default)]
struct Scratch {
    /// `[keys, d_head]`
    k: Vec<f32>,
    v: Vec<f32>,
    /// `[d_head, keys]`
    k_transposed: Vec<f32>,
    /// `[QUERIES, d_head]`
    q: Vec<f32>,
    out: Vec<f32>,
    /// `[QUERIES, keys]`
    scores: Vec<f32>,
}

thread_local! {
    /// Kept between calls: a batch's sizes are mostly the last one's.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Scratch {
    /// Reads a unit's keys and values.
    fn read(&mut self, sizes: &Sizes, inputs: &Inputs<'_>, unit: usize) {
        let block = sizes.keys * sizes.d_head;
        let (k, v) = (&inputs.k[unit * block..][..block], &inputs.v[unit * block..][..block]);
        copy_rows(&mut self.k, k, sizes.d_head);
        copy_rows(&mut self.v, v, sizes.d_head);
        transpose(&mut self.k_transposed, k, sizes.d_head);
        self.scores.resize(QUERIES * sizes.keys_width(), 0.0);
        self.out.resize(QUERIES * sizes.width(), 0.0);
    }
}

/// Copies rows of `length` floats to rows of whole vectors.
fn copy_rows(to: &mut Vec<f32>, from: &[f32], length: usize) {
    let width = length.next_multiple_of(WIDTH);
    to.clear();
    to.resize(from.len() / length.max(1) * width, 0.0);
    for (to, from) in to.chunks_exact_mut(width.max(1)).zip(from.chunks_exact(length.max(1))) {
        to[..length].copy_from_slice(from);
    }
}

/// Copies rows of `length` floats to columns, which become rows of whole vectors.
fn transpose(to: &mut Vec<f32>, from: &[f32], length: usize) {
    let width = (from.len() / length.max(1)).next_multiple_of(WIDTH);
    to.clear();
    to.resize(length * width, 0.0);
    for (i, row) in from.chunks_exact(length.max(1)).enumerate() {
        for (to, value) in to[i..].iter_mut().step_by(width).zip(row) {
            *to = *value;
        }
    }
}

/// A block of queries of one head of one sequence.
struct Block {
    sequence: usize,
    head: usize,
    queries: Range<usize>,
    /// Keys that are looked at, and the same in whole vectors.
    seen: usize,
    columns: usize,
}

/// All blocks of the unit, a head of keys and values of one sequence.
fn blocks<'a>(sizes: &'a Sizes, bias: Bias<'a>, unit: usize) -> impl Iterator<Item = Block> + 'a {
    let (sequence, kv_head) = (unit / sizes.kv_heads, unit % sizes.kv_heads);
    let group = sizes.heads / sizes.kv_heads;
    (kv_head * group..(kv_head + 1) * group).flat_map(move |head| {
        (0..sizes.queries).step_by(QUERIES).map(move |first| {
            let queries = first..(first + QUERIES).min(sizes.queries);
            let seen = bias.seen(sequence, head, queries.clone(), sizes.keys);
            Block { sequence, head, queries, seen, columns: seen.next_multiple_of(WIDTH) }
        })
    })
}

impl Block {
    /// Where the first query is in `[batch, heads, queries]`.
    fn at(&self, sizes: &Sizes) -> usize {
        (self.sequence * sizes.heads + self.head) * sizes.queries + self.queries.start
    }

    /// Where a query's result is in `[batch, queries, heads · d_head]`.
    fn result_at(&self, sizes: &Sizes, query: usize) -> usize {
        ((self.sequence * sizes.queries + self.queries.start + query) * sizes.heads + self.head)
            * sizes.d_head
    }

    /// Scores with their bias, `[queries, columns]` of `scratch.scores`; what lies beyond the keys becomes −∞.
    #[inline(always)]
    fn score<S: Simd>(&self, s: S, sizes: &Sizes, inputs: &Inputs<'_>, scratch: &mut Scratch) {
        let (count, stride) = (self.queries.len(), sizes.keys_width());
        copy_rows(
            &mut scratch.q,
            &inputs.q[self.at(sizes) * sizes.d_head..][..count * sizes.d_head],
            sizes.d_head,
        );
        let q = Matrix::rows(&scratch.q, sizes.width());
        product(
            s,
            &mut scratch.scores,
            stride,
            q,
            &scratch.k_transposed,
            stride,
            [count, self.columns, sizes.d_head],
        );
        for (row, query) in scratch.scores.chunks_exact_mut(stride).zip(self.queries.clone()) {
            let bias = &inputs.bias.values[inputs.bias.start(self.sequence, self.head, query)..][..self.seen];
            for (score, bias) in row.iter_mut().zip(bias) {
                *score = *score * inputs.scale + bias;
            }
            row[self.seen..self.columns].fill(f32::NEG_INFINITY);
        }
    }
}

/// `x = e^(x − shift) · factor`, less next to nothing; returns the sum. NaN stays NaN.
#[inline(always)]
fn exponentials<S: Simd>(s: S, x: &mut [f32], shift: f32, factor: f32) -> f32 {
    let mut sum = s.splat(0.0);
    for x in x.chunks_exact_mut(S::LANES) {
        // SAFETY: the chunk holds `LANES` floats.
        unsafe {
            let e = exp(s, s.sub(s.load(x.as_ptr()), s.splat(shift)));
            let e = s.mul(s.at_least(s.sub(e, s.splat(NOTHING)), s.splat(0.0)), s.splat(factor));
            sum = s.add(sum, e);
            s.store(x.as_mut_ptr(), e);
        }
    }
    s.sum(sum)
}

struct Forward<'a> {
    sizes: &'a Sizes,
    inputs: Inputs<'a>,
    scratch: &'a mut Scratch,
    y: &'a Output<'a>,
    sums: &'a Output<'a, Sum>,
    units: Range<usize>,
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { sizes, inputs, scratch, y, sums, units } = self;
        let (stride, width) = (sizes.keys_width(), sizes.width());
        for unit in units {
            scratch.read(sizes, &inputs, unit);
            for block in blocks(sizes, inputs.bias, unit) {
                block.score(s, sizes, &inputs, scratch);
                let count = block.queries.len();
                let mut of_block = [Sum::default(); QUERIES];
                for (sum, row) in of_block[..count].iter_mut().zip(scratch.scores.chunks_exact_mut(stride)) {
                    let row = &mut row[..block.columns];
                    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    *sum = Sum { largest, inverse: 1.0 / exponentials(s, row, largest, 1.0) };
                }
                let weights = Matrix::rows(&scratch.scores, stride);
                product(s, &mut scratch.out, width, weights, &scratch.v, width, [count, width, block.seen]);
                for (i, row) in scratch.out.chunks_exact_mut(width).take(count).enumerate() {
                    let row = &mut row[..sizes.d_head];
                    row.iter_mut().for_each(|value| *value *= of_block[i].inverse);
                    // SAFETY: a unit's queries are its own.
                    unsafe { y.write(block.result_at(sizes, i), row) };
                }
                // SAFETY: a unit's queries are its own.
                unsafe { sums.write(block.at(sizes), &of_block[..count]) };
            }
        }
    }
}

#[cfg(all(test, feature = "training"))]
mod tests;
