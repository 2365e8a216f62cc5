//! Normalisation and gated activation: what a layer does between its products.
#![allow(unsafe_code)] // Vector loads and stores take pointers.

#[cfg(feature = "training")]
mod gelu;
#[cfg(feature = "training")]
mod gradient;

use super::simd::{InstructionSet, Kernel, Simd, exp};

#[cfg(feature = "training")]
pub(crate) use gelu::{gelu, gelu_gradient};
#[cfg(feature = "training")]
pub(crate) use gradient::{rms_norm_gradient, rotate, swiglu_gradient};

/// `y = x / √(mean(x²) + epsilon) · weight`, row by row.
///
/// # Shapes
///
/// - x, y: `[rows, width]`
/// - weight: `[width]`
///
/// # Panics
///
/// If the slices do not have these shapes.
pub(crate) fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    assert_eq!(x.len() % weight.len().max(1), 0, "x is [rows, width]");
    InstructionSet::best().run(RmsNorm { x, weight, epsilon, y });
}

/// `gate = silu(gate) · up`, where silu(x) = x / (1 + e^−x).
///
/// # Panics
///
/// If the slices differ in length.
pub(crate) fn swiglu(gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len());
    InstructionSet::best().run(SwiGlu { gate, up });
}

struct RmsNorm<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    epsilon: f32,
    y: &'a mut [f32],
}

impl Kernel for RmsNorm<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let width = self.weight.len();
        let whole = width - width % S::LANES;
        for (x, y) in self.x.chunks_exact(width.max(1)).zip(self.y.chunks_exact_mut(width.max(1))) {
            let mut sum = s.splat(0.0);
            for i in (0..whole).step_by(S::LANES) {
                // SAFETY: `i` and the next lanes are below `width`, the length of the row.
                let x = unsafe { s.load(x.as_ptr().add(i)) };
                sum = s.mul_add(x, x, sum);
            }
            let sum = s.sum(sum) + x[whole..].iter().map(|x| x * x).sum::<f32>();
            let factor = 1.0 / (sum / width as f32 + self.epsilon).sqrt();
            for i in (0..whole).step_by(S::LANES) {
                // SAFETY: as above, for the three of them.
                unsafe {
                    let x = s.mul(s.load(x.as_ptr().add(i)), s.splat(factor));
                    s.store(y.as_mut_ptr().add(i), s.mul(x, s.load(self.weight.as_ptr().add(i))));
                }
            }
            for i in whole..width {
                y[i] = x[i] * factor * self.weight[i];
            }
        }
    }
}

struct SwiGlu<'a> {
    gate: &'a mut [f32],
    up: &'a [f32],
}

impl Kernel for SwiGlu<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let whole = self.gate.len() - self.gate.len() % S::LANES;
        for i in (0..whole).step_by(S::LANES) {
            // SAFETY: `i` and the next lanes are below both lengths.
            unsafe {
                let gate = self.gate.as_mut_ptr().add(i);
                s.store(gate, gated(s, s.load(gate), s.load(self.up.as_ptr().add(i))));
            }
        }
        // 16 lanes are the most there are.
        let (mut gate, mut up) = ([0.0; 16], [0.0; 16]);
        let left = self.gate.len() - whole;
        gate[..left].copy_from_slice(&self.gate[whole..]);
        up[..left].copy_from_slice(&self.up[whole..]);
        // SAFETY: the arrays hold as many lanes as there are.
        unsafe {
            let result = gated(s, s.load(gate.as_ptr()), s.load(up.as_ptr()));
            s.store(gate.as_mut_ptr(), result);
        }
        self.gate[whole..].copy_from_slice(&gate[..left]);
    }
}

#[inline(always)]
fn gated<S: Simd>(s: S, gate: S::F32, up: S::F32) -> S::F32 {
    let e = exp(s, s.sub(s.splat(0.0), gate));
    s.mul(s.div(gate, s.add(s.splat(1.0), e)), up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_normalised_whatever_their_width() {
        for set in InstructionSet::available() {
            for width in [1, 3, 16, 37, 576] {
                let x: Vec<f32> = (0..2 * width).map(|i| ((i * 37 % 19) as f32 - 9.0) * 0.3).collect();
                let weight: Vec<f32> = (0..width).map(|i| 0.5 + (i % 5) as f32 / 4.0).collect();
                let mut y = vec![f32::NAN; 2 * width];
                set.run(RmsNorm { x: &x, weight: &weight, epsilon: 1e-5, y: &mut y });
                for (x, y) in x.chunks(width).zip(y.chunks(width)) {
                    let mean = x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / width as f64;
                    for i in 0..width {
                        let expected = f64::from(x[i]) / (mean + 1e-5).sqrt() * f64::from(weight[i]);
                        assert!(
                            (f64::from(y[i]) - expected).abs() < 2e-6 * expected.abs().max(1.0),
                            "{set:?} {width}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn gates_are_exact_to_1e_6() {
        for set in InstructionSet::available() {
            let gate: Vec<f32> = (-9001..9002).map(|i| i as f32 / 107.0).collect();
            let up: Vec<f32> = (0..gate.len()).map(|i| (i % 11) as f32 - 5.0).collect();
            let mut y = gate.clone();
            set.run(SwiGlu { gate: &mut y, up: &up });
            for i in 0..gate.len() {
                let expected = f64::from(gate[i]) / (1.0 + (-f64::from(gate[i])).exp()) * f64::from(up[i]);
                let error = (f64::from(y[i]) - expected).abs();
                assert!(error <= 1e-6 * expected.abs(), "{set:?} silu({}) · {} = {}", gate[i], up[i], y[i]);
            }
        }
    }

    #[test]
    fn nan_stays_nan_and_extremes_are_finite() {
        for set in InstructionSet::available() {
            for width in [1, 16, 17] {
                let mut gate = vec![f32::NAN; width];
                set.run(SwiGlu { gate: &mut gate, up: &vec![1.0; width] });
                assert!(gate.iter().all(|y| y.is_nan()), "{set:?} {width}");
                let mut gate = vec![-1e6; width];
                set.run(SwiGlu { gate: &mut gate, up: &vec![1e6; width] });
                assert!(gate.iter().all(|y| y.abs() < 1e-20), "{set:?} {width} {gate:?}");
                let mut gate = vec![1e6; width];
                set.run(SwiGlu { gate: &mut gate, up: &vec![2.0; width] });
                assert!(gate.iter().all(|y| *y == 2e6), "{set:?} {width}");
                let mut y = vec![0.0; width];
                let mut x = vec![1.0; width];
                x[width - 1] = f32::NAN;
                set.run(RmsNorm { x: &x, weight: &vec![1.0; width], epsilon: 1e-5, y: &mut y });
                assert!(y.iter().all(|y| y.is_nan()), "{set:?} {width}");
            }
        }
    }
}
