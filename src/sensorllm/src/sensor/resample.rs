//! From readings at uneven times to a uniform grid, with the checks that a recording must pass for that.

use super::{
    Samples,
    series::{ESTIMATE_LIMIT_SECONDS, Filter, MIN_SOURCE_RATE_HZ, SAME_TIME, Series, is_measured},
};
use crate::error::{Error, ErrorKind, Result};

/// Readings on a uniform grid that starts at the first reading: row `k` is at `start_seconds + k / rate_hz`.
#[derive(Clone, Debug, PartialEq)]
pub struct Uniform {
    /// Time of the first row in seconds.
    pub start_seconds: f64,
    /// Rows a second.
    pub rate_hz: f32,
    /// Acceleration including gravity, m/s²; NaN in gaps.
    pub acceleration: Vec<[f32; 3]>,
    /// Rotation rate, rad/s; NaN in gaps and where there was no gyroscope.
    pub rotation_rate: Vec<[f32; 3]>,
}

/// Brings `samples` to a uniform rate of `rate_hz`, on a grid that starts at the first reading.
///
/// Each sensor on its own: a row is interpolated linearly between the readings around it; where the source is much
/// faster than `rate_hz`, it is a windowed-sinc low-pass of them (cut-off 0.8 of the new Nyquist frequency),
/// evaluated on the real time stamps. Where the readings around a row are further apart than 0.25 s and than four
/// periods of the source, the row is NaN. A reading with a NaN or infinite component counts as missing. A gyroscope
/// slower than [`MIN_SOURCE_RATE_HZ`] counts as absent.
///
/// # Errors
/// `TooFewSamples` for fewer than two readings; `Clock` when times run backwards, are not finite, or span far more
/// than the readings can fill (a wrong time unit); `MissingChannel` without any acceleration; `Rate` when the
/// accelerometer is slower than [`MIN_SOURCE_RATE_HZ`]; `InvalidInput` when the columns differ in length or `rate_hz`
/// is not a positive number.
pub fn resample(samples: &Samples, rate_hz: f32) -> Result<Uniform> {
    check(samples)?;
    resample_rows(Rows::all(samples), rate_hz)
}

/// Some consecutive readings that [`check`] has passed.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub seconds: &'a [f64],
    pub acceleration: &'a [[f32; 3]],
    pub rotation_rate: &'a [[f32; 3]],
}

impl<'a> Rows<'a> {
    pub(super) fn all(samples: &'a Samples) -> Self {
        Self {
            seconds: &samples.seconds,
            acceleration: &samples.acceleration,
            rotation_rate: &samples.rotation_rate,
        }
    }

    pub(super) fn range(self, range: std::ops::Range<usize>) -> Self {
        Self {
            seconds: &self.seconds[range.clone()],
            acceleration: &self.acceleration[range.clone()],
            rotation_rate: &self.rotation_rate[range],
        }
    }
}

/// [`resample`] without the checks that a caller has already made on the whole recording.
pub(super) fn resample_rows(rows: Rows<'_>, rate_hz: f32) -> Result<Uniform> {
    let rate = f64::from(rate_hz);
    if !(rate.is_finite() && rate > 0.0) {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{rate_hz} Hz is not a sampling rate"),
            "give a positive number",
        ));
    }
    let (Some(&first), Some(&last)) = (rows.seconds.first(), rows.seconds.last()) else {
        return Err(too_few(0));
    };
    let count = ((last - first) * rate + SAME_TIME).floor() + 1.0;
    // Times in a wrong unit (milliseconds read as seconds) would ask for a grid that no memory holds.
    if count > 1000.0 * rows.seconds.len() as f64 {
        return Err(Error::new(
            ErrorKind::Clock,
            format!("{} readings are spread over {:.0} s", rows.seconds.len(), last - first),
            "check the unit of the time stamps: they must be in seconds",
        ));
    }
    let mut acceleration = Series::default();
    let mut rotation_rate = Series::default();
    for (row, &seconds) in rows.seconds.iter().enumerate() {
        acceleration.push(seconds, rows.acceleration[row]);
        rotation_rate.push(seconds, rows.rotation_rate[row]);
    }
    let acceleration_filter = Filter::new(acceleration.period(last, true), rate);
    accelerometer_rate(acceleration_filter)?;
    let rotation_filter = Filter::new(rotation_rate.period(last, true), rate);
    let grid = (0..count as u64).map(|index| grid_time(first, index, rate));
    let (acceleration, rotation_rate) = grid
        .map(|time| (acceleration.at(time, acceleration_filter), rotation_rate.at(time, rotation_filter)))
        .unzip();
    Ok(Uniform { start_seconds: first, rate_hz, acceleration, rotation_rate })
}

/// Time of row `index` of a grid.
pub(super) fn grid_time(first: f64, index: u64, rate: f64) -> f64 {
    first + index as f64 / rate
}

/// Whether `samples` can be resampled at all: columns of one length, at least two rows, a clock that runs forwards,
/// some acceleration.
pub(super) fn check(samples: &Samples) -> Result<()> {
    check_columns(samples)?;
    if samples.len() < 2 {
        return Err(too_few(samples.len()));
    }
    for (row, pair) in samples.seconds.windows(2).enumerate() {
        if pair[1] < pair[0] {
            return Err(Error::new(
                ErrorKind::Clock,
                format!("the clock runs backwards at reading {}: {} s after {} s", row + 2, pair[1], pair[0]),
                "sort the readings by time, or split the recording where the clock was set",
            ));
        }
    }
    if samples.acceleration.iter().any(is_measured) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::MissingChannel,
            "there is no acceleration in the recording",
            "record the accelerometer including gravity; without it no activity can be told",
        ))
    }
}

/// Whether the columns are of one length and the times are numbers.
pub(super) fn check_columns(samples: &Samples) -> Result<()> {
    if samples.acceleration.len() != samples.len() || samples.rotation_rate.len() != samples.len() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "{} times, {} accelerations and {} rotation rates do not make rows",
                samples.len(),
                samples.acceleration.len(),
                samples.rotation_rate.len()
            ),
            "give each reading a time, an acceleration and a rotation rate (NaN where not measured)",
        ));
    }
    match samples.seconds.iter().position(|seconds| !seconds.is_finite()) {
        None => Ok(()),
        Some(row) => Err(Error::new(
            ErrorKind::Clock,
            format!("the time of reading {} is {}", row + 1, samples.seconds[row]),
            "give each reading a finite time in seconds",
        )),
    }
}

fn too_few(count: usize) -> Error {
    let message = match count {
        0 => "there are no readings".to_owned(),
        _ => "there is only one reading".to_owned(),
    };
    Error::new(ErrorKind::TooFewSamples, message, "record a few seconds of motion")
}

/// An error when the accelerometer's rate is too low, or cannot be told (`None`).
pub(super) fn accelerometer_rate(filter: Option<Filter>) -> Result<()> {
    let rate = match filter {
        Some(filter) if filter.is_fast_enough() => return Ok(()),
        Some(filter) => format!("{:.1} times a second", filter.source_rate()),
        None => format!("less than twice in {ESTIMATE_LIMIT_SECONDS} s"),
    };
    Err(Error::new(
        ErrorKind::Rate,
        format!("acceleration was read {rate}, at least {MIN_SOURCE_RATE_HZ} times a second are needed"),
        "set the sensor or the recording app to 50 Hz",
    ))
}

#[cfg(test)]
mod tests;
