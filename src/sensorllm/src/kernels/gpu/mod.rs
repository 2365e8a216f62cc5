//! WebGPU kernels on Burn's tensors: what `shaders/` holds, launched.
//!
//! A launch only appends to the command buffer that is being built: sizes travel in a uniform that CubeCL keeps per content and
//! that numbers known per step only, a [`Step`], are written once before the first kernel. So one forward pass is one command
//! buffer, or two passes if the second takes what the first has chosen from the GPU, if the device was made with enough
//! `tasks_max` ([`TASKS_MAX`]).
//!
//! Functions expect tensors on WebGPU that are not being differentiated and panic otherwise; [`is_gpu`] tells the caller.

mod argmax;
mod attention;
mod features;
mod gather;
mod launch;
mod matmul;
mod matrix;
mod rms_norm;
#[cfg(test)]
mod tests;

pub(crate) use argmax::{argmax, argmax_into};
pub(crate) use attention::{GpuKvCache, GpuRotation, Heads, QkNorm, Step, attend};
pub(crate) use features::{checked, make_use_of};
pub(crate) use gather::gather;
pub(crate) use launch::{TASKS_MAX, is_gpu};
#[cfg(test)]
pub(crate) use matmul::swiglu;
pub(crate) use matmul::{matmul, matmul_parts, swiglu_matmul};
#[cfg(test)]
pub(crate) use matrix::Format;
pub(crate) use matrix::GpuMatrix;
pub(crate) use rms_norm::rms_norm;
