//! Windows of equal length out of a whole recording.

use serde::{Deserialize, Serialize};

use super::{
    Samples,
    resample::{Rows, Uniform, check, resample_rows},
};
use crate::error::{Error, ErrorKind, Result};

/// A stretch without any reading that is longer than this ends the grid; the next reading starts a new one.
pub(super) const RESTART_SECONDS: f64 = 2.0;
/// A window in which more than this share of the acceleration is missing is left out.
const MAX_MISSING: f32 = 0.25;

/// Readings of one stretch of time, in device axes and at the model's rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Time of its first row.
    pub start_seconds: f64,
    /// Time at which its last row ends: `start_seconds + length / rate_hz`.
    pub end_seconds: f64,
    /// Acceleration including gravity, m/s²; NaN where missing.
    pub acceleration: Vec<[f32; 3]>,
    /// Rotation rate, rad/s; NaN where missing.
    pub rotation_rate: Vec<[f32; 3]>,
}

/// How a recording is cut into windows. The default is 2.56 s at 50 Hz, a new one every 1.28 s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowConfig {
    /// Rows a second.
    pub rate_hz: f32,
    /// Rows in a window.
    pub length: usize,
    /// Rows from the start of one window to the start of the next.
    pub hop: usize,
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self { rate_hz: 50.0, length: 128, hop: 64 }
    }
}

impl WindowConfig {
    /// Whether windows can be cut this way.
    ///
    /// # Errors
    /// `InvalidInput` unless the rate is from 1 to 1000 Hz, the length from 2 to 65536 and the hop from 1 to 65536.
    pub fn validate(&self) -> Result<()> {
        let problem = if !(1.0..=1000.0).contains(&self.rate_hz) {
            format!("a window rate of {} Hz is outside of 1 to 1000 Hz", self.rate_hz)
        } else if !(2..=65536).contains(&self.length) {
            format!("a window of {} rows is outside of 2 to 65536 rows", self.length)
        } else if !(1..=65536).contains(&self.hop) {
            format!("a hop of {} rows is outside of 1 to 65536 rows", self.hop)
        } else {
            return Ok(());
        };
        Err(Error::new(
            ErrorKind::InvalidInput,
            problem,
            "the usual windows have 128 rows at 50 Hz and a hop of 64",
        ))
    }

    /// Seconds from the start of a window to its end.
    pub fn seconds(&self) -> f64 {
        self.length as f64 / f64::from(self.rate_hz)
    }
}

/// Cuts a whole recording into windows: [`resample`](super::resample)d, then `config.length` rows every `config.hop`.
///
/// A pause of more than 2 s starts a new grid. A window with more than 25 % of its acceleration missing is left out;
/// a missing gyroscope leaves no window out.
///
/// # Errors
/// As [`resample`](super::resample), and `TooFewSamples` when no window can be filled.
pub fn windows(samples: &Samples, config: &WindowConfig) -> Result<Vec<Window>> {
    config.validate()?;
    check(samples)?;
    let needed = config.seconds();
    // The last row of a window is read one step before the window ends.
    let span = needed - 1.0 / f64::from(config.rate_hz);
    let mut windows = Vec::new();
    let mut too_slow = None;
    for range in stretches(&samples.seconds) {
        let rows = Rows::all(samples).range(range);
        // Too short for a window, and perhaps for telling its rate.
        if rows.seconds[rows.seconds.len() - 1] - rows.seconds[0] < span - 1e-3 {
            continue;
        }
        match resample_rows(rows, config.rate_hz) {
            Ok(uniform) => cut(&uniform, config, &mut windows),
            Err(error) => {
                too_slow.get_or_insert(error);
            }
        }
    }
    if !windows.is_empty() {
        return Ok(windows);
    }
    let lasts = samples.seconds[samples.len() - 1] - samples.seconds[0];
    if lasts < span - 1e-3 {
        return Err(Error::new(
            ErrorKind::TooFewSamples,
            format!("the recording lasts {lasts:.2} s, one window needs {needed:.2} s"),
            format!("record at least {needed:.2} s"),
        ));
    }
    Err(too_slow.unwrap_or_else(|| {
        Error::new(
            ErrorKind::TooFewSamples,
            format!("no {needed:.2} s of the recording have at least 75 % of their acceleration"),
            "record without pauses",
        )
    }))
}

