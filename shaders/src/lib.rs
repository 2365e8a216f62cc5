//! WGSL kernels as files that are valid as they stand, and for each a CPU twin of the same name that says what it computes.
//!
//! The library launches the kernels where it runs on WebGPU; the twins are what they are tested against.

pub mod argmax;
pub mod attention_decode;
pub mod attention_prefill;
pub mod blocks;
pub mod features;
pub mod gather;
pub mod matmul;
pub mod matvec;
pub mod rms_norm;
pub mod rope_cache;
pub mod swiglu;
pub mod swiglu_matvec;
#[cfg(test)]
mod validate;
