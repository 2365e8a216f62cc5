//! Published Chronos checkpoints of every family against the reference library's own `embed`, on the CPU and on WebGPU.

mod checkpoint;

use burn::tensor::Device;
use checkpoint::{Batch, Case, ENCODERS};
use sensorllm::checkpoint::Checkpoint;
use sensorllm::chronos::bins::Bins;
use sensorllm::chronos::{ChronosEncoder, EncoderConfig, Family};
use sensorllm::device;
use sensorllm::published::{self, MemorySource};

/// Largest difference of any value on the CPU. Values are normalised: they deviate by about 1.
const CPU_TOLERANCE: f32 = 1e-4;
#[cfg(feature = "webgpu")]
const WEBGPU_TOLERANCE: f32 = 1e-3;

fn load(case: &Case, device: &Device) -> (EncoderConfig, ChronosEncoder) {
    let files = case.files();
    let (config, names) = published::encoder_config(&files[0].1).unwrap();
    let weights: Vec<Vec<u8>> = files
        .into_iter()
        .filter(|(name, _)| name.ends_with(".safetensors"))
        .map(|(_, bytes)| bytes)
        .collect();
    let source = MemorySource::new(&weights).unwrap();
    let module = Checkpoint::new(Some(&config), None, device);
    let encoder = published::load(module, &names, &source, device).unwrap().encoder.unwrap();
    (config, encoder)
}

/// Where the reference's vectors depend on other groups of the batch: in Chronos-2, where no series of the group has a value.
fn is_arbitrary(
    config: &EncoderConfig,
    batch: &Batch,
    attended: &[bool],
    series: usize,
    position: usize,
) -> bool {
    let grouped = matches!(config.family, Family::Chronos2 { .. }) && batch.groups.len() > 1;
    let sizes = batch.group_sizes();
    let mut first = 0;
    let group = sizes.iter().find_map(|size| {
        let group = first..first + size;
        first += size;
        group.contains(&series).then_some(group)
    });
    let positions = batch.shape[1];
    grouped && group.unwrap().all(|series| !attended[series * positions + position])
}

/// Largest difference to the reference over the batches of a case that `picked` picks.
fn largest_difference(name: &str, device: &Device, picked: impl Fn(&Case, &Batch) -> bool) -> f32 {
    let case = Case::open(name);
    let (config, encoder) = load(&case, device);
    let mut largest = 0.0f32;
    for batch in case.batches.iter().filter(|batch| picked(&case, batch)) {
        let expected = case.embedding(batch);
        let series = batch.series();
        let mut rest = series.as_slice();
        let groups: Vec<&[Vec<f32>]> = batch
            .group_sizes()
            .into_iter()
            .map(|size| {
                let (group, after) = rest.split_at(size);
                rest = after;
                group
            })
            .collect();
        let input = config.prepare_groups(&groups);
        let attended: Vec<bool> = input.attended.iter().map(|a| *a > 0.0).collect();
        assert_eq!(attended, expected.attended, "{name}, {}", batch.name);
        for (actual, reference) in [(&input.location, &expected.location), (&input.scale, &expected.scale)] {
            for (actual, reference) in actual.iter().zip(reference) {
                let close = (actual - reference).abs() <= 1e-6 * reference.abs();
                assert!(close, "{name}, {}: {actual}, reference {reference}", batch.name);
            }
        }

        let vectors = encoder.forward(&input, device);
        assert_eq!(vectors.dims(), batch.shape, "{name}, {}", batch.name);
        let [_, positions, width] = batch.shape;
        let vectors = pollster::block_on(vectors.into_data_async()).unwrap().try_into_vec::<f32>().unwrap();
        let mut worst = 0.0f32;
        for (index, reference) in expected.indices.iter().zip(&expected.values) {
            let (series, position) = (index / (positions * width), index / width % positions);
            if !is_arbitrary(&config, batch, &attended, series, position) {
                worst = worst.max((vectors[*index] - reference).abs());
            }
            assert!(vectors[*index].is_finite(), "{name}, {}", batch.name);
        }
        largest = largest.max(worst);
    }
    println!("{name}: largest difference {largest:.1e}");
    largest
}

#[test]
fn every_border_between_bins_is_the_references_to_the_last_bit() {
    let bins = Bins::new(4096, 2);
    let borders = checkpoint::array("chronos_t5_borders.safetensors", "borders");
    assert_eq!(borders.len(), 4094);
    // Above the last border, 10^20, there is one bin more than tokens: the reference gives it the last token as well.
    for border in borders.into_iter().take(4093) {
        assert_eq!(bins.token(border), bins.token(border.next_down()) + 1, "{border}");
    }
}

#[test]
fn encoders_compute_as_the_reference_on_the_cpu() {
    for name in ENCODERS {
        let difference = largest_difference(name, &device::cpu(), |_, _| true);
        assert!(difference <= CPU_TOLERANCE, "{name}: {difference}");
    }
}

#[cfg(feature = "webgpu")]
#[test]
fn encoders_compute_as_the_reference_on_webgpu() {
    let device = pollster::block_on(device::webgpu())
        .expect("this test needs a WebGPU adapter (Mesa's lavapipe will do)");
    // A software adapter takes minutes for all batches of the models of true size.
    let picked = |case: &Case, batch: &Batch| {
        let some: &[&str] = match case.config["d_model"].as_u64() {
            Some(768..) => &["length_600", "groups"],
            Some(256..) => &["length_1", "length_600", "gap_100", "huge_100", "constant_100", "groups"],
            _ => return true,
        };
        some.contains(&batch.name.as_str())
    };
    for name in ENCODERS {
        let difference = largest_difference(name, &device, picked);
        assert!(difference <= WEBGPU_TOLERANCE, "{name}: {difference}");
    }
}
