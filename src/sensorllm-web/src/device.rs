//! Devices by name. The GPU is opened once per worker, and all models in it share it.

use std::cell::RefCell;

use burn::tensor::{Device, Tensor};
use sensorllm::{Error, ErrorKind, Result, device};

thread_local! {
    static GPU: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// The device `cpu` or `webgpu`. Two calls for the GPU must not overlap while it is not open yet.
pub async fn open(name: &str) -> Result<Device> {
    match name {
        "cpu" => Ok(device::cpu()),
        "webgpu" => {
            if let Some(open) = GPU.with_borrow(Clone::clone) {
                return Ok(open);
            }
            let gpu = device::webgpu().await?;
            GPU.set(Some(gpu.clone()));
            Ok(gpu)
        }
        other => {
            let message = format!("there is no device \"{other}\"");
            Err(Error::new(ErrorKind::InvalidInput, message, "use cpu or webgpu"))
        }
    }
}

/// Waits until the device has done what it was given: uploads end here, and with them the memory they were staged in.
pub async fn settle(device: &Device) -> Result<()> {
    match Tensor::<1>::zeros([1], device).into_data_async().await {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(
            ErrorKind::Device,
            format!("the device does not answer: {error}"),
            "load the model again, on the CPU if this repeats",
        )),
    }
}
