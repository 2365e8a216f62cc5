//! Random rotations of the phone: what its sensors would have read had it been carried at another angle.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};
use sensorllm::sensor::{Samples, Window};
use sha2::{Digest as _, Sha256};

/// A proper rotation (no mirror image) as a matrix in row-major order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation([[f32; 3]; 3]);

impl Rotation {
    /// A rotation drawn uniformly from all rotations, by way of a uniform unit quaternion (Shoemake, "Uniform random
    /// rotations", Graphics Gems III, 1992).
    pub fn random(rng: &mut impl rand::Rng) -> Self {
        let [u, v, w]: [f64; 3] = std::array::from_fn(|_| rng.random());
        let (v, w) = (v * std::f64::consts::TAU, w * std::f64::consts::TAU);
        let (a, b) = ((1.0 - u).sqrt(), u.sqrt());
        Self::from_unit_quaternion([a * v.sin(), a * v.cos(), b * w.sin(), b * w.cos()])
    }

    /// The rotation of one recording: the same for the same seed, subject and name, wherever and in whatever order
    /// recordings are read.
    pub fn of_recording(seed: u64, subject: &str, recording: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(subject.as_bytes());
        // A separator that names cannot contain, so that different pairs never join to the same text.
        hash.update([0]);
        hash.update(recording.as_bytes());
        Self::random(&mut ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Half a turn about one of the device's axes (0 is x): back to front or upside down. An axis beyond z counts
    /// from x again.
    pub fn half_turn(axis: usize) -> Self {
        let mut quaternion = [0.0; 4];
        quaternion[axis % 3] = 1.0;
        Self::from_unit_quaternion(quaternion)
    }

    /// A turn by `radians` about an axis drawn uniformly from all directions.
    pub fn about_random_axis(radians: f32, rng: &mut impl rand::Rng) -> Self {
        let (height, angle) = (rng.random_range(-1.0..=1.0f64), rng.random_range(0.0..std::f64::consts::TAU));
        let radius = (1.0 - height * height).sqrt();
        let (sin, cos) = (f64::from(radians) / 2.0).sin_cos();
        Self::from_unit_quaternion([
            sin * radius * angle.cos(),
            sin * radius * angle.sin(),
            sin * height,
            cos,
        ])
    }

    /// Turns a window. A missing component makes the whole vector missing.
    pub fn turn(&self, window: &mut Window) {
        self.turn_all(&mut window.acceleration);
        self.turn_all(&mut window.rotation_rate);
    }

    /// Turns a recording. A missing component makes the whole vector missing.
    pub fn turn_samples(&self, samples: &mut Samples) {
        self.turn_all(&mut samples.acceleration);
        self.turn_all(&mut samples.rotation_rate);
    }

    fn turn_all(&self, vectors: &mut [[f32; 3]]) {
        for vector in vectors {
            *vector = self.0.map(|row| row.iter().zip(*vector).map(|(a, b)| a * b).sum());
        }
    }

    /// From (x, y, z, w) of length 1.
    fn from_unit_quaternion([x, y, z, w]: [f64; 4]) -> Self {
        let matrix = [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)],
            [2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)],
            [2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)],
        ];
        Self(matrix.map(|row| row.map(|value| value as f32)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> impl Iterator<Item = Rotation> {
        (0..200).map(|seed| Rotation::of_recording(seed, "s01", "wlk_7"))
    }

    fn turned(rotation: Rotation, mut vector: [f32; 3]) -> [f32; 3] {
        rotation.turn_all(std::slice::from_mut(&mut vector));
        vector
    }

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(5)
    }

    #[test]
    fn every_rotation_is_orthonormal_and_no_mirror() {
        let tilts = (0..20).map(|step| Rotation::about_random_axis(step as f32 * 0.3, &mut rng()));
        for Rotation(m) in some().chain(tilts).chain((0..3).map(Rotation::half_turn)) {
            for i in 0..3 {
                for j in 0..3 {
                    let dot: f32 = (0..3).map(|k| m[i][k] * m[j][k]).sum();
                    assert!((dot - f32::from(u8::from(i == j))).abs() < 1e-5, "{m:?}");
                }
            }
            let determinant = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
                - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
                + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
            assert!((determinant - 1.0).abs() < 1e-5, "{determinant}");
        }
    }

    #[test]
    fn no_direction_is_preferred() {
        // The mean of 200 uniform unit vectors has an expected squared length of 1 / 200.
        let turned: Vec<[f32; 3]> = some().map(|rotation| turned(rotation, [0.0, 0.0, 1.0])).collect();
        for axis in 0..3 {
            let mean = turned.iter().map(|vector| vector[axis]).sum::<f32>() / turned.len() as f32;
            let square = turned.iter().map(|vector| vector[axis].powi(2)).sum::<f32>() / turned.len() as f32;
            assert!(mean.abs() < 0.15, "{mean}");
            assert!((square - 1.0 / 3.0).abs() < 0.1, "{square}");
        }
    }

    #[test]
    fn half_turns_keep_one_axis_and_invert_two() {
        assert_eq!(turned(Rotation::half_turn(0), [1.0, 2.0, 3.0]), [1.0, -2.0, -3.0]);
        assert_eq!(turned(Rotation::half_turn(2), [1.0, 2.0, 3.0]), [-1.0, -2.0, 3.0]);
    }

    #[test]
    fn a_turn_has_the_angle_it_was_asked_for() {
        for radians in [0.0, 0.2, 1.5, 3.0] {
            let Rotation(m) = Rotation::about_random_axis(radians, &mut rng());
            // The trace of a rotation by an angle is 1 + 2 cos(angle).
            assert!((m[0][0] + m[1][1] + m[2][2] - 1.0 - 2.0 * radians.cos()).abs() < 1e-5, "{radians}");
        }
    }

    #[test]
    fn a_recording_keeps_its_rotation_and_others_have_their_own() {
        let rotation = Rotation::of_recording(7, "s01", "wlk_7");
        assert_eq!(rotation, Rotation::of_recording(7, "s01", "wlk_7"));
        assert_ne!(rotation, Rotation::of_recording(8, "s01", "wlk_7"));
        assert_ne!(rotation, Rotation::of_recording(7, "s02", "wlk_7"));
        assert_ne!(rotation, Rotation::of_recording(7, "s01", "wlk_8"));
    }

    #[test]
    fn both_sensors_turn_alike_and_missing_stays_missing() {
        let vectors = vec![[1.0, 2.0, 3.0]; 2];
        let mut window = Window {
            start_seconds: 0.0,
            end_seconds: 0.04,
            acceleration: vectors.clone(),
            rotation_rate: vec![vectors[0], [f32::NAN; 3]],
        };
        let mut samples = Samples {
            seconds: vec![0.0, 0.02],
            acceleration: vectors.clone(),
            rotation_rate: window.rotation_rate.clone(),
        };
        let rotation = Rotation::of_recording(1, "s01", "a");
        rotation.turn(&mut window);
        rotation.turn_samples(&mut samples);
        assert_eq!(window.acceleration, samples.acceleration);
        assert_eq!(window.acceleration[0], window.rotation_rate[0]);
        assert_ne!(window.acceleration, vectors);
        assert!(window.rotation_rate[1].iter().chain(&samples.rotation_rate[1]).all(|value| value.is_nan()));
    }
}
