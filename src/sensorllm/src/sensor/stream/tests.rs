//! Tests of the stream: the same windows as from the whole recording, soon, with bounded memory, across bad clocks.

use proptest::prelude::*;

use super::*;
use crate::{error::ErrorKind, sensor::windows};

fn missing() -> [f32; 3] {
    [f32::NAN; 3]
}

/// A made-up reading: some movement, unlike at any other time.
fn reading(seconds: f64) -> ([f32; 3], [f32; 3]) {
    let wave = |rate: f64| (seconds * rate).sin() as f32;
    ([2.0 * wave(11.0), wave(23.0), 9.81 + 3.0 * wave(11.5)], [wave(7.0), wave(29.0), 0.3 * wave(3.0)])
}

fn record(times: impl IntoIterator<Item = f64>) -> Samples {
    let mut samples = Samples::default();
    for seconds in times {
        let (acceleration, rotation_rate) = reading(seconds);
        samples.push(seconds, acceleration, rotation_rate);
    }
    samples
}

fn part(samples: &Samples, rows: std::ops::Range<usize>) -> Samples {
    Samples {
        seconds: samples.seconds[rows.clone()].to_vec(),
        acceleration: samples.acceleration[rows.clone()].to_vec(),
        rotation_rate: samples.rotation_rate[rows].to_vec(),
    }
}

fn every(rate: f64, seconds: f64) -> impl Iterator<Item = f64> {
    (0..=(rate * seconds).round() as usize).map(move |row| 100.0 + row as f64 / rate)
}

