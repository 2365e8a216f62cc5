//! Prompts of every configuration, and sequences of sensors and text.

use burn::tensor::{Device, Tensor, Tolerance};

use super::*;
use crate::chronos::{EncoderConfig, Family};
use crate::head::Head;
use crate::input::{InputStage, ModelInput};
use crate::llama::KvCache;
use crate::manifest::{Manifest, WordsConfig};
use crate::model::SensorLlm;
use crate::sensor::{Placement, Window};

const DEFAULT: &[u8] = include_bytes!("../../../../models/default/manifest.json");

/// The manifest that ships, small, with words and a channel of statistics only.
fn manifest(prompt: PromptConfig) -> Manifest {
    let mut manifest = Manifest::parse(DEFAULT).unwrap();
    manifest.prompt = prompt;
    manifest.channels.truncate(4);
    manifest.channels[3].series = false;
    manifest.words = Some(WordsConfig { vocabulary: 50, context: 512, tokenizer: manifest.weights.clone() });
    manifest
}

fn window(gyroscope: bool) -> Window {
    let wave = |row: usize| (row as f32 * 0.3).sin();
    let turn = |row: usize| if gyroscope { [wave(row), 0.1, -0.2] } else { [f32::NAN; 3] };
    Window {
        start_seconds: 0.0,
        end_seconds: 2.56,
        acceleration: (0..128).map(|row| [wave(row), 0.5 * wave(2 * row), 9.81]).collect(),
        rotation_rate: (0..128).map(turn).collect(),
    }
}

fn input(manifest: &Manifest, windows: &[Window]) -> ModelInput {
    let stage = InputStage::new(manifest);
    let windows: Vec<_> = windows.iter().map(|window| stage.window(window)).collect();
    stage.batch(windows.iter().map(|window| (window, Placement::Pocket)))
}

#[test]
fn every_configuration_has_the_positions_it_says() {
    let device = Device::flex();
    let forms = [(StatisticsForm::Vector, 1), (StatisticsForm::None, 0), (StatisticsForm::Text, WRITTEN)];
    for (statistics, width) in forms {
        for special_tokens in [true, false] {
            let manifest = manifest(PromptConfig { special_tokens, statistics });
            let model = SensorLlm::new(&manifest, &device);
            let input = input(&manifest, &[window(true), window(false)]);
            let encoded = model.encode(&input, &device);
            let prompt = model.prompt.forward(&input, model.projector.forward(encoded.clone()));
            let marks = if special_tokens { 2 } else { 0 };
            let expected = 4 * (marks + width) + 3 * 9 + 1;
            assert_eq!(
                prompt.vectors.dims(),
                [2, expected, manifest.llm.d_model],
                "{statistics:?} {special_tokens}"
            );
            let logits = model.classify(&input, encoded, Head::Llm);
            assert!(logits.into_data().iter::<f32>().all(f32::is_finite));
        }
    }
}

#[test]
fn statistics_change_the_answer_only_where_they_are_given() {
    let device = Device::flex();
    // An offset is what the encoder's z-score takes away.
    let differs = |statistics| {
        let manifest = manifest(PromptConfig { special_tokens: true, statistics });
        let model = SensorLlm::new(&manifest, &device);
        let logits = |offset: f32| -> Vec<f32> {
            let mut window = window(true);
            window.acceleration.iter_mut().for_each(|row| row[0] += offset);
            let input = input(&manifest, &[window]);
            let encoded = model.encode(&input, &device);
            model.classify(&input, encoded, Head::Llm).into_data().iter::<f32>().collect()
        };
        logits(0.0).iter().zip(logits(4.0)).any(|(a, b)| (a - b).abs() > 1e-3)
    };
    assert!(!differs(StatisticsForm::None));
    assert!(differs(StatisticsForm::Text));
    assert!(differs(StatisticsForm::Vector));
}

