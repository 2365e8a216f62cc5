//! Causal attention over a growing cache of keys and values.
#![allow(unsafe_code)] // Inner loops read the cache through pointers; threads write disjoint parts of one output.

use std::cell::RefCell;
use std::ops::Range;

use super::simd::{InstructionSet, Kernel, Simd, exp};
use super::threads;

/// Positions per block of the cache: a multiple of two vectors in every instruction set.
const POSITIONS: usize = 64;

/// Queries that share a pass over the cache: as many as accumulators fit in registers.
const QUERIES: usize = 4;

/// Vectors that a pass handles side by side.
const VECTORS: usize = 2;

/// Blocks the cache grows by: 256 positions.
const GROWTH: usize = 4;

/// Multiply-adds from which on attention is shared among threads.
const SHARED: usize = 1 << 18;

/// Cosines and sines of rotary position embedding: the angle of position p and pair i is p · frequency(i).
///
/// Pair i of a head is its elements i and i + d_head / 2, as in published Llama checkpoints.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    /// `[positions, d_head / 2]`
    pub(crate) cos: Vec<f32>,
    /// `[positions, d_head / 2]`
    pub(crate) sin: Vec<f32>,
    /// d_head / 2
    pub(crate) half: usize,
}

impl Rotation {
    /// Positions it covers.
    pub(crate) fn positions(&self) -> usize {
        self.cos.len() / self.half.max(1)
    }

    /// Rotates one head's `x` `[d_head]` to `position`.
    #[inline]
    fn rotate(&self, x: &mut [f32], position: usize) {
        let (first, second) = x.split_at_mut(self.half);
        let cos = &self.cos[position * self.half..][..self.half];
        let sin = &self.sin[position * self.half..][..self.half];
        for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
            (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
        }
    }
}

/// Keys and values of one layer and one sequence.
///
/// Each key-value head has blocks of 64 positions. A block of keys lies as `[64 / 2L, d_head, 2L]`, a block of values as
/// `[d_head / 2L, 64, 2L]`, where L are the lanes of a vector: both passes of attention read memory from front to back.
#[derive(Clone, Debug)]
pub(crate) struct KvBuffer {
    /// Per key-value head.
    keys: Vec<Vec<f32>>,
    /// Per key-value head; a head's width is rounded up to whole vectors.
    values: Vec<Vec<f32>>,
    d_head: usize,
    length: usize,
    set: InstructionSet,
}

impl KvBuffer {
    /// An empty cache.
    pub(crate) fn new(kv_heads: usize, d_head: usize) -> Self {
        Self::new_for(InstructionSet::best(), kv_heads, d_head)
    }

    pub(super) fn new_for(set: InstructionSet, kv_heads: usize, d_head: usize) -> Self {
        let empty = vec![Vec::new(); kv_heads];
        Self { keys: empty.clone(), values: empty, d_head, length: 0, set }
    }

