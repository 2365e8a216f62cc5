//! The language model's operations on the CPU, on plain slices: products with quantised matrices, normalisation, gated activation
//! and attention over a growing cache.
//!
//! Weights stay quantised in memory. Activations are rounded to 16 bits per block of 32 for a product, which keeps the result
//! within 1e-4 of the exact one and lets the processor multiply integers, twice as many at a time as floats.

mod activations;
mod attention;
pub(crate) mod batch_attention;
mod elementwise;
mod matrix;
mod product;
mod simd;
mod small_product;
pub(crate) mod tensors;
mod threads;
mod tile;

pub(crate) use attention::{KvBuffer, Rotation};
#[cfg(feature = "training")]
pub(crate) use elementwise::{gelu, gelu_gradient, rms_norm_gradient, rotate, swiglu_gradient};
pub(crate) use elementwise::{rms_norm, swiglu};
pub(crate) use matrix::PackedMatrix;
pub(crate) use product::matmul_each;

/// Weights and activations that share one scale.
const BLOCK: usize = 32;
