//! The exact GELU, x · Φ(x), and its gradient.

use super::super::simd::{InstructionSet, Kernel, Simd, exp};

/// `x = x · Φ(x)`, to 2e-7 of |x|.
pub(crate) fn gelu(x: &mut [f32]) {
    InstructionSet::best().run(Gelu { x, dy: None });
}

/// `x` becomes the loss by `x`, from the loss by [`gelu`]'s result.
///
/// # Panics
///
/// If the slices differ in length.
pub(crate) fn gelu_gradient(x: &mut [f32], dy: &[f32]) {
    assert_eq!(x.len(), dy.len());
    InstructionSet::best().run(Gelu { x, dy: Some(dy) });
}

struct Gelu<'a> {
    x: &'a mut [f32],
    dy: Option<&'a [f32]>,
}

impl Kernel for Gelu<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { x, dy } = self;
        let whole = x.len() - x.len() % S::LANES;
        let (chunks, last) = x.split_at_mut(whole);
        // 16 lanes are the most there are.
        let (mut padded, mut padded_dy) = ([0.0; 16], [0.0; 16]);
        padded[..last.len()].copy_from_slice(last);
        match dy {
            None => {
                for x in chunks.chunks_exact_mut(S::LANES).chain([&mut padded[..S::LANES]]) {
                    // SAFETY: the chunk holds `LANES` floats.
                    unsafe { s.store(x.as_mut_ptr(), activated(s, s.load(x.as_ptr()))) };
                }
            }
            Some(dy) => {
                let (dy_chunks, dy_last) = dy.split_at(whole);
                padded_dy[..dy_last.len()].copy_from_slice(dy_last);
                let x = chunks.chunks_exact_mut(S::LANES).chain([&mut padded[..S::LANES]]);
                let dy = dy_chunks.chunks_exact(S::LANES).chain([&padded_dy[..S::LANES]]);
                for (x, dy) in x.zip(dy) {
                    // SAFETY: both chunks hold `LANES` floats.
                    unsafe {
                        let slope = slope(s, s.load(x.as_ptr()));
                        s.store(x.as_mut_ptr(), s.mul(slope, s.load(dy.as_ptr())));
                    }
                }
            }
        }
        let count = last.len();
        last.copy_from_slice(&padded[..count]);
    }
}

/// |x|, Φ(|x|) − 1/2 and e^(−x²/2). The error function is that of Abramowitz and Stegun, 7.1.26, right to 1.5e-7.
#[inline(always)]
fn parts<S: Simd>(s: S, x: S::F32) -> (S::F32, S::F32, S::F32) {
    let one = s.splat(1.0);
    let size = s.at_least(x, s.sub(s.splat(0.0), x));
    let bell = exp(s, s.mul(s.mul(x, x), s.splat(-0.5)));
    // The tables' argument is |x| / √2.
    let t = s.div(one, s.mul_add(size, s.splat(0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2), one));
    let mut sum = s.splat(1.061_405_4);
    for factor in [-1.453_152, 1.421_413_7, -0.284_496_72, 0.254_829_6] {
        sum = s.mul_add(sum, t, s.splat(factor));
    }
    let beyond = s.mul(s.mul(sum, t), bell);
    (size, s.mul(s.sub(one, beyond), s.splat(0.5)), bell)
}

#[inline(always)]
fn activated<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let (size, share, _) = parts(s, x);
    s.mul_add(size, share, s.mul(x, s.splat(0.5)))
}

/// Φ(x) + x · φ(x)
#[inline(always)]
fn slope<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let (size, share, bell) = parts(s, x);
    // x / |x| is the sign, and 0 at 0, where the share is 0 too.
    let sign = s.div(x, s.at_least(size, s.splat(f32::MIN_POSITIVE)));
    let density = s.mul(bell, s.splat(0.398_942_3));
    s.mul_add(x, density, s.mul_add(sign, share, s.splat(0.5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 − Φ(x) of a positive x, by its continued fraction or the series of Φ.
    fn upper_tail(x: f64) -> f64 {
        let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        if x > 3.0 {
            return density / (1..200).rev().fold(x, |fraction, k| x + f64::from(k) / fraction);
        }
        let mut term = x;
        let mut sum = x;
        for k in 1..200 {
            term *= x * x / f64::from(2 * k + 1);
            sum += term;
        }
        0.5 - density * sum
    }

    #[test]
    fn values_and_slopes_are_right_to_5e_7() {
        for set in InstructionSet::available() {
            let x: Vec<f32> = (-8000..8003).map(|i| i as f32 / 913.0).collect();
            let (mut y, mut slopes) = (x.clone(), x.clone());
            let dy: Vec<f32> = (0..x.len()).map(|i| (i % 7) as f32 - 3.0).collect();
            set.run(Gelu { x: &mut y, dy: None });
            set.run(Gelu { x: &mut slopes, dy: Some(&dy) });
            for i in 0..x.len() {
                let x = f64::from(x[i]);
                let tail = upper_tail(x.abs());
                let cumulative = if x > 0.0 { 1.0 - tail } else { tail };
                let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
                assert!(
                    (f64::from(y[i]) - x * cumulative).abs() <= 5e-7 * x.abs().max(1.0),
                    "{set:?} {x}: {}",
                    y[i]
                );
                let slope = (cumulative + x * density) * f64::from(dy[i]);
                assert!(
                    (f64::from(slopes[i]) - slope).abs() <= 5e-7 * f64::from(dy[i]).abs().max(1.0),
                    "{set:?} slope at {x}: {}",
                    slopes[i]
                );
            }
        }
    }

    #[test]
    fn nan_stays_nan_and_extremes_are_finite() {
        for set in InstructionSet::available() {
            for width in [1, 16, 17] {
                let run = |value: f32, dy: Option<&[f32]>| {
                    let mut x = vec![value; width];
                    set.run(Gelu { x: &mut x, dy });
                    x
                };
                let ones = vec![1.0; width];
                assert!(run(f32::NAN, None).iter().all(|y| y.is_nan()));
                assert!(run(f32::NAN, Some(&ones)).iter().all(|y| y.is_nan()));
                assert!(run(1e6, None).iter().all(|y| *y == 1e6));
                assert!(run(-1e6, None).iter().all(|y| y.abs() < 1e-3));
                assert!(run(1e6, Some(&ones)).iter().all(|y| (*y - 1.0).abs() < 1e-6));
                assert!(run(-1e6, Some(&ones)).iter().all(|y| y.abs() < 1e-6));
            }
        }
    }
}
