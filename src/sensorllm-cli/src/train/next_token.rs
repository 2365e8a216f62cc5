//! The loss of writing: cross-entropy of each next token.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use sensorllm::input::ModelInput;
use sensorllm::llama::KvCache;
use sensorllm::model::SensorLlm;
use sensorllm::words::Tokens;

/// Mean over the answers' tokens of −ln(probability of the token). Question and facts are given, not learned.
///
/// `sensors` are the windows that the texts are about, and the encoder's vectors of them; without them the text stands alone.
///
/// # Shapes
///
/// - sensors' vectors: `[windows · encoded channels, positions, d_model]`
/// - output: `[1]`
pub fn loss(model: &SensorLlm, sensors: Option<(&ModelInput, Tensor<3>)>, texts: &[Tokens]) -> Tensor<1> {
    let ids: Vec<Vec<u32>> = texts.iter().map(|text| text.ids.clone()).collect();
    // Stages that need words make sure that the model has them before they start.
    let (Some(sequences), Some(decoder)) = (model.sequences(sensors, &ids), model.decoder()) else {
        unreachable!("a model that learns to write has a token table")
    };
    let [batch, longest, d_model] = sequences.vectors.dims();
    let (mut places, mut targets) = (Vec::new(), Vec::new());
    for (row, (text, start)) in texts.iter().zip(&sequences.text_starts).enumerate() {
        // The token at `at` is predicted one position before.
        for at in text.answer..text.ids.len() {
            places.push((row * longest + start + at - 1) as i32);
            targets.push(text.ids[at] as i32);
        }
    }
    let hidden = decoder.llm.forward(sequences.vectors, &mut KvCache::new());
    let device = hidden.device();
    let count = places.len();
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &device);
    let logits = decoder.logits(hidden.reshape([batch * longest, d_model]).select(0, places));
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [count, 1]), &device);
    log_softmax(logits, 1).gather(1, targets).mean().neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use sensorllm::Manifest;
    use sensorllm::manifest::WordsConfig;

    fn model() -> SensorLlm {
        let json = include_bytes!("../../../../models/default/manifest.json");
        let mut manifest = Manifest::parse(json).unwrap();
        manifest.words =
            Some(WordsConfig { vocabulary: 40, context: 64, tokenizer: manifest.weights.clone() });
        SensorLlm::new(&manifest, &Device::flex())
    }

    /// −ln(probability) of each token of a text but the first, one position at a time.
    fn by_hand(model: &SensorLlm, ids: &[u32]) -> Vec<f32> {
        let decoder = model.decoder().unwrap();
        let hidden = decoder.hidden(ids, &mut KvCache::new());
        let log = log_softmax(decoder.logits(hidden), 1).into_data().try_into_vec::<f32>().unwrap();
        ids[1..].iter().enumerate().map(|(at, id)| -log[at * 40 + *id as usize]).collect()
    }

    #[test]
    fn texts_of_different_length_count_by_their_tokens() {
        let model = model();
        let texts = [
            Tokens { ids: vec![3, 1, 4, 1, 5, 9, 2, 6], answer: 5 },
            Tokens { ids: vec![5, 3, 5], answer: 2 },
        ];
        let each: Vec<Vec<f32>> = texts.iter().map(|text| by_hand(&model, &text.ids)).collect();
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        // Answers begin at tokens 5 and 2, which are predicted one position before.
        let answers = [&each[0][4..], &each[1][1..]].concat();
        let found = loss(&model, None, &texts).into_scalar::<f32>();
        assert!((found - mean(&answers)).abs() < 1e-4, "{found}");
    }
}
