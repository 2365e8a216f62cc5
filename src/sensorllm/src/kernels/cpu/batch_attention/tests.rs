//! Attention and its gradient in every instruction set of the machine, against the formula in 64 bits.

use super::gradient::{Gradients, backward_with};
use super::*;

/// Numbers in ±1, always the same.
fn numbers(count: usize, mut state: u32) -> Vec<f32> {
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

struct Case {
    sizes: Sizes,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    dy: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    /// Causal attention of the last queries.
    fn new(sizes: Sizes) -> Self {
        let Sizes { batch, heads, kv_heads, queries, keys, d_head } = sizes;
        let large = |count, seed| numbers(count, seed).iter().map(|x| 3.0 * x).collect();
        let causal = |i: usize| if i % keys > keys - queries + i / keys { HIDDEN } else { 0.0 };
        Self {
            sizes,
            q: large(batch * heads * queries * d_head, 1),
            k: large(batch * kv_heads * keys * d_head, 2),
            v: large(batch * kv_heads * keys * d_head, 3),
            dy: large(batch * heads * queries * d_head, 4),
            bias: (0..queries * keys).map(causal).collect(),
        }
    }

    fn inputs(&self) -> Inputs<'_> {
        let shape = [1, 1, self.sizes.queries, self.sizes.keys];
        let bias = Bias::new(&self.bias, shape, &self.sizes).unwrap();
        Inputs { q: &self.q, k: &self.k, v: &self.v, bias, scale: SCALE }
    }

    fn run(&self, set: InstructionSet) -> (Vec<f32>, Gradients) {
        let Sizes { batch, heads, queries, .. } = self.sizes;
        let mut y = vec![f32::NAN; self.q.len()];
        let mut sums = vec![Sum::default(); batch * heads * queries];
        forward_with(set, &self.sizes, self.inputs(), &mut y, &mut sums);
        (y, backward_with(set, &self.sizes, self.inputs(), &sums, &self.dy, true))
    }

    /// Result and loss by queries, keys and values, by their definitions.
    fn plain(&self) -> [Vec<f64>; 4] {
        let Sizes { batch, heads, kv_heads, queries, keys, d_head } = self.sizes;
        let [mut y, mut dq] = [(); 2].map(|()| vec![0.0; self.q.len()]);
        let [mut dk, mut dv] = [(); 2].map(|()| vec![0.0; self.k.len()]);
        let scale = f64::from(SCALE);
        for row in 0..batch * heads * queries {
            let (sequence, head, query) = (row / queries / heads, row / queries % heads, row % queries);
            let result = ((sequence * queries + query) * heads + head) * d_head;
            let first_key = (sequence * kv_heads + head / (heads / kv_heads)) * keys;
            let key = |key: usize, d: usize| (first_key + key) * d_head + d;
            let q = |d: usize| f64::from(self.q[row * d_head + d]);
            let score = |k: usize| {
                let product: f64 = (0..d_head).map(|d| q(d) * f64::from(self.k[key(k, d)])).sum();
                product * scale + f64::from(self.bias[query * keys + k])
            };
            let scores: Vec<f64> = (0..keys).map(score).collect();
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|score| (score - largest).exp()).sum();
            let p: Vec<f64> = scores.iter().map(|score| (score - largest).exp() / sum).collect();
            let dy = |d: usize| f64::from(self.dy[result + d]);
            let by_p = |k: usize| (0..d_head).map(|d| dy(d) * f64::from(self.v[key(k, d)])).sum::<f64>();
            let mean: f64 = (0..keys).map(|k| p[k] * by_p(k)).sum();
            for k in 0..keys {
                let by_score = p[k] * (by_p(k) - mean) * scale;
                for d in 0..d_head {
                    y[result + d] += p[k] * f64::from(self.v[key(k, d)]);
                    dq[row * d_head + d] += by_score * f64::from(self.k[key(k, d)]);
                    dk[key(k, d)] += by_score * q(d);
                    dv[key(k, d)] += p[k] * dy(d);
                }
            }
        }
        [y, dq, dk, dv]
    }
}

const SCALE: f32 = 0.4;

fn near(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(1.0_f64, |size, x| size.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() <= 3e-6 * size, "{what}: {found} is not {expected}");
    }
}

#[test]
fn every_instruction_set_follows_the_formula() {
    let sizes = |(batch, heads, kv_heads), queries, keys, d_head| Sizes {
        batch,
        heads,
        kv_heads,
        queries,
        keys,
        d_head,
    };
    for case in [
        sizes((1, 1, 1), 1, 1, 1),
        sizes((2, 4, 2), 7, 7, 6),
        sizes((1, 3, 1), 40, 75, 16),
        sizes((3, 2, 2), 1, 33, 20),
        // Large enough for several threads.
        sizes((6, 4, 2), 70, 70, 16),
    ] {
        let case = Case::new(case);
        let expected = case.plain();
        for set in InstructionSet::available() {
            let (y, Gradients { q, k, v, .. }) = case.run(set);
            for ((found, expected), what) in [y, q, k, v].iter().zip(&expected).zip(["y", "dq", "dk", "dv"]) {
                near(found, expected, what);
            }
        }
    }
}

#[test]
fn a_bias_that_does_not_fit_is_refused() {
    let sizes = Sizes { batch: 2, heads: 4, kv_heads: 2, queries: 3, keys: 5, d_head: 8 };
    let values = vec![0.0; 2 * 4 * 3 * 5];
    assert!(Bias::new(&values, [2, 4, 3, 5], &sizes).is_some());
    assert!(Bias::new(&values[..15], [1, 1, 3, 5], &sizes).is_some());
    assert!(Bias::new(&values, [4, 2, 3, 5], &sizes).is_none());
    assert!(Bias::new(&values[..14], [1, 1, 3, 5], &sizes).is_none());
    assert!(Bias::new(&values[..12], [1, 1, 3, 4], &sizes).is_none());
}

#[test]
fn not_a_number_stays_so() {
    let mut case = Case::new(Sizes { batch: 1, heads: 1, kv_heads: 1, queries: 4, keys: 4, d_head: 4 });
    case.q[1] = f32::NAN;
    let (y, _) = case.run(InstructionSet::best());
    assert!(y[..4].iter().all(|y| y.is_nan()), "{y:?}");
    assert!(y[4..].iter().all(|y| y.is_finite()), "{y:?}");
}
