//! wasm-bindgen types over `sensorllm`: JavaScript values in, JavaScript values out. Translates, nothing else.
//!
//! Not a public interface: the npm package puts a worker and typed classes around it. Everything fails with a
//! JavaScript `Error` that carries `code` and `hint`.

#![cfg(target_arch = "wasm32")]

mod answer;
mod constructors;
mod convert;
mod device;
mod text_convert;
mod text_loader;
mod text_model;
mod text_trial;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Map, Uint8Array};
use sensorllm::sensor::{Window, WindowStream};
use sensorllm::transitions::Filter;
use sensorllm::{Options, Pipeline};
use wasm_bindgen::prelude::*;

pub use answer::Answer;
pub use text_loader::TextModelLoader;
pub use text_model::{Generation, TextModel};
pub use text_trial::TextTrial;

/// Runs once, when the module is instantiated.
#[wasm_bindgen(start)]
fn start() {
    constructors::run();
    console_error_panic_hook::set_once();
}

/// A model loaded on a device.
#[wasm_bindgen]
pub struct SensorLlm {
    pipeline: Rc<Pipeline>,
}

#[wasm_bindgen]
impl SensorLlm {
    /// Loads a model from the bytes of its manifest and of the files this names, on the device `cpu` or `webgpu`.
    pub async fn load(manifest: Vec<u8>, files: Map, device: String) -> Result<SensorLlm, JsValue> {
        let device = device::open(&device).await.map_err(convert::error)?;
        let file = |name: &str| {
            let bytes: Uint8Array = files.get(&name.into()).dyn_into().ok()?;
            Some(bytes.to_vec())
        };
        let pipeline = Pipeline::load(&manifest, file, &device).map_err(convert::error)?;
        Ok(Self { pipeline: Rc::new(pipeline) })
    }

    /// What the model's manifest says: name, labels, groups, rate, windows, channels, default head.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        convert::info(self.pipeline.manifest())
    }

    /// Cuts samples into windows and classifies all of them.
    pub async fn classify(&self, samples: JsValue, options: JsValue) -> Result<JsValue, JsValue> {
        let samples = convert::samples(&samples)?;
        let options = convert::options(options)?;
        let windows = self.pipeline.windows(&samples).map_err(convert::error)?;
        let predictions = self.pipeline.classify(&windows, &options).await.map_err(convert::error)?;
        let mut filter = self.pipeline.filter(options.placement);
        let steady: Vec<_> = predictions.iter().map(|prediction| filter.push(prediction)).collect();
        convert::predictions(self.pipeline.manifest(), &predictions, &steady)
    }

    /// Cuts samples into windows and gives the encoder's vectors of each.
    pub async fn embed(&self, samples: JsValue) -> Result<JsValue, JsValue> {
        let samples = convert::samples(&samples)?;
        let windows = self.pipeline.windows(&samples).map_err(convert::error)?;
        let embeddings = self.pipeline.embed(&windows).await.map_err(convert::error)?;
        embeddings.iter().map(convert::embedding).collect::<Result<js_sys::Array, _>>().map(JsValue::from)
    }

    /// Starts to answer a question about a recording; an empty one asks to describe it.
    pub async fn ask(&self, samples: JsValue, question: &str, options: JsValue) -> Result<Answer, JsValue> {
        let samples = convert::samples(&samples)?;
        let options = convert::options(options)?;
        let answer = self.pipeline.ask(&samples, question, &options).await.map_err(convert::error)?;
        Ok(Answer::new(Rc::clone(&self.pipeline), answer))
    }

    /// Starts a stream of samples.
    pub fn stream(&self, options: JsValue) -> Result<Stream, JsValue> {
        let options = convert::options(options)?;
        let config = self.pipeline.manifest().smoothed_window();
        let windows = WindowStream::new(config).map_err(convert::error)?;
        let filter = self.pipeline.filter(options.placement);
        Ok(Stream {
            pipeline: Rc::clone(&self.pipeline),
            options,
            windows: RefCell::new(windows),
            ready: RefCell::default(),
            filter: RefCell::new(filter),
        })
    }
}

/// Samples in as they come, windows out one at a time.
#[wasm_bindgen]
pub struct Stream {
    pipeline: Rc<Pipeline>,
    options: Options,
    // Cells, because samples are pushed while a window is being computed.
    windows: RefCell<WindowStream>,
    ready: RefCell<VecDeque<Window>>,
    filter: RefCell<Filter>,
}

#[wasm_bindgen]
impl Stream {
    /// Takes samples in and returns how many windows are ready.
    pub fn push(&self, samples: JsValue) -> Result<usize, JsValue> {
        let samples = convert::samples(&samples)?;
        let windows = self.windows.borrow_mut().push(&samples).map_err(convert::error)?;
        Ok(self.add(windows))
    }

    /// No more samples will come: returns how many windows are ready, those included that only waited for more.
    pub fn finish(&self) -> usize {
        let windows = self.windows.borrow_mut().finish();
        self.add(windows)
    }

    /// Classifies the oldest ready window; `undefined` when there is none.
    pub async fn next(&self) -> Result<JsValue, JsValue> {
        let Some(window) = self.ready.borrow_mut().pop_front() else { return Ok(JsValue::UNDEFINED) };
        let predictions = self.pipeline.classify(&[window], &self.options).await.map_err(convert::error)?;
        let Some(prediction) = predictions.first() else { return Ok(JsValue::UNDEFINED) };
        let steady = self.filter.borrow_mut().push(prediction);
        convert::one_prediction(self.pipeline.manifest(), prediction, &steady)
    }

    /// Gives up the oldest ready windows until at most `keep` are left, and returns how many were given up.
    pub fn drop(&self, keep: usize) -> usize {
        let mut ready = self.ready.borrow_mut();
        let surplus = ready.len().saturating_sub(keep);
        ready.drain(..surplus);
        surplus
    }

    fn add(&self, windows: Vec<Window>) -> usize {
        let mut ready = self.ready.borrow_mut();
        ready.extend(windows);
        ready.len()
    }
}
