//! The model as one module: encoder, projector, prompt, language model and heads.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::chronos::ChronosEncoder;
use crate::head::{EncoderHead, Head, LlmHead};
use crate::input::ModelInput;
use crate::language::{Decoder, TokenTable};
use crate::llama::Llama;
use crate::manifest::Manifest;
use crate::projector::Projector;
use crate::prompt::{Prompt, Sequences, sequences};
use crate::sensor::{Placement, STATISTICS};
use crate::weights::linears;

/// SensorLLM: from a batch of windows to logits.
#[derive(Module, Debug)]
pub struct SensorLlm {
    /// Time-series encoder.
    pub encoder: ChronosEncoder,
    /// Maps encoder vectors to the language model's width.
    pub projector: Projector,
    /// Special tokens and statistics.
    pub prompt: Prompt,
    /// Language model.
    pub llm: Llama,
    /// A vector per token of text, where the model has words.
    pub tokens: Option<TokenTable>,
    /// Classifier on the language model's last position.
    pub llm_head: LlmHead,
    /// Classifier on the encoder's vectors.
    pub encoder_head: EncoderHead,
}

linears!(SensorLlm: encoder, projector, prompt, llm, tokens, llm_head, encoder_head);

impl SensorLlm {
    /// The model a manifest describes, with random weights.
    pub fn new(manifest: &Manifest, device: &Device) -> Self {
        let (d_encoder, d_llm) = (manifest.encoder.d_model, manifest.llm.d_model);
        let encoded = manifest.channels.iter().filter(|channel| channel.series).count();
        let features =
            encoded * 2 * d_encoder + manifest.channels.len() * STATISTICS.len() + Placement::ALL.len();
        let features = features * manifest.windows_together();
        let labels = manifest.labels.len();
        Self {
            encoder: manifest.encoder.init(device),
            projector: manifest.projector.init(d_encoder, d_llm, device),
            prompt: Prompt::new(d_llm, &manifest.prompt, device),
            llm: manifest.llm.init(device),
            tokens: manifest.words.as_ref().map(|words| TokenTable::new(words.vocabulary, d_llm, device)),
            llm_head: LlmHead::new(d_llm, labels, device),
            encoder_head: EncoderHead::new(features, manifest.encoder_head.hidden, labels, device),
        }
    }

    /// Encoder vectors of every series of the batch, `[windows · encoded channels, positions, d_model]`.
    pub fn encode(&self, input: &ModelInput, device: &Device) -> Tensor<3> {
        self.encoder.forward(&input.series, device)
    }

    /// What each window's channels and the text after them are to the language model; `None` for a model without words.
    ///
    /// # Shapes
    ///
    /// - encoded: `[windows · encoded channels, positions, d_model]`
    pub fn sequences(
        &self,
        sensors: Option<(&ModelInput, Tensor<3>)>,
        texts: &[Vec<u32>],
    ) -> Option<Sequences> {
        let table = self.tokens.as_ref()?;
        let sensors =
            sensors.map(|(input, encoded)| self.prompt.sensors(input, self.projector.forward(encoded)));
        Some(sequences(sensors.as_ref(), texts, table))
    }

    /// What was measured of one window as the language model takes it, `[length, d_model]`; `None` if nothing was.
    pub fn sensor_vectors(&self, input: &ModelInput, encoded: Tensor<3>) -> Option<Tensor<2>> {
        let sensors = self.prompt.sensors(input, self.projector.forward(encoded));
        let places = sensors.visible.iter().enumerate().filter(|(_, visible)| **visible);
        let places: Vec<i32> = places.map(|(place, _)| place as i32).collect();
        if places.is_empty() {
            return None;
        }
        let [batch, length, d_model] = sensors.vectors.dims();
        let count = places.len();
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &sensors.vectors.device());
        Some(sensors.vectors.reshape([batch * length, d_model]).select(0, places))
    }

    /// What text is continued with; `None` for a model without words.
    pub fn decoder(&self) -> Option<Decoder<'_>> {
        let tokens = self.tokens.as_ref()?;
        Some(Decoder { embedding: tokens, llm: &self.llm, output: tokens })
    }

    /// Logits of one head from the encoder's vectors.
    ///
    /// # Shapes
    ///
    /// - encoded: `[windows · encoded channels, positions, d_model]`
    /// - output: `[prompts, labels]`, a prompt for each window unless several are read together
    pub fn classify(&self, input: &ModelInput, encoded: Tensor<3>, head: Head) -> Tensor<2> {
        match head {
            Head::Llm => {
                let sensor_vectors = self.projector.forward(encoded);
                let prompt = self.prompt.forward(input, sensor_vectors);
                self.llm_head.forward(self.llm.forward_last(prompt.vectors, prompt.hidden))
            }
            Head::Encoder => self.encoder_head.forward(features(input, encoded)),
            Head::Both => {
                let llm = self.classify(input, encoded.clone(), Head::Llm);
                (llm + self.classify(input, encoded, Head::Encoder)).div_scalar(2.0)
            }
        }
    }
}

/// What the encoder head reads of each window: per encoded channel the last position's vector (REG or end) and the mean
/// of the attended others, then all statistics and the placement. Absent channels are zeros.
///
/// # Shapes
///
/// - encoded: `[windows · encoded channels, positions, d_model]`
/// - output: `[prompts, devices · (encoded channels · 2 · d_model + channels · statistics + placements)]`
fn features(input: &ModelInput, encoded: Tensor<3>) -> Tensor<2> {
    let device = encoded.device();
    let [series, positions, d_model] = encoded.dims();
    let (windows, channels) = (input.windows, input.channels.len());
    let without = input.statistics_only();

    let mut pooling = Vec::with_capacity(series * 2 * positions);
    for window in 0..windows {
        for channel in without..channels {
            let present = if input.present[window * channels + channel] { 1.0 } else { 0.0 };
            let row = window * (channels - without) + channel - without;
            let attended = &input.series.attended[row * positions..][..positions - 1];
            let share = present / attended.iter().sum::<f32>().max(1.0);
            pooling.extend(std::iter::repeat_n(0.0, positions - 1).chain([present]));
            pooling.extend(attended.iter().map(|a| a * share).chain([0.0]));
        }
    }
    let pooling = Tensor::<3>::from_data(TensorData::new(pooling, [series, 2, positions]), &device);
    let pooled = pooling.matmul(encoded).reshape([windows, (channels - without) * 2 * d_model]);

    let mut plain = Vec::with_capacity(windows * (channels * STATISTICS.len() + Placement::ALL.len()));
    for (window, placement) in input.placements.iter().enumerate() {
        let row = channels * STATISTICS.len();
        plain.extend_from_slice(&input.statistics[window * row..][..row]);
        plain.extend(Placement::ALL.iter().map(|p| if p == placement { 1.0f32 } else { 0.0 }));
    }
    let width = plain.len() / windows.max(1);
    let plain = Tensor::<2>::from_data(TensorData::new(plain, [windows, width]), &device);
    let of_windows = Tensor::cat(vec![pooled, plain], 1);
    let [_, width] = of_windows.dims();
    of_windows.reshape([input.prompts(), input.together * width])
}
