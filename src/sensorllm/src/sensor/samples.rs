//! Raw readings of one phone: times and vectors in canonical units, as they came, not yet resampled.

/// Readings in canonical units, in the order they were taken, at whatever (uneven) times they were taken.
///
/// Canonical: acceleration *including gravity* in m/s², rotation rate in rad/s, device axes (x to the right, y to the
/// top edge, z out of the screen), the signs of the W3C specification and Android: a phone lying face up at rest
/// reads about +9.81 on z. [`Convention`](super::Convention) turns other conventions into this one.
///
/// A component that was not measured is NaN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Time of each reading in seconds from any fixed origin.
    pub seconds: Vec<f64>,
    /// Acceleration including gravity, m/s².
    pub acceleration: Vec<[f32; 3]>,
    /// Rotation rate, rad/s; all NaN when the device has no gyroscope.
    pub rotation_rate: Vec<[f32; 3]>,
}

impl Samples {
    /// Number of readings.
    pub fn len(&self) -> usize {
        self.seconds.len()
    }

    /// Whether there are no readings.
    pub fn is_empty(&self) -> bool {
        self.seconds.is_empty()
    }

    /// Appends one reading.
    pub fn push(&mut self, seconds: f64, acceleration: [f32; 3], rotation_rate: [f32; 3]) {
        self.seconds.push(seconds);
        self.acceleration.push(acceleration);
        self.rotation_rate.push(rotation_rate);
    }
}
