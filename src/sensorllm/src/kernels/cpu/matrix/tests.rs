//! Products against a plain loop over the dequantised weights, in every instruction set of the machine.

use half::f16;

use super::*;
use crate::kernels::cpu::matmul_each;
use crate::weights::quantise::{dequantise_q4, dequantise_q8, quantise_q4, quantise_q8};

impl PackedMatrix {
    fn matmul(&self, x: &[f32], y: &mut [f32]) {
        let [products] = matmul_each([self], x);
        y.copy_from_slice(&products);
    }
}

/// Numbers in ±1, always the same.
fn numbers(count: usize, mut state: u32) -> Vec<f32> {
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The matrix for each instruction set, and its dequantised weights.
fn matrices(bits: Bits, rows: usize, columns: usize) -> (Vec<PackedMatrix>, Vec<f32>) {
    let weights = numbers(rows * columns, 1);
    let sets = InstructionSet::available();
    match bits {
        Bits::Eight => {
            let (values, scales) = quantise_q8(&weights);
            let pack = |set: &InstructionSet| PackedMatrix::q8_for(*set, rows, columns, &values, &scales);
            (sets.iter().map(pack).collect(), dequantise_q8(&values, &scales))
        }
        Bits::Four => {
            let (values, scales) = quantise_q4(&weights);
            let pack = |set: &InstructionSet| PackedMatrix::q4_for(*set, rows, columns, &values, &scales);
            (sets.iter().map(pack).collect(), dequantise_q4(&values, &scales))
        }
    }
}

fn exact(weights: &[f32], x: &[f32], columns: usize) -> Vec<f64> {
    let dot = |x: &[f32], w: &[f32]| x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
    x.chunks(columns).flat_map(|x| weights.chunks(columns).map(move |w| dot(x, w))).collect()
}

/// Norm of the difference over the norm of `exact`.
fn relative_error(y: &[f32], exact: &[f64]) -> f64 {
    let error: f64 = y.iter().zip(exact).map(|(y, exact)| (f64::from(*y) - exact).powi(2)).sum();
    (error / exact.iter().map(|y| y * y).sum::<f64>()).sqrt()
}

#[test]
fn products_are_exact_to_1e_4() {
    for bits in [Bits::Eight, Bits::Four] {
        for (rows, columns) in [(5, 32), (7, 64), (40, 96), (67, 576), (192, 288), (33, 1536)] {
            let (matrices, weights) = matrices(bits, rows, columns);
            for tokens in [1, 2, 3, 4, 5, 64, 67] {
                let mut x = numbers(tokens * columns, 2);
                // Trained models have a few activations far larger than the rest.
                x[columns / 3] = 80.0;
                let exact = exact(&weights, &x, columns);
                for matrix in &matrices {
                    let mut y = vec![f32::NAN; tokens * rows];
                    matrix.matmul(&x, &mut y);
                    for (token, (y, exact)) in y.chunks(rows).zip(exact.chunks(rows)).enumerate() {
                        let error = relative_error(y, exact);
                        let set = matrix.set;
                        assert!(
                            error < 1e-4,
                            "{bits:?} {set:?} {rows}×{columns}, token {token} of {tokens}: {error}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn one_token_gives_the_same_alone_and_among_others() {
    for bits in [Bits::Eight, Bits::Four] {
        for matrix in matrices(bits, 50, 160).0 {
            let x = numbers(9 * 160, 3);
            let (mut together, mut alone) = (vec![0.0; 9 * 50], vec![0.0; 9 * 50]);
            matrix.matmul(&x, &mut together);
            for (x, y) in x.chunks(160).zip(alone.chunks_mut(50)) {
                matrix.matmul(x, y);
            }
            assert_eq!(together, alone, "{bits:?} {:?}", matrix.set);
        }
    }
}

#[test]
fn matrices_with_the_same_input_give_the_same_together() {
    let (eight, _) = matrices(Bits::Eight, 50, 160);
    let (four, _) = matrices(Bits::Four, 21, 160);
    for (eight, four) in eight.iter().zip(&four) {
        for tokens in [1, 3, 67] {
            let x = numbers(tokens * 160, 5);
            let mut alone = (vec![0.0; tokens * 50], vec![0.0; tokens * 21]);
            eight.matmul(&x, &mut alone.0);
            four.matmul(&x, &mut alone.1);
            assert_eq!(matmul_each([eight, four], &x), [alone.0, alone.1], "{:?} {tokens}", eight.set);
        }
    }
}

#[test]
fn the_largest_weights_and_activations_do_not_overflow() {
    let scales = [f16::ONE; 40];
    for set in InstructionSet::available() {
        for sign in [1.0, -1.0] {
            let x = [1e6 * sign; 64];
            let mut y = [0.0; 20];
            PackedMatrix::q8_for(set, 20, 64, &[-128; 20 * 64], &scales).matmul(&x, &mut y);
            assert!(y.iter().all(|y| (y / (-128.0 * 64e6 * sign) - 1.0).abs() < 1e-4), "{set:?} {y:?}");
            for (byte, weight) in [(0x00, -8.0), (0xFF, 7.0)] {
                PackedMatrix::q4_for(set, 20, 64, &[byte; 20 * 32], &scales).matmul(&x, &mut y);
                assert!(y.iter().all(|y| (y / (weight * 64e6 * sign) - 1.0).abs() < 1e-4), "{set:?} {y:?}");
            }
        }
    }
}

#[test]
fn zeros_and_tiny_activations_give_zero_and_nan_gives_nan() {
    for bits in [Bits::Eight, Bits::Four] {
        for matrix in matrices(bits, 20, 64).0 {
            for (value, expected) in [(0.0, 0.0), (1e-42, 0.0), (-0.0, 0.0)] {
                let mut y = [1.0; 20];
                matrix.matmul(&[value; 64], &mut y);
                assert!(y.iter().all(|y| *y == expected), "{:?} {value}: {y:?}", matrix.set);
            }
            // One bad number at every place of a vector, in the second of two tokens.
            for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for column in 0..64 {
                    let mut x = numbers(2 * 64, 4);
                    x[64 + column] = bad;
                    let mut y = [0.0; 40];
                    matrix.matmul(&x, &mut y);
                    assert!(y[..20].iter().all(|y| y.is_finite()), "{:?}: {y:?}", matrix.set);
                    assert!(y[20..].iter().all(|y| y.is_nan()), "{:?} {bad} at {column}: {y:?}", matrix.set);
                }
            }
        }
    }
}

#[test]
fn rows_come_back_as_stored() {
    for bits in [Bits::Eight, Bits::Four] {
        let (matrices, weights) = matrices(bits, 37, 96);
        for matrix in matrices {
            assert_eq!((matrix.rows(), matrix.columns()), (37, 96));
            for (row, expected) in weights.chunks(96).enumerate() {
                let mut out = [0.0; 96];
                matrix.row(row, &mut out);
                assert_eq!(out, expected, "{bits:?} {:?} row {row}", matrix.set);
            }
        }
    }
}

#[test]
fn memory_is_little_more_than_on_disk() {
    let (q8, _) = matrices(Bits::Eight, 256, 64);
    let (q4, _) = matrices(Bits::Four, 256, 64);
    assert!(q8.iter().all(|matrix| matrix.bytes() == 256 * (64 + 4)));
    assert!(q4.iter().all(|matrix| matrix.bytes() == 256 * (32 + 4)));
}

#[test]
fn no_tokens_and_no_rows_give_nothing() {
    let (q8, _) = matrices(Bits::Eight, 4, 32);
    q8[0].matmul(&[], &mut []);
    PackedMatrix::q8(0, 32, &[], &[]).matmul(&[0.0; 32], &mut []);
}
