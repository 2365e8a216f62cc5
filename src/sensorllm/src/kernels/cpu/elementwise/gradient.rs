//! Gradients of normalisation and gated activation, and rotation of whole tensors.

use super::super::simd::{InstructionSet, Kernel, Simd, exp};

/// Gradients of [`swiglu`](super::swiglu): `gate` becomes the loss by the gate, `up` the loss by what it gates.
///
/// # Panics
///
/// If the slices differ in length.
pub(crate) fn swiglu_gradient(gate: &mut [f32], up: &mut [f32], dy: &[f32]) {
    assert_eq!(gate.len(), dy.len());
    assert_eq!(up.len(), dy.len());
    InstructionSet::best().run(SwiGluGradient { gate, up, dy });
}

/// Gradients of [`rms_norm`](super::rms_norm): the loss by `x`, and by the weight.
///
/// # Shapes
///
/// - x, dy, dx: `[rows, width]`; dx is overwritten
/// - weight, dw: `[width]`; dw is added to
///
/// # Panics
///
/// If the slices do not have these shapes.
pub(crate) fn rms_norm_gradient(
    x: &[f32],
    weight: &[f32],
    epsilon: f32,
    dy: &[f32],
    dx: &mut [f32],
    dw: &mut [f32],
) {
    assert_eq!(x.len() % weight.len().max(1), 0, "x is [rows, width]");
    assert_eq!(x.len(), dy.len());
    assert_eq!(x.len(), dx.len());
    assert_eq!(weight.len(), dw.len());
    InstructionSet::best().run(RmsNormGradient { x, weight, epsilon, dy, dx, dw });
}

/// Turns every pair (i, i + width/2) of a row by the angle of the row's place; with a `direction` of −1, back.
///
/// # Shapes
///
/// - x: `[any, places, width]`
/// - cos, sin: `[places, width]`, of which the first half of each row is read
///
/// # Panics
///
/// If the slices do not have these shapes.
pub(crate) fn rotate(x: &mut [f32], cos: &[f32], sin: &[f32], width: usize, direction: f32) {
    assert!(width > 0 && width.is_multiple_of(2), "elements of a row are pairs");
    assert_eq!(cos.len(), sin.len());
    assert!(!cos.is_empty() && x.len().is_multiple_of(cos.len()), "x is [any, places, width]");
    InstructionSet::best().run(Rotate { x, cos, sin, width, direction });
}

struct SwiGluGradient<'a> {
    gate: &'a mut [f32],
    up: &'a mut [f32],
    dy: &'a [f32],
}

impl Kernel for SwiGluGradient<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { gate, up, dy } = self;
        let whole = dy.len() - dy.len() % S::LANES;
        for i in (0..whole).step_by(S::LANES) {
            // SAFETY: `i` and the next lanes are below all three lengths.
            unsafe {
                let (gate, up) = (gate.as_mut_ptr().add(i), up.as_mut_ptr().add(i));
                let (dg, du) = gate_gradient(s, s.load(gate), s.load(up), s.load(dy.as_ptr().add(i)));
                s.store(gate, dg);
                s.store(up, du);
            }
        }
        // 16 lanes are the most there are.
        let [mut last_gate, mut last_up, mut last_dy] = [[0.0; 16]; 3];
        let left = dy.len() - whole;
        last_gate[..left].copy_from_slice(&gate[whole..]);
        last_up[..left].copy_from_slice(&up[whole..]);
        last_dy[..left].copy_from_slice(&dy[whole..]);
        // SAFETY: the arrays hold as many lanes as there are.
        unsafe {
            let (dg, du) = gate_gradient(
                s,
                s.load(last_gate.as_ptr()),
                s.load(last_up.as_ptr()),
                s.load(last_dy.as_ptr()),
            );
            s.store(last_gate.as_mut_ptr(), dg);
            s.store(last_up.as_mut_ptr(), du);
        }
        gate[whole..].copy_from_slice(&last_gate[..left]);
        up[whole..].copy_from_slice(&last_up[..left]);
    }
}

/// With s = 1 / (1 + e^−gate), silu = gate · s and its derivative s · (1 + gate · (1 − s)).
#[inline(always)]
fn gate_gradient<S: Simd>(s: S, gate: S::F32, up: S::F32, dy: S::F32) -> (S::F32, S::F32) {
    let one = s.splat(1.0);
    let sigmoid = s.div(one, s.add(one, exp(s, s.sub(s.splat(0.0), gate))));
    let slope = s.mul(sigmoid, s.mul_add(gate, s.sub(one, sigmoid), one));
    (s.mul(s.mul(dy, up), slope), s.mul(dy, s.mul(gate, sigmoid)))
}

struct RmsNormGradient<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    epsilon: f32,
    dy: &'a [f32],
    dx: &'a mut [f32],
    dw: &'a mut [f32],
}

impl Kernel for RmsNormGradient<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { x, weight, epsilon, dy, dx, dw } = self;
        let width = weight.len();
        let whole = width - width % S::LANES;
        let rows = x.chunks_exact(width.max(1)).zip(dy.chunks_exact(width.max(1)));
        for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(width.max(1))) {
            // Σ x² and Σ x · weight · dy
            let (mut squares, mut products) = (s.splat(0.0), s.splat(0.0));
            for i in (0..whole).step_by(S::LANES) {
                // SAFETY: `i` and the next lanes are below `width`, the length of the rows and the weight.
                unsafe {
                    let x = s.load(x.as_ptr().add(i));
                    let weighted = s.mul(s.load(weight.as_ptr().add(i)), s.load(dy.as_ptr().add(i)));
                    squares = s.mul_add(x, x, squares);
                    products = s.mul_add(x, weighted, products);
                }
            }
            let (mut squares, mut products) = (s.sum(squares), s.sum(products));
            for i in whole..width {
                squares += x[i] * x[i];
                products += x[i] * weight[i] * dy[i];
            }
            let factor = 1.0 / (squares / width as f32 + epsilon).sqrt();
            let toward_x = -factor * factor * factor * products / width as f32;
            for i in (0..whole).step_by(S::LANES) {
                // SAFETY: as above, and for the gradients.
                unsafe {
                    let x = s.load(x.as_ptr().add(i));
                    let scaled = s.mul(s.load(dy.as_ptr().add(i)), s.splat(factor));
                    let own = s.mul(scaled, s.load(weight.as_ptr().add(i)));
                    s.store(dx.as_mut_ptr().add(i), s.mul_add(x, s.splat(toward_x), own));
                    let dw = dw.as_mut_ptr().add(i);
                    s.store(dw, s.mul_add(scaled, x, s.load(dw)));
                }
            }
            for i in whole..width {
                let scaled = dy[i] * factor;
                dx[i] = x[i] * toward_x + scaled * weight[i];
                dw[i] += scaled * x[i];
            }
        }
    }
}

struct Rotate<'a> {
    x: &'a mut [f32],
    cos: &'a [f32],
    sin: &'a [f32],
    width: usize,
    direction: f32,
}

impl Kernel for Rotate<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { x, cos, sin, width, direction } = self;
        let half = width / 2;
        for x in x.chunks_exact_mut(cos.len()) {
            let tables = cos.chunks_exact(width).zip(sin.chunks_exact(width));
            for (row, (cos, sin)) in x.chunks_exact_mut(width).zip(tables) {
                let (first, second) = row.split_at_mut(half);
                // Plain numbers: the compiler makes vectors of the instruction set of them.
                for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                    let sin = sin * direction;
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        }
    }
}
