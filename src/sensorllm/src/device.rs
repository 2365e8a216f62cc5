//! Where the model computes: the CPU, or a GPU through WebGPU.

use burn::tensor::Device;

#[cfg(feature = "webgpu")]
use crate::{
    error::{Error, ErrorKind, Result},
    kernels::gpu,
};

/// The CPU: native threads and SIMD, or WebAssembly SIMD.
#[cfg(feature = "cpu")]
pub fn cpu() -> Device {
    Device::flex()
}

/// The GPU, through WebGPU in a browser and through Vulkan, Metal or DirectX 12 natively. Call it once per process or
/// worker and keep the device.
///
/// # Errors
///
/// [`ErrorKind::Device`] when there is no adapter or it cannot be used.
#[cfg(feature = "webgpu")]
pub async fn webgpu() -> Result<Device> {
    let options = Device::wgpu_options().tasks_max(gpu::TASKS_MAX);
    let (device, setup) = options.init_with_setup_async().await.map_err(|error| {
        Error::new(
            ErrorKind::Device,
            format!("no GPU can be used: {error}"),
            "use the CPU, or a browser with WebGPU (Chrome or Edge 113, Safari 26)",
        )
    })?;
    gpu::make_use_of(gpu::checked(&setup).await);
    Ok(device)
}
