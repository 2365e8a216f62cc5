//! The main path: from samples to an activity, one call per stage.

use burn::tensor::{Device, Tensor, activation::softmax};

use crate::error::{Error, ErrorKind, Result};
use crate::head::Head;
use crate::input::{InputStage, ModelInput};
use crate::language::Decoder;
use crate::manifest::{FileEntry, Manifest};
use crate::model::SensorLlm;
use crate::sensor::{self, Channel, Placement, Samples, Window};
use crate::transitions::{Filter, Labels};
use crate::weights;
use crate::words::Words;

/// Windows whose vectors are computed at once.
const EMBEDDED_TOGETHER: usize = 64;

/// A loaded model on a device: samples in, activities out.
pub struct Pipeline {
    manifest: Manifest,
    input: InputStage,
    model: SensorLlm,
    words: Option<Words>,
    device: Device,
}

/// How windows are to be classified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which classifier answers; `None` takes the manifest's.
    pub head: Option<Head>,
    /// Where the phone is carried.
    pub placement: Placement,
}

/// What a window was classified as.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Start of the window, on the clock of the samples.
    pub start_seconds: f64,
    /// End of the window.
    pub end_seconds: f64,
    /// Probability of each of the manifest's labels.
    pub probabilities: Vec<f32>,
    /// The answer: a label, or the group (`still`) whose members cannot be told apart with confidence.
    pub label: String,
    /// Probability of the answer.
    pub confidence: f32,
}

/// What the encoder makes of a window: vectors to compare and to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Start of the window, on the clock of the samples.
    pub start_seconds: f64,
    /// End of the window.
    pub end_seconds: f64,
    /// The channels that were measured, of those that are encoded.
    pub channels: Vec<Channel>,
    /// Positions of each channel: its patches, and the encoder's own tokens.
    pub positions: usize,
    /// Length of a vector.
    pub width: usize,
    /// `[channels, positions, width]`
    pub vectors: Vec<f32>,
}

impl Prediction {
    /// Index of the likeliest label, whatever its confidence.
    pub fn likeliest(&self) -> usize {
        likeliest(&self.probabilities)
    }
}

impl Pipeline {
    /// Loads a model folder: its manifest, and `file` to get the content of the files the manifest names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`], [`ErrorKind::Integrity`] when a file is absent or differs from the manifest's hash, and
    /// [`ErrorKind::Weights`].
    pub fn load(
        manifest_json: &[u8],
        file: impl Fn(&str) -> Option<Vec<u8>>,
        device: &Device,
    ) -> Result<Self> {
        let manifest = Manifest::parse(manifest_json)?;
        let content = |entry: &FileEntry| -> Result<Vec<u8>> {
            let content = file(&entry.path).ok_or_else(|| {
                let message = format!("the model folder has no file {}", entry.path);
                Error::new(ErrorKind::Integrity, message, "copy the whole model folder")
            })?;
            entry.verify(&content)?;
            Ok(content)
        };
        let weights = content(&manifest.weights)?;
        let model = weights::load(SensorLlm::new(&manifest, device), &weights, device)?;
        let words = match &manifest.words {
            Some(words) => Some(Words::new(&manifest, &content(&words.tokenizer)?)?),
            None => None,
        };
        Ok(Self { words, ..Self::new(manifest, model, device) })
    }

    /// A pipeline around a model already in memory, which classifies only.
    pub fn new(manifest: Manifest, model: SensorLlm, device: &Device) -> Self {
        Self { input: InputStage::new(&manifest), manifest, model, words: None, device: device.clone() }
    }

    /// The same model under a manifest that differs in what is fitted after training: head, calibration and transitions.
    #[must_use]
    pub fn with_manifest(self, manifest: Manifest) -> Self {
        Self { manifest, ..self }
    }

    /// The model's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The model.
    pub fn model(&self) -> &SensorLlm {
        &self.model
    }

    /// How the model reads and writes text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] when it has no words.
    pub fn words(&self) -> Result<&Words> {
        self.words.as_ref().ok_or_else(without_words)
    }