#[test]
fn text_in_a_batch_is_read_as_alone_and_what_was_not_measured_takes_no_place() {
    let device = Device::flex();
    let mut manifest = manifest(PromptConfig::default());
    manifest.channels = Manifest::parse(DEFAULT).unwrap().channels;
    let model = SensorLlm::new(&manifest, &device);
    let windows = [window(true), window(false)];
    let texts = [vec![3, 1, 4, 1, 5], vec![9, 2]];
    let hidden = |windows: &[Window], texts: &[Vec<u32>]| {
        let input = input(&manifest, windows);
        let encoded = model.encode(&input, &device);
        let sequences = model.sequences(Some((&input, encoded)), texts).unwrap();
        let decoder = model.decoder().unwrap();
        (decoder.llm.forward(sequences.vectors.clone(), &mut KvCache::new()), sequences)
    };
    let (together, sequences) = hidden(&windows, &texts);
    assert_eq!(sequences.text_starts, [120, 60], "half of the ten channels need a gyroscope");
    assert_eq!(sequences.lengths, [125, 62]);
    for (row, (window, text)) in windows.iter().zip(&texts).enumerate() {
        let (alone, _) = hidden(std::slice::from_ref(window), std::slice::from_ref(text));
        let length = sequences.lengths[row];
        let of_batch: Tensor<3> = together.clone().narrow(0, row, 1).narrow(1, 0, length);
        alone.into_data().assert_approx_eq::<f32>(&of_batch.into_data(), Tolerance::absolute(1e-4));
    }
}

#[test]
fn a_channel_without_measurements_gives_no_vectors() {
    let device = Device::flex();
    let manifest = Manifest {
        channels: Manifest::parse(DEFAULT).unwrap().channels,
        ..manifest(PromptConfig::default())
    };
    let model = SensorLlm::new(&manifest, &device);
    let rotation = manifest.channels[3];
    let stage = InputStage::of_channels(&manifest, &[rotation]);
    let vectors = |window: &Window| {
        let prepared = stage.window(window);
        let input = stage.batch([(&prepared, Placement::Unknown)]);
        let encoded = model.encode(&input, &device);
        model.sensor_vectors(&input, encoded).map(|vectors| vectors.dims())
    };
    assert_eq!(vectors(&window(true)), Some([12, manifest.llm.d_model]));
    assert_eq!(vectors(&window(false)), None);
}

#[test]
fn raw_values_can_stand_in_place_of_the_encoder() {
    let device = Device::flex();
    let mut manifest = manifest(PromptConfig::default());
    let family = Family::Raw { patch: 16 };
    manifest.encoder = EncoderConfig { family, d_model: 32, layers: 0, ..manifest.encoder };
    let manifest = Manifest::parse(&serde_json::to_vec(&manifest).unwrap()).unwrap();
    let model = SensorLlm::new(&manifest, &device);
    let input = input(&manifest, &[window(true)]);
    let encoded = model.encode(&input, &device);
    assert_eq!(encoded.dims(), [3, 8, 32]);
    for head in Head::ALL {
        assert_eq!(model.classify(&input, encoded.clone(), head).dims(), [1, 7]);
    }
}

#[test]
fn devices_worn_together_share_a_prompt() {
    let device = Device::flex();
    let mut manifest = manifest(PromptConfig::default());
    manifest.devices = vec![Placement::Chest, Placement::Ankle];
    let model = SensorLlm::new(&manifest, &device);
    let windows = [window(true), window(false), window(true), window(true)];
    let input = input(&manifest, &windows);
    let encoded = model.encode(&input, &device);
    let prompt = model.prompt.forward(&input, model.projector.forward(encoded.clone()));
    assert_eq!(prompt.vectors.dims(), [2, 2 * (4 * 3 + 3 * 9) + 1, manifest.llm.d_model]);
    for head in Head::ALL {
        assert_eq!(model.classify(&input, encoded.clone(), head).dims(), [2, 7]);
    }
}
