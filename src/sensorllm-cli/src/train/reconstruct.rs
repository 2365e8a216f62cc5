//! Stage 0, the encoder: it learns motion without labels, by filling in patches that were taken out.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use sensorllm::chronos::{ChronosEncoder, EncoderConfig, EncoderInput, Family};
use sensorllm::weights::{Linear, LinearConfig};

/// An encoder, and what reads a patch's values from the encoder's vector of it.
#[derive(Module, Debug)]
pub struct Reconstruction {
    /// The encoder that learns.
    pub encoder: ChronosEncoder,
    /// Maps a vector to the values of its patch; of no use afterwards.
    pub values: Linear,
}

/// Series with patches taken out, and what was there.
pub struct Masked {
    /// What the encoder sees.
    pub input: EncoderInput,
    /// Scaled values of all patches, `[series, patches, patch]`.
    pub values: Vec<f32>,
    /// 1 for a value that was taken out, else 0; of the same shape.
    pub taken: Vec<f32>,
}

/// Scaled values are compared up to this far from the mean: where the visible part hardly moved, its deviation is tiny, and a few
/// values would rule the mean.
const FARTHEST: f32 = 4.0;

impl Masked {
    /// The mean squared error of guessing the mean of what is left, which any use of the signal has to undercut.
    pub fn spread(&self) -> f32 {
        let squares = self.values.iter().zip(&self.taken);
        let sum: f32 = squares.map(|(value, taken)| value.clamp(-FARTHEST, FARTHEST).powi(2) * taken).sum();
        sum / self.taken.iter().sum::<f32>().max(1.0)
    }
}

impl Reconstruction {
    /// An encoder of patches; `None` for a family without patches, which cannot be trained so.
    pub fn new(config: &EncoderConfig, encoder: ChronosEncoder, device: &Device) -> Option<Self> {
        let values = LinearConfig::new(config.d_model, patch(config)?).with_bias(true).init(device);
        Some(Self { encoder, values })
    }

    /// Mean squared error of the values that were taken out, in units of the deviation of what is left; see [`Masked::spread`].
    ///
    /// # Shapes
    ///
    /// - output: `[1]`
    pub fn loss(&self, masked: &Masked, device: &Device) -> Tensor<1> {
        let (series, patches) = (masked.input.series, masked.input.positions - 1);
        let vectors = self.encoder.forward(&masked.input, device).narrow(1, 0, patches);
        let found = self.values.forward(vectors);
        let shape = found.dims();
        debug_assert_eq!(shape[..2], [series, patches]);
        let values = Tensor::<3>::from_data(TensorData::new(masked.values.clone(), shape), device);
        let taken = Tensor::<3>::from_data(TensorData::new(masked.taken.clone(), shape), device);
        let count = masked.taken.iter().sum::<f32>().max(1.0);
        let error = (found - values.clamp(-FARTHEST, FARTHEST)).powi_scalar(2) * taken;
        error.sum().div_scalar(count)
    }
}

/// Values in a patch, of a family that has patches and knows them to be independent of what follows.
fn patch(config: &EncoderConfig) -> Option<usize> {
    match config.family {
        Family::Bolt { patch, .. } => Some(patch),
        Family::T5 { .. } | Family::Chronos2 { .. } | Family::Raw { .. } => None,
    }
}

/// Takes a share of the patches out of each series, at least one and never all, and keeps what was there in units of what is left.
pub fn mask(series: &[Vec<f32>], share: f64, config: &EncoderConfig, rng: &mut ChaCha8Rng) -> Masked {
    let size = patch(config).unwrap_or(1);
    let mut hidden = series.to_vec();
    let mut taken = Vec::new();
    for values in &mut hidden {
        let patches = values.len() / size;
        let count = ((share * patches as f64).round() as usize).clamp(1, patches.saturating_sub(1).max(1));
        let mut out = vec![0.0; patches * size];
        for index in sample(rng, patches, count.min(patches)) {
            for at in index * size..(index + 1) * size {
                out[at] = if values[at].is_finite() { 1.0 } else { 0.0 };
                values[at] = f32::NAN;
            }
        }
        taken.extend(out);
    }
    let input = config.prepare(&hidden);
    let mut values = Vec::with_capacity(taken.len());
    for ((series, location), scale) in series.iter().zip(&input.location).zip(&input.scale) {
        let whole = series.len() / size * size;
        let scaled = series[..whole].iter().map(|x| (x - location) / scale.max(1e-6));
        values.extend(scaled.map(|x| if x.is_finite() { x } else { 0.0 }));
    }
    Masked { input, values, taken }
}

/// A series that nobody measured: a few waves, steps, drifts and noise, as in the synthetic part of Chronos's training data.
pub fn synthetic(length: usize, rate_hz: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let waves: Vec<(f32, f32, f32)> = (0..rng.random_range(0..4))
        .map(|_| {
            let frequency = 0.3 * 30f32.powf(rng.random::<f32>());
            (frequency, rng.random::<f32>(), std::f32::consts::TAU * rng.random::<f32>())
        })
        .collect();
    let drift = rng.random_range(-1.0..1.0f32) * rng.random::<f32>();
    let (step, height) = (rng.random_range(0..length), rng.random_range(-2.0..2.0f32));
    let stepped = rng.random_bool(0.3);
    let noise = 0.3 * rng.random::<f32>();
    (0..length)
        .map(|row| {
            let t = row as f32 / rate_hz;
            let waves: f32 = waves
                .iter()
                .map(|(frequency, size, phase)| size * (std::f32::consts::TAU * frequency * t + phase).sin())
                .sum();
            let step = if stepped && row >= step { height } else { 0.0 };
            waves + drift * t + step + noise * rng.random_range(-1.0..1.0f32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn config() -> EncoderConfig {
        let family = Family::Bolt { patch: 4, minimum_scale: 0.0, sums: Default::default() };
        EncoderConfig { family, d_model: 8, d_kv: 4, d_ff: 16, layers: 1, heads: 2, context_length: 64 }
    }

    #[test]
    fn taken_values_are_hidden_and_kept() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let series = vec![(0..16).map(|row| row as f32).collect::<Vec<_>>(); 3];
        let masked = mask(&series, 0.5, &config(), &mut rng);
        assert_eq!(masked.taken.iter().sum::<f32>(), 3.0 * 8.0);
        for (row, attended) in masked.input.attended.chunks(5).enumerate() {
            assert_eq!(attended.iter().sum::<f32>(), 3.0, "two patches and REG");
            let (location, scale) = (masked.input.location[row], masked.input.scale[row]);
            let back: Vec<f32> =
                masked.values[row * 16..][..16].iter().map(|x| x * scale + location).collect();
            for (back, value) in back.iter().zip(&series[row]) {
                assert!((back - value).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn the_loss_is_of_what_was_taken() {
        let device = Device::flex();
        let model = Reconstruction::new(&config(), config().init(&device), &device).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let series = vec![synthetic(16, 50.0, &mut rng)];
        let mut masked = mask(&series, 0.3, &config(), &mut rng);
        let before = model.loss(&masked, &device).into_scalar::<f32>();
        assert!(before.is_finite() && before > 0.0);
        let first_seen = masked.taken.iter().position(|taken| *taken == 0.0).unwrap();
        masked.values[first_seen] += 3.0;
        assert_eq!(model.loss(&masked, &device).into_scalar::<f32>(), before);
    }
}
