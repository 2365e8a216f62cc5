//! Stretches of motion that tests speak about: people who walk, sit, turn, and phones that miss a sensor.

use super::{Activity, Facts};
use crate::sampler::SplitMix64;
use crate::sensor::Window;

/// A random stretch: still, walking, slow turns or jolts, with or without a gyroscope, gaps and activities.
pub fn window(seed: u64) -> Window {
    let mut random = SplitMix64(seed);
    let rows = 100 + random.below(400);
    let mut between = |low: f64, high: f64| low + (high - low) * random.uniform();
    let cadence = between(0.1, 1.7).powi(2);
    let strength = [0.0, 0.3, 3.0, 9.0][between(0.0, 3.99) as usize];
    let noise = [0.01, 0.1, 0.5][between(0.0, 2.99) as usize];
    let direction: [f64; 3] = std::array::from_fn(|_| between(-1.0, 1.0));
    let length = direction.iter().map(|value| value * value).sum::<f64>().sqrt().max(0.1);
    let phases: [f64; 6] = std::array::from_fn(|_| between(0.0, 6.0));
    let drifts: [f64; 6] = std::array::from_fn(|_| between(-0.5, 0.5));
    let (gyroscope, accelerometer, gap) =
        (between(0.0, 1.0) < 0.8, between(0.0, 1.0) < 0.95, between(0.0, 1.0) < 0.2);
    let mut acceleration = Vec::new();
    let mut rotation_rate = Vec::new();
    for row in 0..rows {
        let t = row as f64 / 50.0;
        let missing = gap && (60..85).contains(&row);
        let value = |index: usize, noise: f64| {
            let swing = (std::f64::consts::TAU * cadence * t + phases[index]).sin();
            swing * strength * (1.0 + drifts[index]) + drifts[index] * t + noise
        };
        let mut wobble = || noise * between(-1.7, 1.7);
        acceleration.push(std::array::from_fn(|axis| {
            if missing || !accelerometer {
                return f32::NAN;
            }
            (9.81 * direction[axis] / length + value(axis, wobble())) as f32
        }));
        rotation_rate.push(std::array::from_fn(|axis| {
            if missing || !gyroscope { f32::NAN } else { (0.3 * value(axis + 3, wobble())) as f32 }
        }));
    }
    Window { start_seconds: 0.0, end_seconds: rows as f64 / 50.0, acceleration, rotation_rate }
}

/// The facts of such a stretch.
pub fn facts(seed: u64) -> Facts {
    let window = window(seed);
    let seconds = window.end_seconds;
    let activity = |label: &str, start: f64, end: f64| Activity {
        label: label.to_owned(),
        confidence: 0.3 + 0.69 * (seed % 7) as f64 / 7.0,
        start: start * seconds,
        end: end * seconds,
    };
    let activities = match seed % 4 {
        0 => vec![],
        1 => vec![activity("walking_upstairs", 0.0, 1.0)],
        2 => vec![activity("running", 0.0, 0.4), activity("standing", 0.4, 1.0)],
        _ => vec![activity("still", 0.0, 0.2), activity("unknown", 0.2, 0.3), activity("still", 0.3, 1.0)],
    };
    Facts::of(&window, 50.0, &activities)
}
