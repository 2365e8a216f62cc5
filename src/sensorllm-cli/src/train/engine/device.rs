//! What computes while a model is trained.

use burn::tensor::Device;
use sensorllm::{Error, ErrorKind, Result};

/// What computes while a model is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TrainDevice {
    /// The CPU: the same seed gives the same model, bit for bit
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX 12 (needs a build with `--features webgpu`)
    Wgpu,
    /// An NVIDIA GPU (needs a build with `--features cuda`)
    Cuda,
}

impl TrainDevice {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }

    /// Starts the device, with autodiff.
    ///
    /// # Errors
    /// `Device` when there is no such GPU, or this build cannot use one.
    pub fn start(self) -> Result<Device> {
        let device = match self {
            Self::Cpu => Device::flex(),
            Self::Wgpu => wgpu()?,
            Self::Cuda => cuda()?,
        };
        Ok(device.autodiff())
    }

    /// Parts a batch is best cut into. Fixed, so that a run does not depend on the machine: two threads keep two cores busy,
    /// and Burn's own threads further ones; a GPU is kept busy by one.
    pub fn parts(self) -> usize {
        match self {
            Self::Cpu => 2,
            Self::Wgpu | Self::Cuda => 1,
        }
    }
}

#[cfg(feature = "webgpu")]
fn wgpu() -> Result<Device> {
    pollster::block_on(sensorllm::device::webgpu())
}

#[cfg(not(feature = "webgpu"))]
fn wgpu() -> Result<Device> {
    Err(not_built_in("wgpu", "webgpu"))
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device> {
    use burn::tensor::DeviceType;
    // Asked before the first tensor: Burn would panic there.
    match Device::enumerate(DeviceType::Cuda).into_iter().next() {
        Some(device) => Ok(device),
        None => Err(Error::new(
            ErrorKind::Device,
            "there is no NVIDIA GPU, or its driver is not installed",
            "use `--device cpu`",
        )),
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device> {
    Err(not_built_in("cuda", "cuda"))
}

#[cfg(not(all(feature = "webgpu", feature = "cuda")))]
fn not_built_in(device: &str, feature: &str) -> Error {
    Error::new(
        ErrorKind::Device,
        format!("this build of sensorllm cannot train with `--device {device}`"),
        format!("build it with `--features {feature}`, or use `--device cpu`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_trains_with_autodiff() {
        assert!(TrainDevice::Cpu.start().expect("a CPU").is_autodiff());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_is_not_built_in_names_its_feature() {
        let error = TrainDevice::Cuda.start().expect_err("not built in");
        assert!(error.hint().contains("--features cuda"), "{error:?}");
    }
}