/// Stretches of rows without a pause of more than [`RESTART_SECONDS`].
fn stretches(seconds: &[f64]) -> Vec<std::ops::Range<usize>> {
    let mut starts = vec![0];
    starts.extend((1..seconds.len()).filter(|&row| seconds[row] - seconds[row - 1] > RESTART_SECONDS));
    starts.push(seconds.len());
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

fn cut(uniform: &Uniform, config: &WindowConfig, windows: &mut Vec<Window>) {
    let mut start = 0;
    while start + config.length <= uniform.acceleration.len() {
        let rows = start..start + config.length;
        windows.extend(window(
            uniform.start_seconds,
            start as u64,
            config,
            &uniform.acceleration[rows.clone()],
            &uniform.rotation_rate[rows],
        ));
        start += config.hop;
    }
}

/// The window that starts at row `start` of a grid, unless too much of its acceleration is missing.
pub(super) fn window(
    grid_start: f64,
    start: u64,
    config: &WindowConfig,
    acceleration: &[[f32; 3]],
    rotation_rate: &[[f32; 3]],
) -> Option<Window> {
    let missing = acceleration.iter().filter(|vector| vector[0].is_nan()).count();
    if missing as f32 > MAX_MISSING * config.length as f32 {
        return None;
    }
    let rate = f64::from(config.rate_hz);
    Some(Window {
        start_seconds: super::resample::grid_time(grid_start, start, rate),
        end_seconds: super::resample::grid_time(grid_start, start + config.length as u64, rate),
        acceleration: acceleration.to_vec(),
        rotation_rate: rotation_rate.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(rate: f64, seconds: f64) -> Samples {
        let mut samples = Samples::default();
        for row in 0..=(rate * seconds).round() as usize {
            let time = row as f64 / rate;
            samples.push(time, [0.0, 0.0, 9.81 + (12.0 * time).sin() as f32], [0.1; 3]);
        }
        samples
    }

    #[track_caller]
    fn refused(samples: &Samples, kind: ErrorKind, says: &str) {
        let error = windows(samples, &WindowConfig::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }

    #[test]
    fn windows_overlap_by_half_and_say_when_they_are() {
        for rate in [20.0, 50.0, 60.0, 500.0] {
            let windows = windows(&walk(rate, 10.0), &WindowConfig::default()).unwrap();
            assert_eq!(windows.len(), 6, "{rate} Hz");
            for (index, window) in windows.iter().enumerate() {
                assert!((window.start_seconds - 1.28 * index as f64).abs() < 1e-9);
                assert!((window.end_seconds - window.start_seconds - 2.56).abs() < 1e-9);
                assert_eq!((window.acceleration.len(), window.rotation_rate.len()), (128, 128));
            }
        }
    }

    #[test]
    fn the_shortest_recording_is_one_window() {
        assert_eq!(windows(&walk(50.0, 2.54), &WindowConfig::default()).unwrap().len(), 1);
        refused(&walk(50.0, 2.5), ErrorKind::TooFewSamples, "lasts 2.50 s, one window needs 2.56 s");
    }

    #[test]
    fn a_window_with_too_much_missing_is_left_out() {
        let mut samples = walk(50.0, 10.0);
        samples.acceleration[128..128 + 40].fill([f32::NAN; 3]);
        let starts: Vec<f64> = windows(&samples, &WindowConfig::default())
            .unwrap()
            .iter()
            .map(|window| (window.start_seconds / 1.28).round())
            .collect();
        assert_eq!(starts, [0.0, 3.0, 4.0, 5.0]);
        samples.rotation_rate.fill([f32::NAN; 3]);
        assert_eq!(windows(&samples, &WindowConfig::default()).unwrap().len(), 4);
    }

    #[test]
    fn what_cannot_be_cut_is_refused_with_a_reason() {
        refused(&Samples::default(), ErrorKind::TooFewSamples, "no readings");
        refused(&walk(50.0, 0.0), ErrorKind::TooFewSamples, "only one reading");
        refused(&walk(5.0, 10.0), ErrorKind::Rate, "5.0 times a second");
        let mut backwards = walk(50.0, 10.0);
        backwards.seconds[300] = 1.0;
        refused(&backwards, ErrorKind::Clock, "reading 301");
        let mut torn = walk(50.0, 30.0);
        for (row, vector) in torn.acceleration.iter_mut().enumerate() {
            if row % 100 > 40 {
                *vector = [f32::NAN; 3];
            }
        }
        refused(&torn, ErrorKind::TooFewSamples, "75 %");
    }

    #[test]
    fn a_config_that_makes_no_sense_is_refused() {
        let good = WindowConfig::default();
        assert!(good.validate().is_ok());
        for bad in [
            WindowConfig { rate_hz: 0.0, ..good },
            WindowConfig { rate_hz: f32::NAN, ..good },
            WindowConfig { length: 1, ..good },
            WindowConfig { length: usize::MAX, ..good },
            WindowConfig { hop: 0, ..good },
        ] {
            assert_eq!(bad.validate().unwrap_err().kind(), ErrorKind::InvalidInput);
            assert!(windows(&walk(50.0, 4.0), &bad).is_err());
        }
    }
}