    /// Positions held.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Whether it holds nothing.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Bytes in memory.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.keys.iter().chain(&self.values).map(|head| head.capacity() * size_of::<f32>()).sum()
    }

    /// Floats of a head's block of values.
    fn value_block(&self) -> usize {
        POSITIONS * self.d_head.next_multiple_of(VECTORS * self.set.lanes())
    }

    /// Rotates queries and keys in place, appends keys and values, and attends: token i to all that was held before and to the
    /// tokens up to itself.
    ///
    /// # Shapes
    ///
    /// - q: `[tokens, heads, d_head]`, not yet rotated; heads a multiple of the key-value heads
    /// - k, v: `[tokens, kv_heads, d_head]`, not yet rotated
    /// - rotation: positions `start..start + tokens` are used
    /// - y: `[tokens, heads · d_head]`, overwritten
    ///
    /// # Panics
    ///
    /// If the slices do not have these shapes or `rotation` ends before the last position.
    #[allow(clippy::too_many_arguments)] // What attention takes.
    pub(crate) fn attend(
        &mut self,
        q: &mut [f32],
        k: &mut [f32],
        v: &[f32],
        rotation: &Rotation,
        start: usize,
        scale: f32,
        y: &mut [f32],
    ) {
        let (kv_heads, d_head) = (self.keys.len(), self.d_head);
        let tokens = k.len() / (kv_heads * d_head);
        if tokens == 0 {
            return;
        }
        let heads = q.len() / (tokens * d_head);
        assert_eq!(k.len(), tokens * kv_heads * d_head, "k is [tokens, kv_heads, d_head]");
        assert_eq!(v.len(), k.len(), "v is [tokens, kv_heads, d_head]");
        assert_eq!(q.len(), tokens * heads * d_head, "q is [tokens, heads, d_head]");
        assert_eq!(heads % kv_heads, 0, "heads are a multiple of kv_heads");
        assert_eq!(y.len(), q.len(), "y is [tokens, heads · d_head]");
        assert!(
            rotation.half * 2 == d_head && start + tokens <= rotation.positions(),
            "rotation covers the positions"
        );

        for (token, (q, k)) in
            q.chunks_exact_mut(heads * d_head).zip(k.chunks_exact_mut(kv_heads * d_head)).enumerate()
        {
            for head in q.chunks_exact_mut(d_head).chain(k.chunks_exact_mut(d_head)) {
                rotation.rotate(head, start + token);
            }
        }
        let held = self.length;
        self.append(k, v, tokens);

        let per_head = heads / kv_heads;
        let tiles = (tokens * per_head).div_ceil(QUERIES);
        let work = |tiles: Range<usize>| {
            let output = Output(y.as_ptr().cast_mut());
            SCRATCH.with_borrow_mut(|scratch| {
                scratch.queries.resize(QUERIES * d_head, 0.0);
                scratch.scores.resize(QUERIES * self.length.next_multiple_of(POSITIONS), 0.0);
                scratch.weights.resize(scratch.scores.len(), 0.0);
                self.set.run(Attend {
                    cache: self,
                    q,
                    scratch,
                    output,
                    held,
                    tokens,
                    per_head,
                    scale,
                    tiles,
                });
            });
        };
        if tokens * heads * d_head * self.length < SHARED {
            work(0..kv_heads * tiles);
        } else {
            threads::share(kv_heads * tiles, work);
        }
    }

    /// Copies keys and values `[tokens, kv_heads, d_head]` to the end.
    fn append(&mut self, k: &[f32], v: &[f32], tokens: usize) {
        let (kv_heads, d_head, width) = (self.keys.len(), self.d_head, VECTORS * self.set.lanes());
        let (key_block, value_block) = (POSITIONS * d_head, self.value_block());
        let blocks = (self.length + tokens).div_ceil(POSITIONS);
        for head in 0..kv_heads {
            grow(&mut self.keys[head], blocks, key_block);
            grow(&mut self.values[head], blocks, value_block);
            let (keys, values) = (&mut self.keys[head], &mut self.values[head]);
            for token in 0..tokens {
                let (block, at) = ((self.length + token) / POSITIONS, (self.length + token) % POSITIONS);
                let from = (token * kv_heads + head) * d_head;
                let keys = &mut keys[block * key_block + at / width * width * d_head + at % width..];
                for (to, k) in keys.iter_mut().step_by(width).zip(&k[from..from + d_head]) {
                    *to = *k;
                }
                let values = &mut values[block * value_block..];
                for (chunk, v) in v[from..from + d_head].chunks(width).enumerate() {
                    values[(chunk * POSITIONS + at) * width..][..v.len()].copy_from_slice(v);
                }
            }
        }
        self.length += tokens;
    }
}

/// Makes room for `blocks` blocks, without doubling the memory as a growing vector would.
fn grow(head: &mut Vec<f32>, blocks: usize, block: usize) {
    let needed = blocks * block;
    if head.len() < needed {
        if head.capacity() < needed {
            head.reserve_exact(blocks.next_multiple_of(GROWTH) * block - head.len());
        }
        head.resize(needed, 0.0);
    }
}

/// The output, of which each tile of queries writes its own part.
struct Output(*mut f32);

