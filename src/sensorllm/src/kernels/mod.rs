//! Our own WebGPU kernels: one file per shader, which launches it and nothing else.
//!
//! A launch returns `None` where the kernel cannot run (another device, or a tensor that is being differentiated); the caller
//! then computes the same with Burn's operations.

mod rms_norm;

pub(crate) use rms_norm::rms_norm;
