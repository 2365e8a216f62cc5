//! How long a device takes for a language model, found out before its weights are downloaded.

use sensorllm::checkpoint::CheckpointManifest;
use sensorllm::{Result, trial};
use wasm_bindgen::prelude::*;

use crate::{convert, device, text_loader};

/// A language model cut short, on one device.
#[wasm_bindgen]
pub struct TextTrial {
    trial: trial::Trial,
}

#[wasm_bindgen]
impl TextTrial {
    /// A trial of the language model in this manifest, on the device `cpu` or `webgpu`.
    pub async fn open(manifest: Vec<u8>, device: String) -> std::result::Result<TextTrial, JsValue> {
        Self::new(&manifest, &device).await.map_err(convert::error)
    }

    /// How many blocks, beyond the one of the short run, the whole model's weights are worth.
    #[wasm_bindgen(getter, js_name = furtherBlocks)]
    pub fn further_blocks(&self) -> f64 {
        self.trial.further_blocks()
    }

    /// Reads a prompt and writes some tokens, with one block or with two; tells how often the device's answer was waited for.
    pub async fn run(&self, long: bool) -> std::result::Result<usize, JsValue> {
        self.trial.run(long).await.map_err(convert::error)
    }
}

impl TextTrial {
    async fn new(manifest: &[u8], device: &str) -> Result<Self> {
        let manifest = CheckpointManifest::parse(manifest)?;
        let language = text_loader::language(&manifest)?;
        let device = device::open(device).await?;
        Ok(Self { trial: trial::Trial::new(language, &manifest.precision, &device) })
    }
}
