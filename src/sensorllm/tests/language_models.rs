//! Published language models give the reference's logits and tokens, on the CPU and on WebGPU.

mod checkpoint;

use burn::tensor::Device;
use checkpoint::{Case, SMALL_LANGUAGE_MODELS, SMOLLM2_135M};
use pollster::block_on;
use sensorllm::checkpoint::Checkpoint;
use sensorllm::generate::{Finish, Generation, GenerationOptions, Step};
use sensorllm::language::{LanguageConfig, LanguageModel};
use sensorllm::llama::KvCache;
use sensorllm::{device, published};

/// The GPU, which a process opens once.
#[cfg(feature = "webgpu")]
fn webgpu() -> &'static Device {
    static DEVICE: std::sync::LazyLock<Device> =
        std::sync::LazyLock::new(|| block_on(device::webgpu()).unwrap());
    &DEVICE
}

/// Files of a case: its weights, and its configuration.
fn files(case: &Case) -> (Vec<Vec<u8>>, Vec<u8>) {
    let files = case.files();
    let config = files.iter().find(|(name, _)| name == "config.json").expect("config.json").1.clone();
    let weights = files.into_iter().filter(|(name, _)| name.ends_with(".safetensors"));
    (weights.map(|(_, bytes)| bytes).collect(), config)
}

fn language(case: &Case, device: &Device) -> (LanguageConfig, LanguageModel) {
    let (weights, config) = files(case);
    let config = published::language_config(&config, None).unwrap();
    let source = published::MemorySource::new(&weights).unwrap();
    drop(weights);
    let module = Checkpoint::new(None, Some(&config), device);
    let loaded = published::load(module, &published::llama(), &source, device).unwrap();
    (config, loaded.language.unwrap())
}

fn greedy(config: &LanguageConfig, model: &LanguageModel, prompt: &[u32], count: usize) -> Vec<u32> {
    let options =
        GenerationOptions { max_tokens: count, ignore_stop_ids: true, ..GenerationOptions::default() };
    let mut generation = Generation::new(config, prompt.to_vec(), &options).unwrap();
    loop {
        match block_on(generation.step(model.decoder())).unwrap() {
            Step::Finished(finish) => {
                assert_eq!(finish, Finish::MaxTokens);
                return generation.tokens().to_vec();
            }
            Step::Prefill { .. } | Step::Token(_) => {}
        }
    }
}

/// Largest difference, relative to the largest value.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
    let worst = found.iter().zip(expected).fold(0.0_f32, |a, (x, y)| {
        assert!(x.is_finite());
        a.max((x - y).abs())
    });
    worst / largest
}

/// Logits of all positions, the prompt given in portions of `step` tokens.
fn logits(model: &LanguageModel, prompt: &[u32], step: usize, capacity: usize) -> Vec<f32> {
    let mut cache = KvCache::with_capacity(capacity);
    prompt
        .chunks(step)
        .flat_map(|ids| {
            let logits = model.logits(model.hidden(ids, &mut cache));
            block_on(logits.into_data_async()).unwrap().try_into_vec::<f32>().unwrap()
        })
        .collect()
}

fn language_models_agree(device: &Device) {
    for name in SMALL_LANGUAGE_MODELS {
        let case = Case::open(name);
        let (config, model) = language(&case, device);
        let expected = case.floats("logits").1;
        // At once, in portions, token by token, and without room for the kernels that write into the cache in place.
        for (step, capacity) in [(100, 64), (7, 64), (1, 64), (100, 0)] {
            let found = logits(&model, &case.prompt, step, capacity);
            let worst = difference(&found, &expected);
            assert!(worst < 1e-3, "{name} by {step}: {worst}");
        }
        assert_eq!(greedy(&config, &model, &case.prompt, 64), case.greedy, "{name}");
    }
}

#[test]
fn language_models_on_the_cpu() {
    language_models_agree(&device::cpu());
}

#[cfg(feature = "webgpu")]
#[test]
fn language_models_on_webgpu() {
    language_models_agree(webgpu());
}

#[test]
fn smollm2_135m_at_its_true_size() {
    let case = Case::open(SMOLLM2_135M);
    let (config, model) = language(&case, &device::cpu());
    let found = logits(&model, &case.prompt, 100, 100);
    let last = &found[found.len() - config.vocabulary..];
    let every_16th: Vec<f32> = last.iter().step_by(16).copied().collect();
    let worst = difference(&every_16th, &case.floats("last_every_16th").1);
    assert!(worst < 1e-3, "{worst}");
    let top = case.integers("last_top_ids").unwrap();
    let top: Vec<f32> = top.into_iter().map(|id| last[id]).collect();
    let worst = difference(&top, &case.floats("last_top").1);
    assert!(worst < 1e-3, "{worst}");
    assert_eq!(greedy(&config, &model, &case.prompt, 64), case.greedy);
}
