//! The loss of writing: cross-entropy of each next token.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use sensorllm::input::ModelInput;
use sensorllm::llama::KvCache;
use sensorllm::model::SensorLlm;
use sensorllm::words::Tokens;

/// Which tokens of a text are to be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// Every one: question, facts and answer.
    All,
    /// The answer alone; question and facts are given.
    Answer,
}

/// Mean over the learned tokens of −ln(probability of the token that follows).
///
/// `sensors` are the windows that the texts are about, and the encoder's vectors of them; without them the text stands alone.
///
/// # Shapes
///
/// - sensors' vectors: `[windows · encoded channels, positions, d_model]`
/// - output: `[1]`
pub fn loss(
    model: &SensorLlm,
    sensors: Option<(&ModelInput, Tensor<3>)>,
    texts: &[Tokens],
    learned: Learned,
) -> Tensor<1> {
    let ids: Vec<Vec<u32>> = texts.iter().map(|text| text.ids.clone()).collect();
    // Stages that need words make sure that the model has them before they start.
    let (Some(sequences), Some(decoder)) = (model.sequences(sensors, &ids), model.decoder()) else {
        unreachable!("a model that learns to write has a token table")
    };
    let [batch, longest, d_model] = sequences.vectors.dims();
    let (mut places, mut targets) = (Vec::new(), Vec::new());
    for (row, (text, start)) in texts.iter().zip(&sequences.text_starts).enumerate() {
        // The token at `at` is predicted one position before; the first one of a text that stands alone is not.
        let first = match learned {
            Learned::All => usize::from(*start == 0),
            Learned::Answer => text.answer,
        };
        for at in first..text.ids.len() {
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
