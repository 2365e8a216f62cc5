//! The encoder of both Chronos families and the language model against their reference implementations.
//!
//! The golden files and the script that writes them are in `tests/golden`.

use burn::tensor::{Device, Tensor, TensorData, Tolerance};
use safetensors::{Dtype, SafeTensors};
use sensorllm::chronos::bins::Bins;
use sensorllm::chronos::{Content, EncoderConfig, Family, Scaling, Sums};
use sensorllm::llama::{KvCache, LlamaConfig};
use sensorllm::weights;

/// The references compute in 32 bits as well; sums in another order differ in the last digits of values around 1.
const TOLERANCE: f32 = 2e-5;

struct Golden(Vec<u8>);

impl Golden {
    fn open(name: &str) -> Self {
        let path = format!("{}/../../tests/golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        Self(std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    fn tensor(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap();
        let values = match view.dtype() {
            Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::I32 => {
                view.data().as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b) as f32).collect()
            }
            other => panic!("{name} is {other:?}"),
        };
        (view.shape().to_vec(), values)
    }

    fn values(&self, name: &str) -> Vec<f32> {
        self.tensor(name).1
    }

    fn rows(&self, name: &str) -> Vec<Vec<f32>> {
        let (shape, values) = self.tensor(name);
        values.chunks(shape[1]).map(<[f32]>::to_vec).collect()
    }
}

fn encoder(family: Family) -> EncoderConfig {
    EncoderConfig { family, d_model: 24, d_kv: 8, d_ff: 40, layers: 2, heads: 4, context_length: 512 }
}

fn t5(scaling: Scaling) -> EncoderConfig {
    encoder(Family::T5 { scaling, tokens: 4096, special_tokens: 2 })
}

fn close(actual: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(actual.len(), expected.len());
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!((a - e).abs() <= tolerance * e.abs().max(1.0), "value {i}: {a}, reference {e}");
    }
}

/// Vectors at attended positions; the others carry no information in either implementation.
fn attended_only(vectors: &[f32], attended: &[f32], width: usize) -> Vec<f32> {
    let rows = vectors.chunks(width).zip(attended);
    rows.filter(|(_, a)| **a > 0.0).flat_map(|(row, _)| row.to_vec()).collect()
}

#[test]
fn every_bin_of_chronos_t5_has_the_reference_token() {
    let golden = Golden::open("chronos_t5");
    let bins = Bins::new(4096, 2);
    let tokens: Vec<f32> = golden.values("grid_values").iter().map(|x| bins.token(*x) as f32).collect();
    assert_eq!(tokens, golden.values("grid_tokens"));
}

#[test]
fn chronos_t5_tokenises_and_encodes_as_the_reference() {
    let golden = Golden::open("chronos_t5");
    let device = Device::flex();
    let config = t5(Scaling::Mean);
    let input = config.prepare(&golden.rows("series"));
    let Content::Tokens(tokens) = &input.content else { panic!("Chronos-T5 has tokens") };
    assert_eq!(tokens.iter().map(|t| *t as f32).collect::<Vec<_>>(), golden.values("tokens"));
    assert_eq!(input.attended, golden.values("attended"));
    close(&input.scale, &golden.values("scale"), 1e-6);

    let model = weights::load(config.init(&device), &Golden::open("chronos_t5.weights").0, &device).unwrap();
    let hidden = model.forward(&input, &device).into_data().try_into_vec::<f32>().unwrap();
    let (shape, expected) = golden.tensor("hidden");
    assert_eq!(shape, [4, 61, 24]);
    close(
        &attended_only(&hidden, &input.attended, 24),
        &attended_only(&expected, &input.attended, 24),
        TOLERANCE,
    );
}

#[test]
fn z_scored_tokens_are_the_reference_bins() {
    let golden = Golden::open("chronos_t5");
    let input = t5(Scaling::ZScore).prepare(&golden.rows("series"));
    let Content::Tokens(tokens) = &input.content else { panic!("Chronos-T5 has tokens") };
    let without_end: Vec<f32> =
        tokens.chunks(61).flat_map(|row| row[..60].iter().map(|t| *t as f32)).collect();
    assert_eq!(without_end, golden.values("z_tokens"));
}

#[test]
fn chronos_bolt_normalises_and_encodes_as_the_reference() {
    let golden = Golden::open("chronos_bolt");
    let device = Device::flex();
    let config = encoder(Family::Bolt { patch: 16, minimum_scale: 0.0, sums: Sums::Exact });
    let input = config.prepare(&golden.rows("series"));
    assert_eq!(input.attended, golden.values("attended"));
    close(&input.location, &golden.values("location"), 1e-5);
    close(&input.scale, &golden.values("scale"), 1e-5);

    let model =
        weights::load(config.init(&device), &Golden::open("chronos_bolt.weights").0, &device).unwrap();
    let hidden = model.forward(&input, &device).into_data().try_into_vec::<f32>().unwrap();
    let (shape, expected) = golden.tensor("hidden");
    assert_eq!(shape, [4, 6, 24]);
    close(
        &attended_only(&hidden, &input.attended, 24),
        &attended_only(&expected, &input.attended, 24),
        TOLERANCE,
    );
}

#[test]
fn the_language_model_computes_as_the_reference() {
    let golden = Golden::open("llama");
    let device = Device::flex();
    let config = LlamaConfig {
        d_model: 24,
        d_ff: 40,
        layers: 3,
        heads: 4,
        kv_heads: 2,
        d_head: 10,
        rope_theta: 10_000.0,
        rope_scaling: None,
        attention_bias: false,
        qk_norm: false,
        norm_epsilon: 1e-5,
    };
    let model = weights::load(config.init(&device), &Golden::open("llama.weights").0, &device).unwrap();
    let (shape, vectors) = golden.tensor("vectors");
    let vectors = Tensor::<3>::from_data(TensorData::new(vectors, shape), &device);
    let (shape, expected) = golden.tensor("hidden");
    let expected = TensorData::new(expected, shape);
    let hidden = model.forward(vectors, &mut KvCache::new()).into_data();
    hidden.assert_approx_eq::<f32>(&expected, Tolerance::absolute(TOLERANCE));
}