struct Attend<'a> {
    cache: &'a KvBuffer,
    q: &'a [f32],
    scratch: &'a mut Scratch,
    output: Output,
    /// Positions held before these tokens.
    held: usize,
    tokens: usize,
    /// Query heads per key-value head.
    per_head: usize,
    scale: f32,
    /// Which tiles: all of one key-value head follow one another.
    tiles: Range<usize>,
}

/// Room for a tile of `Q` queries. What a pass over the cache reads as it goes lies with the queries beside each other.
struct Scratch {
    /// `[d_head, Q]`
    queries: Vec<f32>,
    /// `[QUERIES, positions]`
    scores: Vec<f32>,
    /// `[positions, Q]`
    weights: Vec<f32>,
}

thread_local! {
    /// Kept so that a token allocates nothing.
    static SCRATCH: RefCell<Scratch> =
        const { RefCell::new(Scratch { queries: Vec::new(), scores: Vec::new(), weights: Vec::new() }) };
}

impl Kernel for Attend<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let queries = self.tokens * self.per_head;
        let tiles = queries.div_ceil(QUERIES);
        for tile in self.tiles.clone() {
            let (head, first) = (tile / tiles, tile % tiles * QUERIES);
            match (queries - first).min(QUERIES) {
                1 => self.tile::<S, 1>(s, head, first),
                2 => self.tile::<S, 2>(s, head, first),
                3 => self.tile::<S, 3>(s, head, first),
                _ => self.tile::<S, QUERIES>(s, head, first),
            }
        }
    }
}

impl Attend<'_> {
    /// `Q` queries of key-value head `head`: all its query heads of one token follow one another.
    #[inline(always)]
    fn tile<S: Simd, const Q: usize>(&mut self, s: S, head: usize, first: usize) {
        let Scratch { queries, scores, weights } = &mut *self.scratch;
        let (d_head, width) = (self.cache.d_head, VECTORS * S::LANES);
        let heads = self.cache.keys.len() * self.per_head;
        // Where a query starts in `q`, its output in `y`, and how many positions it sees.
        let at = |i: usize| {
            let (token, query_head) = ((first + i) / self.per_head, (first + i) % self.per_head);
            (token * heads + head * self.per_head + query_head) * d_head
        };
        let seen = |i: usize| self.held + (first + i) / self.per_head + 1;
        let longest = seen(Q - 1);
        let stride = scores.len() / QUERIES;
        interleave::<Q>(queries, std::array::from_fn(|i| &self.q[at(i)..at(i) + d_head]));

        let keys = &self.cache.keys[head];
        for position in (0..longest).step_by(width) {
            let keys = keys[position * d_head..][..width * d_head].as_ptr();
            // SAFETY: `keys` holds `d_head` rows of two vectors, `queries` as many of `Q` floats; `scores` has room for whole
            // blocks, thus whole vectors.
            unsafe {
                let sums = weighted::<S, Q>(s, keys, queries.as_ptr(), d_head, [[s.splat(0.0); VECTORS]; Q]);
                for (i, sums) in sums.into_iter().enumerate() {
                    for (v, sum) in sums.into_iter().enumerate() {
                        let to = scores.as_mut_ptr().add(i * stride + position + v * S::LANES);
                        s.store(to, s.mul(sum, s.splat(self.scale)));
                    }
                }
            }
        }

        let mut inverse = [0.0; Q];
        for (i, inverse) in inverse.iter_mut().enumerate() {
            let scores = &mut scores[i * stride..][..longest.next_multiple_of(width)];
            *inverse = 1.0 / softmax(s, scores, seen(i));
        }
        interleave::<Q>(weights, std::array::from_fn(|i| &scores[i * stride..][..longest]));

        let values = &self.cache.values[head];
        let value_block = self.cache.value_block();
        for chunk in 0..d_head.div_ceil(width) {
            let mut sums = [[s.splat(0.0); VECTORS]; Q];
            for position in (0..longest).step_by(POSITIONS) {
                let values = &values[position / POSITIONS * value_block + chunk * POSITIONS * width..];
                let count = POSITIONS.min(longest - position);
                let weights = weights[position * Q..][..count * Q].as_ptr();
                // SAFETY: `values` holds `count` rows of two vectors, `weights` as many of `Q` floats.
                sums = unsafe { weighted::<S, Q>(s, values[..count * width].as_ptr(), weights, count, sums) };
            }
            for (i, sums) in sums.into_iter().enumerate() {
                // 32 floats are the widest pair of vectors.
                let mut out = [0.0; 32];
                let left = width.min(d_head - chunk * width);
                // SAFETY: `out` has room for two vectors; the query's output for what is left of its head.
                unsafe {
                    for (v, sum) in sums.into_iter().enumerate() {
                        s.store(out.as_mut_ptr().add(v * S::LANES), s.mul(sum, s.splat(inverse[i])));
                    }
                    self.output.0.add(at(i) + chunk * width).copy_from_nonoverlapping(out.as_ptr(), left);
                }
            }
        }
    }
}

