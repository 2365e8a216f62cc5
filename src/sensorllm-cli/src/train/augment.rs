//! Varies training windows: tempo, size, orientation, placement, missing gyroscope, rounding, rate, gaps, noise.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use sensorllm::Manifest;
use sensorllm::sensor::{Placement, Window};

use super::config::Augmentation;
use super::examples::{Example, LabelSet, Recordings};
use crate::rotation::Rotation;

/// A varied window and what it still teaches.
pub struct Varied {
    /// The window.
    pub window: Window,
    /// What its activity may be; wider than before when its orientation no longer tells postures apart.
    pub labels: LabelSet,
    /// The placement the model is told.
    pub placement: Placement,
}

/// Varies the window of an example by draws from `rng`.
pub fn vary(
    recordings: &Recordings,
    example: &Example,
    config: &Augmentation,
    manifest: &Manifest,
    rng: &mut ChaCha8Rng,
) -> Varied {
    let (mut labels, placement) = (example.labels, example.placement);
    let mut window = moved_differently(recordings, example, config, rng);
    if rng.random_bool(config.rotate) {
        Rotation::random(rng).turn(&mut window);
        labels = labels.widened(manifest);
    } else {
        if rng.random_bool(config.flip) {
            Rotation::half_turn(rng.random_range(0..3)).turn(&mut window);
            // A thigh lies level or hangs down whichever side of the phone faces it; on a belt the tilt by which sitting
            // and standing differ changes its sign.
            if placement != Placement::Pocket {
                labels = labels.widened(manifest);
            }
        }
        let angle = rng.random_range(-1.0..=1.0) * config.tilt_degrees;
        Rotation::about_random_axis(angle.to_radians() as f32, rng).turn(&mut window);
    }
    if rng.random_bool(config.without_gyroscope) {
        window.rotation_rate.fill([f32::NAN; 3]);
    }
    if rng.random_bool(config.other_rate) {
        let phase = rng.random_range(0.0..1.0);
        through_other_rate(&mut window.acceleration, phase);
        through_other_rate(&mut window.rotation_rate, phase);
    }
    if rng.random_bool(config.noise) {
        let strength = rng.random_range(0.0..1.0f32);
        add_noise(&mut window.acceleration, 0.2 * strength, rng);
        add_noise(&mut window.rotation_rate, 0.05 * strength, rng);
    }
    if rng.random_bool(config.rounded) {
        round(&mut window.acceleration, 0.1);
        round(&mut window.rotation_rate, 0.1f32.to_radians());
    }
    if rng.random_bool(config.gap) {
        let length = rng.random_range(2..=20);
        let start = rng.random_range(0..window.acceleration.len() - length);
        window.acceleration[start..start + length].fill([f32::NAN; 3]);
        window.rotation_rate[start..start + length].fill([f32::NAN; 3]);
    }
    let placement = if rng.random_bool(config.unknown_placement) { Placement::Unknown } else { placement };
    Varied { window, labels, placement }
}

/// The window as someone else might have moved: faster or slower, more or less.
fn moved_differently(
    recordings: &Recordings,
    example: &Example,
    config: &Augmentation,
    rng: &mut ChaCha8Rng,
) -> Window {
    // Without either nothing is drawn, so that runs are what they were before these two existed.
    if config.tempo == 0.0 && config.size == 0.0 {
        return recordings.window(example);
    }
    // The slowest that is read is a tenth of the tempo: a movement that stands still is no movement.
    let tempo = (1.0 + rng.random_range(-1.0..=1.0) * config.tempo).max(0.1);
    let size = 1.0 + rng.random_range(-1.0..=1.0) * config.size;
    let (mut window, tempo) = recordings.window_at_tempo(example, tempo);
    // The same path in less time: velocities grow with the tempo, accelerations with its square.
    let (tempo, size) = (tempo as f32, size as f32);
    let still = mean(&window.acceleration);
    scale_about(&mut window.acceleration, still, tempo * tempo * size);
    scale_about(&mut window.rotation_rate, [0.0; 3], tempo * size);
    window
}

/// The mean of the rows that are there; of acceleration, about what gravity adds.
fn mean(rows: &[[f32; 3]]) -> [f32; 3] {
    let there = || rows.iter().filter(|row| row.iter().all(|value| value.is_finite()));
    let count = there().count().max(1) as f32;
    std::array::from_fn(|axis| there().map(|row| row[axis]).sum::<f32>() / count)
}

/// Multiplies the rows' distances from `centre`.
fn scale_about(rows: &mut [[f32; 3]], centre: [f32; 3], factor: f32) {
    for row in rows {
        *row = std::array::from_fn(|axis| centre[axis] + factor * (row[axis] - centre[axis]));
    }
}

/// Reads the rows at 60/50 of their rate by interpolation, from `phase` on, and back at the old rate.
fn through_other_rate(rows: &mut [[f32; 3]], phase: f64) {
    const STEP: f64 = 50.0 / 60.0;
    let count = ((rows.len() as f64 - 1.0 - phase) / STEP).max(1.0) as usize;
    let between: Vec<[f32; 3]> = (0..count).map(|i| interpolate(rows, phase + i as f64 * STEP)).collect();
    for (i, row) in rows.iter_mut().enumerate() {
        *row = interpolate(&between, (i as f64 - phase) / STEP);
    }
}

/// The row at a fractional position, the nearest end's outside.
pub fn interpolate(rows: &[[f32; 3]], position: f64) -> [f32; 3] {
    let position = position.clamp(0.0, (rows.len() - 1) as f64);
    let left = position as usize;
    let right = (left + 1).min(rows.len() - 1);
    let share = (position - left as f64) as f32;
    std::array::from_fn(|axis| rows[left][axis] * (1.0 - share) + rows[right][axis] * share)
}

/// Adds approximately normal noise: the sum of four uniform draws.
fn add_noise(rows: &mut [[f32; 3]], deviation: f32, rng: &mut ChaCha8Rng) {
    // Four draws from ±1 have a deviation of √(4/3).
    let scale = deviation / (4.0f32 / 3.0).sqrt();
    for value in rows.as_flattened_mut() {
        *value += scale * (0..4).map(|_| rng.random_range(-1.0..1.0f32)).sum::<f32>();
    }
}

fn round(rows: &mut [[f32; 3]], step: f32) {
    for value in rows.as_flattened_mut() {
        *value = (*value / step).round() * step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_rate_keeps_slow_movement() {
        let wave = |i: usize| (i as f32 * 0.1).sin();
        let mut rows: Vec<[f32; 3]> = (0..128).map(|i| [wave(i); 3]).collect();
        through_other_rate(&mut rows, 0.4);
        for (i, row) in rows.iter().enumerate().take(126).skip(2) {
            assert!((row[0] - wave(i)).abs() < 0.01, "row {i}: {} {}", row[0], wave(i));
        }
    }

    #[test]
    fn a_larger_movement_keeps_its_mean_and_its_gaps() {
        let mut rows = [[1.0, 0.0, 9.0], [3.0, 0.0, 10.0], [f32::NAN; 3]];
        let centre = mean(&rows);
        scale_about(&mut rows, centre, 1.5);
        assert_eq!(rows[..2], [[0.5, 0.0, 8.75], [3.5, 0.0, 10.25]]);
        assert!(rows[2][0].is_nan());
    }

    #[test]
    fn rounding_is_to_the_step() {
        let mut rows = [[1.234, -0.06, 9.81]];
        round(&mut rows, 0.1);
        assert!((rows[0][0] - 1.2).abs() < 1e-6 && (rows[0][1] + 0.1).abs() < 1e-6);
    }
}
