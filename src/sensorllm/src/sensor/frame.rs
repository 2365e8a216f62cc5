//! The gravity-aligned frame of a window: axes that do not depend on how the phone lies in the pocket.

use super::Axis;

/// Mean acceleration shorter than this (m/s²) does not show where up is; device z is taken for it.
const MIN_GRAVITY: f64 = 0.5;

/// Three perpendicular unit vectors in device axes: up, and two horizontal ones.
///
/// Up is the direction of the window's mean acceleration (gravity, as the rest averages out). Forward is the
/// horizontal direction in which acceleration varies most, which for a walking person is along the path; which of its
/// two ends is forward is decided by [`Frame::forward_sign`]. Side is up × forward. When the horizontal acceleration
/// varies the same in all directions, forward is arbitrary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Against gravity.
    pub up: [f64; 3],
    /// The principal horizontal direction of the acceleration.
    pub forward: [f64; 3],
    /// up × forward.
    pub side: [f64; 3],
}

impl Frame {
    /// The frame of a window with these accelerations (m/s², including gravity; rows with NaN are passed over). With
    /// no acceleration at all, up is device z.
    pub fn of(acceleration: &[[f32; 3]]) -> Self {
        let measured: Vec<[f64; 3]> = acceleration
            .iter()
            .filter(|vector| vector.iter().all(|value| value.is_finite()))
            .map(|vector| vector.map(f64::from))
            .collect();
        let count = measured.len().max(1) as f64;
        let mean: [f64; 3] =
            std::array::from_fn(|axis| measured.iter().map(|vector| vector[axis]).sum::<f64>() / count);
        let up = unit(mean, MIN_GRAVITY).unwrap_or([0.0, 0.0, 1.0]);
        // Any two perpendicular horizontal directions: start from the device axis that is least vertical.
        let least = (0..3).min_by(|&a, &b| up[a].abs().total_cmp(&up[b].abs())).unwrap_or(0);
        let mut axis = [0.0; 3];
        axis[least] = 1.0;
        let first = unit(cross(up, axis), 0.0).unwrap_or([1.0, 0.0, 0.0]);
        let second = cross(up, first);
        // The covariance [[a, b], [b, c]] of the horizontal acceleration in them, and the angle of its long axis.
        let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
        for vector in &measured {
            let (x, y) = (dot(*vector, first) - dot(mean, first), dot(*vector, second) - dot(mean, second));
            a += x * x;
            b += x * y;
            c += y * y;
        }
        let (sin, cos) = (0.5 * (2.0 * b).atan2(a - c)).sin_cos();
        let forward: [f64; 3] = std::array::from_fn(|axis| cos * first[axis] + sin * second[axis]);
        let along: Vec<f64> = measured.iter().map(|vector| dot(*vector, forward)).collect();
        let forward = forward.map(|value| value * Self::forward_sign(&along));
        Self { up, forward, side: cross(up, forward) }
    }

    /// Which end of the principal direction is forward, given the acceleration `along` it: the end towards which the
    /// acceleration has the rarer, larger peaks (third central moment ≥ 0).
    pub fn forward_sign(along: &[f64]) -> f64 {
        let mean = along.iter().sum::<f64>() / along.len().max(1) as f64;
        let third_moment: f64 = along.iter().map(|value| (value - mean).powi(3)).sum();
        if third_moment < 0.0 { -1.0 } else { 1.0 }
    }