/// Puts rows of equal length beside each other: `[Q, length]` to `[length, Q]`.
#[inline(always)]
fn interleave<const Q: usize>(to: &mut [f32], rows: [&[f32]; Q]) {
    let length = rows[0].len();
    let rows = rows.map(|row| &row[..length]);
    for (i, to) in to.chunks_exact_mut(Q).take(length).enumerate() {
        for (to, row) in to.iter_mut().zip(rows) {
            *to = row[i];
        }
    }
}

/// `sums + Σ weight · row` over `count` rows of two vectors, for each of `Q` columns of weights.
///
/// # Safety
///
/// `rows` must be readable for `count` rows, `weights` for `count` times `Q` floats.
#[inline(always)]
unsafe fn weighted<S: Simd, const Q: usize>(
    s: S,
    mut rows: *const f32,
    mut weights: *const f32,
    count: usize,
    mut sums: [[S::F32; VECTORS]; Q],
) -> [[S::F32; VECTORS]; Q] {
    let zero = s.unknown_zero();
    let end = rows.wrapping_add(count * VECTORS * S::LANES);
    while rows != end {
        // SAFETY: the caller's: `rows` is before the end, and `weights` is as many rows from its own.
        unsafe {
            let mut row = [s.splat(0.0); VECTORS];
            for (v, row) in row.iter_mut().enumerate() {
                *row = s.load(rows.add(v * S::LANES));
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let weight = s.splat(*weights.add(i));
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum = s.mul_add(weight, value, *sum);
                }
            }
            rows = rows.add(VECTORS * S::LANES).map_addr(|address| address ^ zero);
            weights = weights.add(Q).map_addr(|address| address ^ zero);
        }
    }
    sums
}

/// Replaces the first `seen` scores by e^(score − largest), the rest by 0, and returns their sum. NaN stays NaN.
#[inline(always)]
fn softmax<S: Simd>(s: S, scores: &mut [f32], seen: usize) -> f32 {
    scores[seen..].fill(f32::NEG_INFINITY);
    let mut largest = s.splat(f32::NEG_INFINITY);
    for scores in scores.chunks_exact(S::LANES) {
        // SAFETY: the chunk holds `LANES` floats.
        largest = s.at_least(unsafe { s.load(scores.as_ptr()) }, largest);
    }
    let mut lanes = [f32::NEG_INFINITY; 16];
    // SAFETY: 16 lanes are the most there are.
    unsafe { s.store(lanes.as_mut_ptr(), largest) };
    let largest = s.splat(lanes.into_iter().fold(f32::NEG_INFINITY, f32::max));
    let mut sum = s.splat(0.0);
    for scores in scores.chunks_exact_mut(S::LANES) {
        // SAFETY: the chunk holds `LANES` floats.
        unsafe {
            let e = exp(s, s.sub(s.load(scores.as_ptr()), largest));
            sum = s.add(sum, e);
            s.store(scores.as_mut_ptr(), e);
        }
    }
    // What lies beyond came out as e^−87 ≈ 1e-38: too small for the sum, but no exact zero.
    scores[seen..].fill(0.0);
    s.sum(sum)
}

#[cfg(test)]
mod tests;
