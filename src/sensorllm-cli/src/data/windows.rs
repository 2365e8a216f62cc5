//! Windows of a labelled recording, each inside one segment: what models are trained and evaluated on.

use sensorllm::sensor::{Uniform, Window, WindowConfig, resample};

use super::Recording;

/// A window in which more than this share of the acceleration is missing cannot be used; the share that
/// [`sensorllm::sensor::windows`] allows.
const MAX_MISSING: f64 = 0.25;
/// Segment bounds and grid rows that are meant to be the same time differ in the last digits; in rows.
const SAME_ROW: f64 = 1e-3;

/// The windows of one recording.
#[derive(Debug, Default)]
pub struct LabelledWindows {
    /// Each window with the index of its segment in [`Recording::segments`].
    pub windows: Vec<(Window, usize)>,
    /// Windows inside a segment that were left out because more than 25 % of their acceleration is missing.
    pub incomplete: usize,
}

/// Brings the whole recording to the model's rate and cuts windows that start at each segment's start and advance by
/// `config.hop`, as long as they lie inside the segment. Resampling before cutting keeps the filter's edges out of the
/// windows. A recording of fewer than two readings has no windows.
///
/// # Errors
/// As [`resample`].
pub fn labelled_windows(recording: &Recording, config: &WindowConfig) -> sensorllm::Result<LabelledWindows> {
    config.validate()?;
    let mut found = LabelledWindows::default();
    if recording.samples.len() < 2 {
        return Ok(found);
    }
    let uniform = resample(&recording.samples, config.rate_hz)?;
    let row = |seconds: f64| (seconds - uniform.start_seconds) * f64::from(config.rate_hz);
    for (index, segment) in recording.segments.iter().enumerate() {
        // Both casts saturate, so a segment outside the recording has no windows.
        let mut start = (row(segment.start_seconds) - SAME_ROW).ceil() as usize;
        let end = (row(segment.end_seconds) + SAME_ROW).floor() as usize;
        let end = end.min(uniform.acceleration.len());
        while start + config.length <= end {
            match window(&uniform, start, config.length) {
                Some(window) => found.windows.push((window, index)),
                None => found.incomplete += 1,
            }
            start += config.hop;
        }
    }
    Ok(found)
}

fn window(uniform: &Uniform, start: usize, length: usize) -> Option<Window> {
    let acceleration = uniform.acceleration[start..start + length].to_vec();
    let missing = acceleration.iter().filter(|vector| vector[0].is_nan()).count();
    if missing as f64 > MAX_MISSING * length as f64 {
        return None;
    }
    let time = |row: usize| uniform.start_seconds + row as f64 / f64::from(uniform.rate_hz);
    Some(Window {
        start_seconds: time(start),
        end_seconds: time(start + length),
        acceleration,
        rotation_rate: uniform.rotation_rate[start..start + length].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Segment;
    use sensorllm::sensor::Samples;

    /// A recording at `rate_hz` in which acceleration x counts the rows.
    fn recording(rate_hz: f64, rows: usize, segments: &[(f64, f64)]) -> Recording {
        let mut samples = Samples::default();
        for row in 0..rows {
            samples.push(row as f64 / rate_hz, [row as f32, 0.0, 9.81], [0.0; 3]);
        }
        let segment = |&(start_seconds, end_seconds): &(f64, f64)| Segment {
            start_seconds,
            end_seconds,
            label: "walking".to_owned(),
            activity: "walking".to_owned(),
        };
        Recording {
            subject: "s01".to_owned(),
            name: "a".to_owned(),
            samples,
            segments: segments.iter().map(segment).collect(),
        }
    }

    fn cut(recording: &Recording) -> LabelledWindows {
        labelled_windows(recording, &WindowConfig::default()).expect("a valid recording")
    }

    #[test]
    fn windows_start_at_each_segment_and_stay_inside() {
        // Segments of 300 and 128 rows, adjacent, then an unlabelled stretch.
        let found = cut(&recording(50.0, 600, &[(0.0, 6.0), (6.0, 8.56)]));
        let starts: Vec<(f32, usize)> =
            found.windows.iter().map(|(window, segment)| (window.acceleration[0][0], *segment)).collect();
        assert_eq!(starts, [(0.0, 0), (64.0, 0), (128.0, 0), (300.0, 1)]);
        let last = &found.windows[3].0;
        assert_eq!(last.acceleration.len(), 128);
        assert!((last.start_seconds - 6.0).abs() < 1e-9 && (last.end_seconds - 8.56).abs() < 1e-9);
        assert_eq!(found.incomplete, 0);
    }

    #[test]
    fn a_segment_one_row_short_of_a_window_has_none() {
        assert!(cut(&recording(50.0, 600, &[(1.0, 1.0 + 127.0 / 50.0)])).windows.is_empty());
        assert_eq!(cut(&recording(50.0, 600, &[(1.0, 1.0 + 128.0 / 50.0)])).windows.len(), 1);
    }

    #[test]
    fn other_rates_are_brought_to_the_models() {
        let found = cut(&recording(25.0, 200, &[(0.0, 8.0)]));
        assert_eq!(found.windows.len(), 5, "8 s hold five windows of 2.56 s that are 1.28 s apart");
        let second = &found.windows[1].0;
        assert!((second.acceleration[1][0] - 32.5).abs() < 1e-3, "interpolated between rows 32 and 33");
    }

    #[test]
    fn windows_full_of_gaps_are_counted_and_left_out() {
        let mut recording = recording(50.0, 400, &[(0.0, 8.0)]);
        for row in 100..200 {
            recording.samples.acceleration[row] = [f32::NAN; 3];
        }
        let found = cut(&recording);
        // Windows start at rows 0, 64, 128, 192, 256 and miss 28, 92, 72, 8 and 0 rows; 32 are allowed.
        let starts: Vec<f64> =
            found.windows.iter().map(|(window, _)| (window.start_seconds * 50.0).round()).collect();
        assert_eq!((starts, found.incomplete), (vec![0.0, 192.0, 256.0], 2));
    }

    #[test]
    fn a_recording_too_slow_for_the_model_is_an_error() {
        let error = labelled_windows(&recording(5.0, 100, &[(0.0, 20.0)]), &WindowConfig::default());
        assert_eq!(error.expect_err("5 Hz").code(), "rate");
    }
}