    /// `vector` (in device axes) read along `axis`; NaN when a component is missing.
    pub fn read(&self, vector: [f32; 3], axis: Axis) -> f32 {
        if vector.iter().any(|value| !value.is_finite()) {
            return f32::NAN;
        }
        let exact = vector.map(f64::from);
        match axis {
            Axis::X => vector[0],
            Axis::Y => vector[1],
            Axis::Z => vector[2],
            Axis::Up => dot(exact, self.up) as f32,
            Axis::Forward => dot(exact, self.forward) as f32,
            Axis::Side => dot(exact, self.side) as f32,
            Axis::Horizontal => dot(exact, self.forward).hypot(dot(exact, self.side)) as f32,
            Axis::Magnitude => dot(exact, exact).sqrt() as f32,
        }
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// `vector` scaled to length 1, unless it is not longer than `shortest`.
fn unit(vector: [f64; 3], shortest: f64) -> Option<[f64; 3]> {
    let length = dot(vector, vector).sqrt();
    (length > shortest && length.is_finite()).then(|| vector.map(|value| value / length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sensor::{Channel, Sensor, Window, channel_values};

    /// A walk: gravity, bounces, and peaks along one horizontal direction that are sharper one way than the other.
    fn walk(cadence: f64, stretch: f64) -> Window {
        let time = |row: usize| row as f64 / 50.0;
        let wave = |row: usize| (std::f64::consts::TAU * cadence * time(row)).sin();
        let acceleration = (0..128).map(|row| {
            let push = (2.0 * wave(row)).exp() - 2.0;
            [push as f32, (stretch * wave(row + 7)) as f32, (9.81 + 2.0 * wave(row + 3)) as f32]
        });
        let rotation_rate = (0..128).map(|row| [wave(row) as f32, 0.5 * wave(row + 9) as f32, 0.1]);
        Window {
            start_seconds: 0.0,
            end_seconds: 2.56,
            acceleration: acceleration.collect(),
            rotation_rate: rotation_rate.collect(),
        }
    }

    fn rotate(vector: [f32; 3], quaternion: [f64; 4]) -> [f32; 3] {
        let [w, x, y, z] = quaternion;
        let v = vector.map(f64::from);
        let axis = [x, y, z];
        let twice = cross(axis, v).map(|value| 2.0 * value);
        let turned = cross(axis, twice);
        std::array::from_fn(|i| (v[i] + w * twice[i] + turned[i]) as f32)
    }

    proptest! {
        #[test]
        fn turning_the_phone_changes_no_aligned_channel(
            quaternion in prop::array::uniform4(-1.0f64..1.0),
            cadence in 0.8f64..3.0,
            stretch in 0.0f64..0.8,
        ) {
            let length = quaternion.iter().map(|value| value * value).sum::<f64>().sqrt();
            prop_assume!(length > 0.1);
            let quaternion = quaternion.map(|value| value / length);
            let window = walk(cadence, stretch);
            let mut turned = window.clone();
            for vector in turned.acceleration.iter_mut().chain(&mut turned.rotation_rate) {
                *vector = rotate(*vector, quaternion);
            }
            let axes = [Axis::Up, Axis::Forward, Axis::Side, Axis::Horizontal, Axis::Magnitude];
            for sensor in Sensor::ALL {
                for axis in axes {
                    let channel = Channel { sensor, axis, series: true };
                    let before = &channel_values(&window, &[channel])[0];
                    let after = &channel_values(&turned, &[channel])[0];
                    for (row, (a, b)) in before.iter().zip(after).enumerate() {
                        prop_assert!((a - b).abs() < 1e-3, "{channel} row {row}: {a} {b}");
                    }
                }
            }
        }

        #[test]
        fn any_input_gives_perpendicular_unit_axes(
            acceleration in prop::collection::vec(prop::array::uniform3(any::<f32>()), 0..20),
        ) {
            let frame = Frame::of(&acceleration);
            for (a, b) in [(frame.up, frame.forward), (frame.forward, frame.side), (frame.side, frame.up)] {
                prop_assert!(dot(a, b).abs() < 1e-9);
                prop_assert!((dot(a, a) - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn up_keeps_gravity_and_forward_is_where_it_moves_most() {
        let window = walk(2.0, 0.2);
        let frame = Frame::of(&window.acceleration);
        assert!(frame.up[2] > 0.98, "{frame:?}");
        assert!(frame.forward[0] > 0.9, "{frame:?}");
        assert!(frame.side[1] > 0.9, "{frame:?}");
    }

    #[test]
    fn a_phone_at_rest_reads_gravity_on_up_and_nothing_beside() {
        let tilted = vec![[3.0_f32, -4.0, 8.4]; 50];
        let frame = Frame::of(&tilted);
        let length = (9.0_f32 + 16.0 + 70.56).sqrt();
        assert!((frame.read(tilted[0], Axis::Up) - length).abs() < 1e-4);
        assert!(frame.read(tilted[0], Axis::Horizontal).abs() < 1e-4);
        assert!((frame.read(tilted[0], Axis::Magnitude) - length).abs() < 1e-4);
    }

    #[test]
    fn without_gravity_up_is_device_z() {
        assert_eq!(Frame::of(&[[0.1, 0.0, -0.2]; 4]).up, [0.0, 0.0, 1.0]);
        assert_eq!(Frame::of(&[[f32::NAN; 3]; 4]).up, [0.0, 0.0, 1.0]);
        assert_eq!(Frame::of(&[]).up, [0.0, 0.0, 1.0]);
    }
}
