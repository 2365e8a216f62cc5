use burn::optim::{AdamWConfig, GradientsParams};
use sensorllm::sensor::Window;

use super::*;

fn manifest() -> Manifest {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/default/manifest.json");
    Manifest::parse(&std::fs::read(path).expect("the model that ships")).expect("valid")
}

/// A window of `rows` with a rhythm of `hertz`, or of standing still, with gravity along y.
fn window(hertz: f32, rows: usize) -> Window {
    let wave = |row: usize| (std::f32::consts::TAU * hertz * row as f32 / 50.0).sin();
    Window {
        start_seconds: 0.0,
        end_seconds: rows as f64 / 50.0,
        acceleration: (0..rows).map(|row| [0.3, 9.81 + 3.0 * wave(row), wave(row)]).collect(),
        rotation_rate: (0..rows).map(|row| [wave(row), 0.0, 0.1]).collect(),
    }
}

#[test]
fn every_model_learns_to_tell_two_rhythms_apart() {
    let manifest = manifest();
    let stage = ReferenceStage::new(&manifest);
    let device = Device::flex().autodiff();
    let windows: Vec<Window> = (0..8).map(|at| window([0.0, 3.0][at % 2] + 0.05 * at as f32, 48)).collect();
    let input = stage.batch(windows.iter().map(|window| (window, Placement::Pocket)));
    let possible: Vec<f32> = (0..8)
        .flat_map(|at| (0..manifest.labels.len()).map(move |label| f32::from(u8::from(label == at % 2))))
        .collect();
    let possible = TensorData::new(possible, [8, manifest.labels.len()]);
    for kind in [Reference::Cnn, Reference::DeepConvLstm, Reference::Features] {
        device.seed(1);
        let mut model = ReferenceModel::new(kind, &manifest, &device);
        let mut optimiser = AdamWConfig::new().init();
        let mut loss_before = None;
        let mut loss = f32::INFINITY;
        for _ in 0..150 {
            let logits = burn::tensor::activation::log_softmax(model.forward(&input, &device), 1);
            let target = Tensor::<2>::from_data(possible.clone(), &device);
            let cross_entropy = (logits * target).sum_dim(1).neg().mean();
            loss = cross_entropy.clone().into_scalar::<f32>();
            loss_before.get_or_insert(loss);
            if loss < 0.2 {
                break;
            }
            let gradients = GradientsParams::from_grads(cross_entropy.backward(), &model);
            model = optimiser.step(3e-3, model, gradients);
        }
        let before = loss_before.expect("a first step");
        assert!(before > 1.0 && loss < 0.2, "{kind:?}: from {before} to {loss}");
    }
}

#[test]
fn what_was_not_measured_is_zero_and_a_gap_is_the_mean() {
    let mut gap = window(0.0, 128);
    gap.acceleration[5] = [f32::NAN; 3];
    gap.rotation_rate.fill([f32::NAN; 3]);
    let manifest = manifest();
    let input = ReferenceStage::new(&manifest).batch([(&gap, Placement::Belt)]);
    let device = Device::flex();
    let series = input.series(&device);
    assert_eq!(series.dims(), [1, manifest.channels.len(), 128]);
    let values: Vec<f32> = series.into_data().iter::<f32>().collect();
    let channel = |name: &str| {
        let at = manifest.channels.iter().position(|channel| channel.to_string() == name).expect("a channel");
        &values[at * 128..][..128]
    };
    // 9.81 m/s² are 1.00034 times standard gravity; every row is the same, the missing one too.
    assert!(channel("acceleration.y").iter().all(|x| (x - 1.00034).abs() < 1e-4));
    assert!(channel("rotation_rate.x").iter().all(|x| *x == 0.0));
    let statistics: Vec<f32> = input.statistics(&device).into_data().iter::<f32>().collect();
    assert!(statistics.iter().all(|x| x.is_finite()));
}

#[test]
fn a_window_of_any_length_gives_logits() {
    let manifest = manifest();
    let device = Device::flex();
    for rows in [13, 51, 256] {
        let window = window(2.0, rows);
        let input =
            ReferenceStage::new(&manifest).batch([(&window, Placement::Hand), (&window, Placement::Belt)]);
        for kind in [Reference::Cnn, Reference::DeepConvLstm, Reference::Features] {
            let logits = ReferenceModel::new(kind, &manifest, &device).forward(&input, &device);
            assert_eq!(logits.dims(), [2, manifest.labels.len()], "{kind:?} on {rows} rows");
            assert!(logits.into_data().iter::<f32>().all(f32::is_finite));
        }
    }
}
