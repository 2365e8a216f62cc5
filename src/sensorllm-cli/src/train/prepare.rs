//! Stages 0 and 1: from nothing to a model that reads sensors and writes about them, before it is tuned to activities.

use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::tensor::Device;
use sensorllm::Manifest;
use sensorllm::manifest::{FileEntry, WordsConfig};
use sensorllm::model::SensorLlm;
use sensorllm::words::Words;

use super::align::{Align, only_projector};
use super::config::TrainConfig;
use super::engine::{FitSettings, Run, Task, fit};
use super::examples::Splitted;
use super::exchanges::Exchanges;
use super::pretrain_encoder::PretrainEncoder;
use super::pretrain_language::PretrainLanguage;
use super::start::Start;
use super::tokenizer;

/// Windows whose questions and answers the tokenizer is fitted to.
const TOKENIZER_WINDOWS: usize = 4000;

/// The file of a model folder that holds the tokenizer.
const TOKENIZER_FILE: &str = "tokenizer.json";

/// What the stages before tuning came to.
pub struct Prepared {
    /// The manifest, which now names the tokenizer.
    pub manifest: Manifest,
    /// Content of the tokenizer's file, of a model with words.
    pub tokenizer: Option<String>,
    /// How the model reads and writes text.
    pub words: Option<Words>,
    /// The model, all of it ready to be trained.
    pub model: SensorLlm,
}

/// Runs the stages that the configuration has and `start` does not make needless, each in a folder of its own inside that of `run`, each
/// batch in `parts` parts.
///
/// # Errors
/// What ends a run: see [`fit`].
pub fn prepare(
    config: &TrainConfig,
    start: &Start,
    mut manifest: Manifest,
    data: &Splitted,
    run: &Run,
    parts: usize,
    device: &Device,
) -> Result<Prepared> {
    let mut tokenizer = None;
    let mut words = None;
    if let Some(settings) = &config.words {
        let (json, vocabulary) = match start.tokenizer()? {
            Some(known) => known,
            None => {
                let exchanges = Exchanges::new(config, settings, &manifest, data, None);
                let texts = exchanges.texts(TOKENIZER_WINDOWS);
                (tokenizer::fit(&texts, settings.vocabulary)?, settings.vocabulary)
            }
        };
        let entry = FileEntry::of(TOKENIZER_FILE, json.as_bytes());
        manifest.words = Some(WordsConfig { vocabulary, context: settings.context, tokenizer: entry });
        words = Some(Words::new(&manifest, json.as_bytes())?);
        tokenizer = Some(json);
    }
    device.seed(config.seed);
    let mut model = start.weights(SensorLlm::new(&manifest, device), &manifest, device)?;
    if start.model.is_some() {
        return Ok(Prepared { manifest, tokenizer, words, model });
    }

    let pretraining = PretrainEncoder::new(config, &manifest, data, parts);
    if let Some(task) = pretraining.filter(|_| start.encoder.is_none()) {
        eprintln!("stage 0: the encoder learns motion without labels");
        let untrained = task.model(model.encoder, device)?;
        let fitted = stage(&task, untrained, &task.settings.fit, "0-encoder", run, device)?;
        model.encoder = fitted.encoder;
    }
    if let (Some(settings), Some(words)) = (&config.words, &words) {
        let exchanges = Exchanges::new(config, settings, &manifest, data, Some(words));
        if let (Some(settings), None) = (&config.language_pretraining, &start.language) {
            eprintln!("stage 0: the language model learns the trend language");
            let task = PretrainLanguage { exchanges: &exchanges, settings, parts };
            model = stage(&task, model, &settings.fit, "0-language", run, device)?;
        }
        if let Some(settings) = &config.alignment {
            eprintln!("stage 1: projector and special tokens learn to make sensors readable");
            let task = Align { exchanges: &exchanges, settings, parts };
            model = stage(&task, only_projector(model), &settings.fit, "1-alignment", run, device)?;
        }
    }
    Ok(Prepared { manifest, tokenizer, words, model })
}

/// Runs one stage; its best model comes back ready to be trained further.
fn stage<T: Task>(
    task: &T,
    model: T::Model,
    settings: &FitSettings,
    name: &str,
    run: &Run,
    device: &Device,
) -> Result<T::Model> {
    let run = Run { folder: run.folder.join(name), stop_after: None, ..run.clone() };
    let outcome = fit(task, model, settings, &run, device).with_context(|| format!("stage {name}"))?;
    Ok(outcome.model.unfreeze().train())
}
