//! The default model gives the same labels and the same answers on the CPU and on WebGPU. Fails where there is no adapter.

use burn::tensor::Device;
use sensorllm::answer::AnswerStep;
use sensorllm::sensor::{Placement, Samples};
use sensorllm::{Head, Options, Pipeline, Prediction, device};

/// What the two devices may differ by: sums in another order.
const TOLERANCE: f32 = 1e-3;

fn pipeline(device: &Device) -> Pipeline {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/default");
    let manifest =
        std::fs::read(format!("{folder}/manifest.json")).expect("the default model is in the repository");
    Pipeline::load(&manifest, |name| std::fs::read(format!("{folder}/{name}")).ok(), device).unwrap()
}

/// The seconds `from` to `to` of half a minute in which a phone turns, shakes ever harder, loses its gyroscope and has a gap.
fn recording(from: f64, to: f64) -> Samples {
    let mut samples = Samples::default();
    for row in 0..1500 {
        let t = f64::from(row) / 50.0;
        if !(from..to).contains(&t) || (12.0..12.5).contains(&t) {
            continue;
        }
        let wave =
            |frequency: f64, strength: f64| ((std::f64::consts::TAU * frequency * t).sin() * strength) as f32;
        let strength = t / 5.0;
        let acceleration =
            [wave(1.9, strength), 9.81 * (t / 20.0).cos() as f32 + wave(3.8, strength), wave(0.3, 2.0)];
        let turning =
            if t > 22.0 { [f32::NAN; 3] } else { [wave(1.9, 1.0), wave(0.95, strength), wave(0.2, 0.5)] };
        samples.push(t, acceleration, turning);
    }
    samples
}

fn predictions(pipeline: &Pipeline, head: Head) -> Vec<Prediction> {
    let windows = pipeline.windows(&recording(0.0, 30.0)).unwrap();
    let options = Options { head: Some(head), placement: Placement::Pocket };
    pollster::block_on(pipeline.classify(&windows, &options)).unwrap()
}

const QUESTIONS: [&str; 4] = [
    "Describe how the phone moved.",
    "How many steps a minute?",
    "What am I doing, and how can you tell?",
    "Which channel moves most?",
];

/// Parts of the recording that are asked about, in seconds: with one part only, the answers of a model may all be odd in length. Where two
/// wordings are equally likely (logits 10.591730 and 10.591727 in seconds 13 to 21), rounding chooses: no such part can be here.
const PARTS: [(f64, f64); 3] = [(0.0, 30.0), (0.0, 11.0), (18.0, 29.0)];

/// The tokens of an answer, and the logits that the first was chosen from.
fn answer(pipeline: &Pipeline, samples: &Samples, question: &str) -> (Vec<u32>, Vec<f32>) {
    let options = Options { head: None, placement: Placement::Pocket };
    let mut answer = pollster::block_on(pipeline.ask(samples, question, &options)).unwrap();
    while !matches!(pollster::block_on(answer.step(pipeline)).unwrap(), AnswerStep::Finished { .. }) {}
    (answer.generation().tokens().to_vec(), answer.generation().logits().to_vec())
}

#[test]
fn cpu_and_webgpu_agree() {
    let gpu = pollster::block_on(device::webgpu())
        .expect("this test needs a WebGPU adapter (Mesa's lavapipe will do)");
    let (cpu, gpu) = (pipeline(&device::cpu()), pipeline(&gpu));
    // On WebGPU tokens are computed in pairs: answers end with the first and with the second of one.
    let mut lengths = Vec::new();
    for (from, to) in PARTS {
        let samples = recording(from, to);
        for question in QUESTIONS {
            let ((expected, on_cpu), (found, on_gpu)) =
                (answer(&cpu, &samples, question), answer(&gpu, &samples, question));
            for (a, b) in on_cpu.iter().zip(&on_gpu) {
                assert!((a - b).abs() < TOLERANCE, "{question} A logit of {a} on the CPU, {b} on WebGPU");
            }
            assert_eq!(found, expected, "{question} Seconds {from} to {to}");
            lengths.push(found.len());
        }
    }
    for remainder in [0, 1] {
        assert!(lengths.iter().any(|length| length % 2 == remainder), "{lengths:?}");
    }
    for head in Head::ALL {
        let (cpu, gpu) = (predictions(&cpu, head), predictions(&gpu, head));
        assert!(cpu.len() > 15, "{} windows", cpu.len());
        for (a, b) in cpu.iter().zip(&gpu) {
            assert_eq!(a.label, b.label);
            for (p, q) in a.probabilities.iter().zip(&b.probabilities) {
                assert!((p - q).abs() < TOLERANCE, "{head}: {p} on the CPU, {q} on WebGPU");
            }
        }
    }
}
