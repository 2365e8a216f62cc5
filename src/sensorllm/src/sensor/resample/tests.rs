//! Tests of resampling: what is kept, what is removed, what is marked missing, what is refused.

use proptest::prelude::*;

use super::*;

const TAU: f64 = std::f64::consts::TAU;

/// Readings of `signal` on every axis of both sensors at `times`.
fn record(times: impl IntoIterator<Item = f64>, signal: impl Fn(f64) -> f64) -> Samples {
    let mut samples = Samples::default();
    for time in times {
        samples.push(time, [signal(time) as f32; 3], [-signal(time) as f32; 3]);
    }
    samples
}

fn every(rate: f64, seconds: f64) -> impl Iterator<Item = f64> {
    (0..=(rate * seconds).round() as usize).map(move |row| 100.0 + row as f64 / rate)
}

/// The largest difference to `signal`, in the inner part of the grid where the filter has readings on both sides.
fn worst(uniform: &Uniform, signal: impl Fn(f64) -> f64) -> f64 {
    let rows = 10..uniform.acceleration.len() - 10;
    rows.map(|row| {
        let expected = signal(uniform.start_seconds + row as f64 / f64::from(uniform.rate_hz));
        let acceleration = (f64::from(uniform.acceleration[row][1]) - expected).abs();
        acceleration.max((f64::from(uniform.rotation_rate[row][2]) + expected).abs())
    })
    .fold(0.0, f64::max)
}

#[test]
fn at_500_hz_what_belongs_to_walking_is_kept() {
    for frequency in [0.0, 1.0, 2.0, 5.0, 8.0] {
        let signal = |time: f64| 9.81 + (TAU * frequency * time).sin();
        let uniform = resample(&record(every(500.0, 6.0), signal), 50.0).unwrap();
        assert!(worst(&uniform, signal) < 0.02, "{frequency} Hz: {}", worst(&uniform, signal));
    }
}

#[test]
fn at_500_hz_what_would_alias_is_removed() {
    for frequency in [35.0, 40.0, 60.0, 90.0, 120.0] {
        let uniform =
            resample(&record(every(500.0, 6.0), |time| (TAU * frequency * time).sin()), 50.0).unwrap();
        let left = worst(&uniform, |_| 0.0);
        assert!(left < 0.1, "{frequency} Hz keeps {left}");
    }
}

#[test]
fn at_100_hz_noise_above_the_new_nyquist_is_removed_too() {
    let uniform = resample(&record(every(100.0, 6.0), |time| (TAU * 40.0 * time).sin()), 50.0).unwrap();
    assert!(worst(&uniform, |_| 0.0) < 0.1);
}

#[test]
fn at_20_hz_rows_are_interpolated_not_held() {
    let signal = |time: f64| 3.0 * (time - 100.0);
    let uniform = resample(&record(every(20.0, 4.0), signal), 50.0).unwrap();
    assert_eq!(uniform.acceleration.len(), 201);
    assert!(worst(&uniform, signal) < 1e-4, "{}", worst(&uniform, signal));
}

#[test]
fn at_the_models_rate_readings_pass_unchanged() {
    let samples = record(every(50.0, 4.0), |time| (time * 12.9898).sin() * 40.0);
    let uniform = resample(&samples, 50.0).unwrap();
    assert_eq!(uniform.acceleration, samples.acceleration);
    assert_eq!(uniform.rotation_rate, samples.rotation_rate);
}

proptest! {
    #[test]
    fn jitter_of_the_time_stamps_does_not_bend_the_signal(
        jitter in prop::collection::vec(-0.4f64..0.4, 801),
        rate in prop::sample::select(vec![50.0, 60.0, 100.0, 200.0]),
    ) {
        let signal = |time: f64| (TAU * 1.8 * time).sin();
        let times = (0..jitter.len()).map(|row| 100.0 + (row as f64 + jitter[row]) / rate);
        let uniform = resample(&record(times, signal), 50.0).unwrap();
        // Straight lines over gaps of up to 1.8 intervals at 50 Hz leave up to 2 % of this signal, smoothing as much again.
        prop_assert!(worst(&uniform, signal) < 0.04, "{}", worst(&uniform, signal));
    }

    #[test]
    fn any_readings_give_rows_or_an_error(
        rows in prop::collection::vec((-1e3f64..1e3, prop::array::uniform3(any::<f32>()), any::<f32>()), 0..60),
        sorted in any::<bool>(),
    ) {
        let mut times: Vec<f64> = rows.iter().map(|row| row.0).collect();
        if sorted {
            times.sort_by(f64::total_cmp);
        }
        let mut samples = Samples::default();
        for (time, row) in times.iter().zip(&rows) {
            samples.push(*time, row.1, [row.2; 3]);
        }
        if let Ok(uniform) = resample(&samples, 50.0) {
            prop_assert_eq!(uniform.acceleration.len(), uniform.rotation_rate.len());
            prop_assert!(uniform.acceleration.iter().flatten().all(|value| !value.is_infinite()));
        }
    }
}

#[test]
fn bursts_of_readings_do_not_outvote_the_others() {
    // Two readings at nearly the same time, then a pause: their mean must not be pulled towards the pairs.
    let times = (0..1000).flat_map(|pair| [100.0 + pair as f64 / 100.0, 100.0005 + pair as f64 / 100.0]);
    let signal = |time: f64| (TAU * 3.0 * time).sin();
    let uniform = resample(&record(times, signal), 50.0).unwrap();
    assert!(worst(&uniform, signal) < 0.03, "{}", worst(&uniform, signal));
}

