//! WGSL kernels as files that are valid as they stand, and for each a CPU twin of the same name that says what it computes.
//!
//! The library launches the kernels where it runs on WebGPU; the twins are what they are tested against.

pub mod rms_norm;
