//! Our own kernels: on WebGPU one file per shader, which launches it and nothing else; on the CPU functions of plain slices.
//!
//! A launch returns `None` where the kernel cannot run (another device, or a tensor that is being differentiated); the caller
//! then computes the same with Burn's operations.

pub(crate) mod cpu;
#[cfg(feature = "webgpu")]
mod rms_norm;

#[cfg(feature = "webgpu")]
pub(crate) use rms_norm::rms_norm;