#[test]
fn a_gap_is_marked_and_nothing_else() {
    for rate in [50.0, 200.0] {
        let times = every(rate, 6.0).filter(|time| !(102.0 < *time && *time < 102.5));
        let uniform = resample(&record(times, |_| 9.81), 50.0).unwrap();
        for (row, vector) in uniform.acceleration.iter().enumerate() {
            let inside = (101..=124).contains(&row);
            assert_eq!(vector[0].is_nan(), inside, "row {row}");
            assert_eq!(uniform.rotation_rate[row][0].is_nan(), inside, "row {row}");
            if !inside {
                assert!((vector[0] - 9.81).abs() < 1e-4, "row {row}: {}", vector[0]);
            }
        }
    }
}

#[test]
fn a_short_pause_is_bridged() {
    let times = every(50.0, 6.0).filter(|time| !(102.0 < *time && *time < 102.2));
    let uniform = resample(&record(times, |time| time), 50.0).unwrap();
    assert!(worst(&uniform, |time| time) < 1e-3);
}

#[test]
fn nan_and_infinite_readings_count_as_missing() {
    let mut samples = record(every(50.0, 6.0), |_| 2.0);
    samples.acceleration[100][1] = f32::NAN;
    samples.acceleration[150][2] = f32::INFINITY;
    samples.rotation_rate[200..240].fill([f32::NEG_INFINITY; 3]);
    let uniform = resample(&samples, 50.0).unwrap();
    assert_eq!(uniform.acceleration, vec![[2.0; 3]; 301], "single readings are interpolated across");
    let missing = uniform.rotation_rate.iter().filter(|vector| vector[0].is_nan()).count();
    assert_eq!(missing, 40, "a longer stretch is a gap of that sensor alone");
}

#[test]
fn a_missing_gyroscope_leaves_acceleration_alone() {
    let mut samples = record(every(50.0, 4.0), |time| time);
    samples.rotation_rate.fill([f32::NAN; 3]);
    let uniform = resample(&samples, 50.0).unwrap();
    assert!(uniform.acceleration.iter().flatten().all(|value| value.is_finite()));
    assert!(uniform.rotation_rate.iter().flatten().all(|value| value.is_nan()));
}

#[test]
fn sensors_that_report_in_turn_are_both_used() {
    let mut samples = Samples::default();
    for row in 0..600 {
        let missing = [f32::NAN; 3];
        let (acceleration, rotation_rate) =
            if row % 2 == 0 { ([1.0; 3], missing) } else { (missing, [2.0; 3]) };
        samples.push(f64::from(row) / 100.0, acceleration, rotation_rate);
    }
    let uniform = resample(&samples, 50.0).unwrap();
    assert_eq!(uniform.acceleration[10..290], vec![[1.0; 3]; 280]);
    assert_eq!(uniform.rotation_rate[10..290], vec![[2.0; 3]; 280]);
}

#[test]
fn two_rows_of_one_time_are_one_reading() {
    let mut samples = Samples::default();
    for row in 0..200 {
        let time = f64::from(row) / 50.0;
        samples.push(time, [1.0; 3], [f32::NAN; 3]);
        samples.push(time, [f32::NAN; 3], [2.0; 3]);
        samples.push(time, [7.0; 3], [7.0; 3]);
    }
    let uniform = resample(&samples, 50.0).unwrap();
    assert_eq!(uniform.acceleration, vec![[1.0; 3]; 200]);
    assert_eq!(uniform.rotation_rate, vec![[2.0; 3]; 200]);
}

#[track_caller]
fn refused(samples: &Samples, kind: ErrorKind, says: &str) {
    let error = resample(samples, 50.0).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(!error.hint().is_empty());
}

#[test]
fn bad_recordings_are_refused_with_a_reason() {
    refused(&Samples::default(), ErrorKind::TooFewSamples, "no readings");
    refused(&record([1.0], |_| 0.0), ErrorKind::TooFewSamples, "only one reading");
    refused(&record(every(5.0, 10.0), |_| 0.0), ErrorKind::Rate, "5.0 times a second");
    refused(&record(every(14.0, 10.0), |_| 0.0), ErrorKind::Rate, "14.0 times a second");
    assert!(resample(&record(every(15.0, 10.0), |_| 0.0), 50.0).is_ok());
    refused(&record([1.0, 1.02, 1.01, 1.04], |_| 0.0), ErrorKind::Clock, "reading 3: 1.01 s after 1.02 s");
    refused(&record([1.0, f64::NAN, 1.01], |_| 0.0), ErrorKind::Clock, "reading 2 is NaN");
    refused(&record([f64::NEG_INFINITY, 1.01], |_| 0.0), ErrorKind::Clock, "reading 1 is -inf");
    refused(&record(every(50.0, 4.0), |_| f64::NAN), ErrorKind::MissingChannel, "no acceleration");
    // Milliseconds taken for seconds.
    refused(&record((0..500).map(|row| f64::from(row) * 20.0), |_| 0.0), ErrorKind::Rate, "less than twice");
    refused(&record([0.0, 0.02, 1e12], |_| 0.0), ErrorKind::Clock, "unit of the time stamps");
    let mut uneven = record(every(50.0, 4.0), |_| 0.0);
    uneven.rotation_rate.pop();
    refused(&uneven, ErrorKind::InvalidInput, "200 rotation rates");
    for rate in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = resample(&record(every(50.0, 4.0), |_| 0.0), rate).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
