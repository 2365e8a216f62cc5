//! A phone's motion, in words: from samples of its motion sensors to a named activity.
//!
//! ```text
//! Samples                 times, acceleration, rotation rate, as they came           sensor::Samples
//!    │ sensor             resample to 50 Hz, cut windows of 2.56 s
//! Window [128 × 6]
//!    │ input              gravity-aligned channels, statistics, z-scored patches      input::ModelInput
//! [channels, 8 patches × 32]
//!    │ chronos            time-series encoder                                         chronos::ChronosEncoder
//! [channels, 9, d_encoder]
//!    │ projector          MLP into the language model's space                         projector::Projector
//! [channels, 9, d_llm]
//!    │ prompt             special tokens and statistics around each channel           prompt::Prompt
//! [length, d_llm]
//!    │ llama              small language model                                        llama::Llama
//! [d_llm]  last position
//!    │ head               classifier                                                  head::LlmHead
//! [labels]                probabilities, and an answer                                pipeline::Prediction
//! ```
//!
//! ```
//! use sensorllm::{Options, Pipeline, device, sensor::Samples};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/default"));
//! let manifest = std::fs::read(folder.join("manifest.json"))?;
//! let pipeline = Pipeline::load(&manifest, |name| std::fs::read(folder.join(name)).ok(), &device::cpu())?;
//!
//! // Five seconds of a phone lying face up on a table, at 50 Hz.
//! let mut samples = Samples::default();
//! for row in 0..256 {
//!     let tremor = 0.01 * (row % 3) as f32;
//!     samples.push(row as f64 / 50.0, [tremor, 0.0, 9.81 - tremor], [0.0, 0.001, 0.0]);
//! }
//! let windows = pipeline.windows(&samples)?;
//! let predictions = pollster::block_on(pipeline.classify(&windows, &Options::default()))?;
//! assert_eq!(predictions[0].label, "still");
//! # Ok(())
//! # }
//! ```
//!
//! [`Pipeline`] is the whole path. The method is SensorLLM (arXiv 2410.10624) with the encoder of Chronos
//! (arXiv 2403.07815). Everything runs natively and in WebAssembly, on the CPU or on WebGPU. Training lives in another
//! crate.

pub mod answer;
mod attention;
pub mod checkpoint;
pub mod chronos;
pub mod describe;
pub mod device;
mod error;
pub mod generate;

pub mod head;
pub mod input;
mod kernels;
pub mod language;
pub mod llama;
pub mod manifest;
pub mod model;
pub mod pipeline;
pub mod projector;
pub mod prompt;
pub mod published;
pub mod sampler;
pub mod sensor;
pub mod text;
pub mod text_model;
pub mod transitions;
pub mod trend;
pub mod trial;
pub mod weights;
pub mod words;

pub use error::{Error, ErrorKind, Result};
pub use head::Head;
pub use manifest::Manifest;
pub use pipeline::{Embedding, Options, Pipeline, Prediction};
pub use sensor::formats;