fn same(a: &Window, b: &Window) -> bool {
    let close = |a: &[[f32; 3]], b: &[[f32; 3]]| {
        a.len() == b.len()
            && a.iter()
                .flatten()
                .zip(b.iter().flatten())
                .all(|(a, b)| (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-4)
    };
    (a.start_seconds - b.start_seconds).abs() < 1e-9
        && (a.end_seconds - b.end_seconds).abs() < 1e-9
        && close(&a.acceleration, &b.acceleration)
        && close(&a.rotation_rate, &b.rotation_rate)
}

/// Times with jitter, pauses short and long, and sensors that miss readings.
fn recording() -> impl Strategy<Value = Samples> {
    let rate = prop::sample::select(vec![30.0_f64, 50.0, 60.0, 75.0, 100.0, 250.0]);
    let steps = prop::collection::vec((0.5f64..1.5, 0u32..400, 0u32..10), 300..1500);
    (rate, steps, 0u32..4).prop_map(|(rate, steps, gyroscope)| {
        let mut samples = Samples::default();
        let mut seconds = 1.7e3;
        for (step, pause, lack) in steps {
            seconds += step / rate
                + match pause {
                    0 => 2.5,
                    1 => 0.6,
                    2 => 0.2,
                    _ => 0.0,
                };
            let (acceleration, rotation_rate) = reading(seconds);
            samples.push(
                seconds,
                if lack == 0 { missing() } else { acceleration },
                if gyroscope == 0 || lack == 1 || (gyroscope == 1 && pause > 20) {
                    missing()
                } else {
                    rotation_rate
                },
            );
        }
        samples
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_split_into_pushes_gives_the_windows_of_the_whole(
        samples in recording(),
        pushes in prop::collection::vec(0usize..150, 1..60),
        hop in prop::sample::select(vec![32_usize, 64, 128, 150]),
    ) {
        let config = WindowConfig { hop, ..WindowConfig::default() };
        let whole = windows(&samples, &config).unwrap_or_default();
        let mut stream = WindowStream::new(config).unwrap();
        let mut live = Vec::new();
        let mut row = 0;
        for push in pushes {
            let end = (row + push).min(samples.len());
            live.extend(stream.push(&part(&samples, row..end)).unwrap());
            row = end;
        }
        live.extend(stream.push(&part(&samples, row..samples.len())).unwrap());
        live.extend(stream.finish());
        prop_assert_eq!(whole.len(), live.len());
        for (index, (whole, live)) in whole.iter().zip(&live).enumerate() {
            prop_assert!(same(whole, live), "window {index} at {} and {}", whole.start_seconds, live.start_seconds);
        }
    }

    #[test]
    fn no_readings_make_it_panic(
        rows in prop::collection::vec((any::<f64>(), -10.0f64..10.0, any::<f32>()), 0..200),
        wild in any::<bool>(),
    ) {
        let mut stream = WindowStream::new(WindowConfig { length: 8, hop: 4, ..WindowConfig::default() }).unwrap();
        for (any, near, value) in rows {
            let mut samples = Samples::default();
            samples.push(if wild { any } else { near }, [value; 3], [value; 3]);
            if let Ok(windows) = stream.push(&samples) {
                prop_assert!(windows.iter().all(|window| window.acceleration.len() == 8));
            }
        }
        stream.finish();
    }
}

/// Seconds from a window's last row to the reading that delivers it, for each window of a recording pushed row by
/// row.
fn delays(samples: &Samples) -> Vec<f64> {
    let mut stream = WindowStream::new(WindowConfig::default()).unwrap();
    let mut delays = Vec::new();
    for row in 0..samples.len() {
        for window in stream.push(&part(samples, row..row + 1)).unwrap() {
            delays.push(samples.seconds[row] - (window.end_seconds - 0.02));
        }
    }
    delays
}

#[test]
fn windows_come_as_soon_as_they_are_full() {
    for (rate, most) in [(50.0, 0.021), (60.0, 0.021), (100.0, 0.125), (500.0, 0.125)] {
        let samples = record(every(rate, 20.0));
        let delays = delays(&samples);
        assert!(delays.len() >= 13, "{rate} Hz: {}", delays.len());
        assert!(delays.iter().all(|delay| *delay < most), "{rate} Hz: {delays:?}");
    }
}

#[test]
fn without_a_gyroscope_windows_come_as_soon() {
    let mut samples = record(every(50.0, 20.0));
    samples.rotation_rate.fill(missing());
    let delays = delays(&samples);
    assert!(delays.len() >= 13);
    assert!(delays.iter().all(|delay| *delay < 0.041), "{delays:?}");
}

#[test]
fn a_gyroscope_that_stops_holds_windows_up_for_a_moment_only() {
    let mut samples = record(every(50.0, 20.0));
    samples.rotation_rate[3..].fill(missing());
    let delays = delays(&samples);
    assert!(delays.len() >= 13);
    // Until its rate is given up on, five seconds after its first reading, then for the length of a gap.
    assert!(delays[4..].iter().all(|delay| *delay < 0.4), "{delays:?}");
}

#[test]
fn an_hour_takes_no_more_memory_than_a_minute() {
    let mut stream = WindowStream::new(WindowConfig::default()).unwrap();
    let size = |stream: &WindowStream| {
        let grid = stream.grid.as_ref().unwrap();
        format!("{grid:?}").len() + grid.rows.acceleration.capacity() * 24
    };
    let mut at_a_minute = 0;
    for seconds in 0..3600 {
        stream.push(&record((0..50).map(|row| f64::from(seconds) + f64::from(row) / 50.0))).unwrap();
        if seconds == 60 {
            at_a_minute = size(&stream);
        }
    }
    assert!(size(&stream) < 2 * at_a_minute, "{} {at_a_minute}", size(&stream));
}

#[test]
fn a_clock_that_jumps_back_starts_over() {
    let mut stream = WindowStream::new(WindowConfig::default()).unwrap();
    let mut found = stream.push(&record(every(50.0, 4.0))).unwrap();
    found.extend(stream.push(&record(every(50.0, 4.0).map(|seconds| seconds - 90.0))).unwrap());
    found.extend(stream.finish());
    let starts: Vec<f64> = found.iter().map(|window| window.start_seconds).collect();
    assert_eq!(starts.len(), 4, "{starts:?}");
    assert!((starts[1] - 101.28).abs() < 1e-9 && (starts[2] - 10.0).abs() < 1e-9, "{starts:?}");
}

#[test]
fn late_and_repeated_readings_are_dropped() {
    let samples = record(every(50.0, 10.0));
    let mut stream = WindowStream::new(WindowConfig::default()).unwrap();
    let mut found = Vec::new();
    for row in 0..samples.len() {
        found.extend(stream.push(&part(&samples, row..row + 1)).unwrap());
        // The same reading again, and one from a little earlier with nonsense in it.
        found.extend(stream.push(&part(&samples, row..row + 1)).unwrap());
        let mut late = Samples::default();
        late.push(samples.seconds[row] - 0.03, [500.0; 3], [500.0; 3]);
        found.extend(stream.push(&late).unwrap());
    }
    found.extend(stream.finish());
    let whole = windows(&samples, &WindowConfig::default()).unwrap();
    assert_eq!(found.len(), whole.len());
    assert!(found.iter().zip(&whole).all(|(a, b)| same(a, b)));
}

#[test]
fn no_window_bridges_a_long_pause() {
    let times: Vec<f64> = every(50.0, 12.0).filter(|time| !(104.0 < *time && *time < 107.0)).collect();
    let samples = record(times);
    for window in windows(&samples, &WindowConfig::default()).unwrap() {
        assert!(window.end_seconds < 104.1 || window.start_seconds > 106.9, "{}", window.start_seconds);
    }
}

#[test]
fn a_slow_accelerometer_is_an_error_and_a_faster_one_helps() {
    let mut stream = WindowStream::new(WindowConfig::default()).unwrap();
    let error = stream.push(&record(every(5.0, 4.0))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rate);
    let faster = record(every(50.0, 4.0).map(|seconds| seconds + 10.0));
    assert_eq!(stream.push(&faster).unwrap().len(), 2);
}

#[test]
fn unusable_pushes_leave_the_stream_as_it_was() {
    let mut stream = WindowStream::new(WindowConfig::default()).unwrap();
    let samples = record(every(50.0, 4.0));
    let mut found = stream.push(&part(&samples, 0..100)).unwrap();
    assert_eq!(stream.push(&record([f64::NAN])).unwrap_err().kind(), ErrorKind::Clock);
    let uneven = Samples { seconds: vec![102.0], ..Samples::default() };
    assert_eq!(stream.push(&uneven).unwrap_err().kind(), ErrorKind::InvalidInput);
    found.extend(stream.push(&part(&samples, 100..samples.len())).unwrap());
    found.extend(stream.finish());
    assert_eq!(found.len(), 2);
}
