//! Attention against the plain formula, in every instruction set of the machine.

use super::*;

/// Numbers in ±1, always the same.
fn numbers(count: usize, mut state: u32) -> Vec<f32> {
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn rotation(positions: usize, half: usize) -> Rotation {
    let angle = |i: usize| (i / half) as f32 * 100_f32.powf(-((i % half) as f32) / half as f32);
    let count = positions * half;
    Rotation {
        cos: (0..count).map(|i| angle(i).cos()).collect(),
        sin: (0..count).map(|i| angle(i).sin()).collect(),
        half,
    }
}

/// Heads, key-value heads, width of a head.
type Shape = (usize, usize, usize);

struct Input {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
}

impl Input {
    fn new(tokens: usize, (heads, kv_heads, d_head): Shape) -> Self {
        let numbers = |heads, seed| numbers(tokens * heads * d_head, seed).iter().map(|x| 3.0 * x).collect();
        Self { q: numbers(heads, 1), k: numbers(kv_heads, 2), v: numbers(kv_heads, 3) }
    }

    /// Tokens `range` through `cache`.
    fn attend(
        &self,
        cache: &mut KvBuffer,
        range: Range<usize>,
        (heads, kv_heads, d_head): Shape,
    ) -> Vec<f32> {
        let part =
            |x: &[f32], heads: usize| x[range.start * heads * d_head..range.end * heads * d_head].to_vec();
        let (mut q, mut k, v) = (part(&self.q, heads), part(&self.k, kv_heads), part(&self.v, kv_heads));
        let mut y = vec![f32::NAN; q.len()];
        cache.attend(&mut q, &mut k, &v, &rotation(300, d_head / 2), range.start, 0.3, &mut y);
        y
    }
}

/// The formula, in 64 bits.
fn plain(input: &Input, tokens: usize, (heads, kv_heads, d_head): Shape) -> Vec<f32> {
    let rotation = rotation(300, d_head / 2);
    let rotated = |x: &[f32], position: usize| {
        let mut x = x.to_vec();
        for i in 0..d_head / 2 {
            let (cos, sin) =
                (rotation.cos[position * d_head / 2 + i], rotation.sin[position * d_head / 2 + i]);
            let (a, b) = (x[i], x[i + d_head / 2]);
            (x[i], x[i + d_head / 2]) = (a * cos - b * sin, b * cos + a * sin);
        }
        x
    };
    let mut y = Vec::new();
    for token in 0..tokens {
        for head in 0..heads {
            let kv_head = head / (heads / kv_heads);
            let q = rotated(&input.q[(token * heads + head) * d_head..][..d_head], token);
            let at = |position: usize| (position * kv_heads + kv_head) * d_head;
            let score = |position: usize| {
                let k = rotated(&input.k[at(position)..][..d_head], position);
                (0.3 * q.iter().zip(k).map(|(q, k)| f64::from(*q) * f64::from(k)).sum::<f64>()).exp()
            };
            let scores: Vec<f64> = (0..=token).map(score).collect();
            let sum: f64 = scores.iter().sum();
            y.extend((0..d_head).map(|i| {
                let weighted =
                    |(position, score): (usize, &f64)| score / sum * f64::from(input.v[at(position) + i]);
                scores.iter().enumerate().map(weighted).sum::<f64>() as f32
            }));
        }
    }
    y
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .fold(0.0, |largest, (a, b)| if (a - b).abs() <= largest { largest } else { (a - b).abs() })
}

const SHAPES: [Shape; 4] = [(9, 3, 64), (4, 4, 8), (6, 1, 20), (2, 2, 48)];

#[test]
fn the_whole_sequence_at_once_equals_the_formula() {
    for shape in SHAPES {
        for tokens in [1, 2, 5, 64, 150] {
            let input = Input::new(tokens, shape);
            let expected = plain(&input, tokens, shape);
            for set in InstructionSet::available() {
                let mut cache = KvBuffer::new_for(set, shape.1, shape.2);
                let y = input.attend(&mut cache, 0..tokens, shape);
                let difference = largest_difference(&y, &expected);
                assert!(difference < 2e-5, "{set:?} {shape:?}, {tokens} tokens: {difference}");
                assert_eq!(cache.len(), tokens);
            }
        }
    }
}

#[test]
fn parts_and_single_tokens_give_the_same_as_the_whole() {
    for shape in SHAPES {
        let input = Input::new(140, shape);
        for set in InstructionSet::available() {
            let whole = input.attend(&mut KvBuffer::new_for(set, shape.1, shape.2), 0..140, shape);
            let mut cache = KvBuffer::new_for(set, shape.1, shape.2);
            let mut parts = Vec::new();
            for range in [0..61, 61..62, 62..130].into_iter().chain((130..140).map(|token| token..token + 1))
            {
                parts.extend(input.attend(&mut cache, range, shape));
            }
            let difference = largest_difference(&whole, &parts);
            assert!(difference < 1e-6, "{set:?} {shape:?}: {difference}");
        }
    }
}

#[test]
fn nan_stays_nan_and_leaves_earlier_tokens_alone() {
    let shape = (3, 1, 16);
    for set in InstructionSet::available() {
        for place in 0..3 {
            let mut input = Input::new(20, shape);
            match place {
                0 => input.q[11 * 48 + 5] = f32::NAN,
                1 => input.k[11 * 16 + 5] = f32::NAN,
                _ => input.v[11 * 16 + 5] = f32::NAN,
            }
            let y = input.attend(&mut KvBuffer::new_for(set, 1, 16), 0..20, shape);
            // Up to four tokens share a pass, in which a weight of zero times NaN is NaN.
            assert!(y[..8 * 48].iter().all(|y| y.is_finite()), "{set:?} {place}");
            assert!(y[11 * 48..12 * 48].iter().any(|y| y.is_nan()), "{set:?} {place}");
        }
    }
}

#[test]
fn scores_of_a_million_do_not_overflow() {
    let shape = (3, 1, 16);
    let mut input = Input::new(20, shape);
    input.q.iter_mut().for_each(|q| *q *= 1e6);
    for set in InstructionSet::available() {
        let y = input.attend(&mut KvBuffer::new_for(set, 1, 16), 0..20, shape);
        assert!(y.iter().all(|y| y.abs() <= 3.0), "{set:?} {y:?}");
    }
}

#[test]
fn memory_grows_with_the_positions() {
    let shape = (9, 3, 64);
    let input = Input::new(257, shape);
    let mut cache = KvBuffer::new(3, 64);
    assert_eq!((cache.bytes(), cache.is_empty()), (0, true));
    input.attend(&mut cache, 0..1, shape);
    assert_eq!(cache.bytes(), 2 * 3 * 256 * 64 * 4);
    input.attend(&mut cache, 1..257, shape);
    assert_eq!(cache.bytes(), 2 * 3 * 512 * 64 * 4);
}