    /// What the model's text is continued with.
    pub(crate) fn decoder(&self) -> Result<Decoder<'_>> {
        self.model.decoder().ok_or_else(without_words)
    }

    /// What was measured of a window's channels, or of one of them, as the language model takes it: `[length, d_model]`; `None` if
    /// nothing was.
    pub(crate) fn sensor_vectors(
        &self,
        window: &Window,
        channel: Option<Channel>,
        placement: Placement,
    ) -> Option<Tensor<2>> {
        let known = channel.filter(|channel| self.manifest.channels.contains(channel));
        let one = known.map(|channel| InputStage::of_channels(&self.manifest, &[channel]));
        let stage = one.as_ref().unwrap_or(&self.input);
        let window = stage.window(window);
        let input = stage.batch([(&window, placement)]);
        let encoded = self.model.encode(&input, &self.device);
        self.model.sensor_vectors(&input, encoded)
    }

    /// A filter that smooths predictions over time, for a phone that is carried at `placement`.
    pub fn filter(&self, placement: Placement) -> Filter {
        Filter::new(self.answers(placement), self.manifest.transitions.clone())
    }

    /// What a filter can answer for a phone that is carried at `placement`.
    pub fn answers(&self, placement: Placement) -> Labels {
        let calibration = &self.manifest.calibration;
        let told = calibration.posture_placements.contains(&placement);
        Labels::new(&self.manifest.labels, told.then_some(calibration.posture_share))
    }

    /// Cuts a recording into the model's windows.
    ///
    /// # Errors
    ///
    /// Those of [`sensor::windows`].
    pub fn windows(&self, samples: &Samples) -> Result<Vec<Window>> {
        sensor::windows(samples, &self.manifest.window)
    }

    /// Classifies windows, all in one batch.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Device`] when the device was lost, and [`ErrorKind::InvalidInput`] for a model of several devices.
    pub async fn classify(&self, windows: &[Window], options: &Options) -> Result<Vec<Prediction>> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        if self.manifest.windows_together() > 1 {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("this model reads {} devices worn together", self.manifest.windows_together()),
                "use a model of one device, such as the one that comes with the package",
            ));
        }
        let head = options.head.unwrap_or(self.manifest.head);
        let prepared: Vec<_> = windows.iter().map(|window| self.input.window(window)).collect();
        let input = self.input.batch(prepared.iter().map(|window| (window, options.placement)));
        let probabilities = self.probabilities(&input, head).await?;
        let labels = self.manifest.labels.len();
        let rows = windows.iter().zip(probabilities.chunks(labels));
        Ok(rows.map(|(window, row)| self.prediction(window, row, options.placement)).collect())
    }

    /// The encoder's vectors of windows, before the projector. A channel that was not measured in a window is left out of its vectors.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Device`] when the device was lost.
    pub async fn embed(&self, windows: &[Window]) -> Result<Vec<Embedding>> {
        let mut embeddings = Vec::with_capacity(windows.len());
        // Vectors are a hundred times what a prediction is: not all of a long recording at once.
        for windows in windows.chunks(EMBEDDED_TOGETHER) {
            let prepared: Vec<_> = windows.iter().map(|window| self.input.window(window)).collect();
            let input = self.input.batch(prepared.iter().map(|window| (window, Placement::Unknown)));
            let encoded = self.model.encode(&input, &self.device);
            let [_, positions, width] = encoded.dims();
            let values = read(encoded).await?;
            let statistics_only = input.statistics_only();
            let encoded_channels = &input.channels[statistics_only..];
            let rows = values.chunks((encoded_channels.len() * positions * width).max(1));
            for ((window, present), rows) in
                windows.iter().zip(input.present.chunks(input.channels.len())).zip(rows)
            {
                let measured = || present[statistics_only..].iter().copied();
                let vectors = rows.chunks(positions * width).zip(measured());
                let channels = encoded_channels.iter().copied().zip(measured());
                embeddings.push(Embedding {
                    start_seconds: window.start_seconds,
                    end_seconds: window.end_seconds,
                    channels: channels
                        .filter_map(|(channel, measured)| measured.then_some(channel))
                        .collect(),
                    positions,
                    width,
                    vectors: vectors
                        .filter(|(_, measured)| *measured)
                        .flat_map(|(v, _)| v)
                        .copied()
                        .collect(),
                });
            }
        }
        Ok(embeddings)
    }

    /// Calibrated probabilities of every window and label, `[windows · labels]`.
    async fn probabilities(&self, input: &ModelInput, head: Head) -> Result<Vec<f32>> {
        let encoded = self.model.encode(input, &self.device);
        let logits = self.model.classify(input, encoded, head);
        let temperature = self.manifest.calibration.temperature(head);
        read(softmax(logits.div_scalar(temperature), 1)).await
    }

    /// The answer to one window: the likeliest group, and its likeliest member where that can be told.
    fn prediction(&self, window: &Window, probabilities: &[f32], placement: Placement) -> Prediction {
        let (label, confidence) = answer(&self.manifest, probabilities, placement);
        Prediction {
            start_seconds: window.start_seconds,
            end_seconds: window.end_seconds,
            probabilities: probabilities.to_vec(),
            label,
            confidence,
        }
    }
}

/// The values of a tensor, read from the device.
async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let lost = |error: &dyn std::fmt::Display| {
        Error::new(
            ErrorKind::Device,
            format!("the device did not return the result: {error}"),
            "load the model again, on the CPU if this repeats",
        )
    };
    let data = tensor.into_data_async().await.map_err(|error| lost(&error))?;
    data.try_into_vec::<f32>().map_err(|error| lost(&error))
}

/// Names the likeliest group or single label, and a member in place of its group where the placement allows to tell
/// members apart and one has the share of the group's probability that the manifest asks for.
fn answer(manifest: &Manifest, probabilities: &[f32], placement: Placement) -> (String, f32) {
    let group_of = |i: usize| manifest.labels[i].group.as_deref();
    let total = |i: usize| match group_of(i) {
        Some(group) => manifest.group(group).iter().map(|member| probabilities[*member]).sum(),
        None => probabilities[i],
    };
    let totals: Vec<f32> = (0..probabilities.len()).map(total).collect();
    let best = likeliest(&totals);
    let Some(group) = group_of(best) else {
        return (manifest.labels[best].name.clone(), totals[best]);
    };
    let members = manifest.group(group);
    let member = members.iter().copied().max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
    let calibration = &manifest.calibration;
    match member {
        Some(member)
            if calibration.posture_placements.contains(&placement)
                && probabilities[member] >= calibration.posture_share * totals[best] =>
        {
            (manifest.labels[member].name.clone(), probabilities[member])
        }
        _ => (group.to_owned(), totals[best]),
    }
}

/// The error of asking a model that only classifies.
pub(crate) fn without_words() -> Error {
    Error::new(
        ErrorKind::Manifest,
        "this model only classifies: it has no words",
        "use a model with words, such as the one that comes with the package",
    )
}

fn likeliest(values: &[f32]) -> usize {
    (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0)
}
