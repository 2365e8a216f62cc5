//! Recordings that are not as they should be: each is answered, or refused with a reason.

use super::support::{Reading, classify, csv, failure, json, recording, share};

fn walking() -> Vec<Reading> {
    recording("s12", "wlk_7")
}

/// What classifying says, which must mention each of `words`.
fn refused(csv: &str, words: &[&str]) {
    let message = failure(&mut classify(csv, &[])).to_lowercase();
    assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message}");
    assert!(message.contains("standard input"), "the recording is named: {message}");
}

#[test]
fn an_empty_file() {
    refused("", &["empty"]);
}

#[test]
fn a_header_without_rows() {
    refused(&csv(&[]), &["row"]);
}

#[test]
fn one_row() {
    refused(&csv(&walking()[..1]), &["reading"]);
}

#[test]
fn less_than_a_window() {
    refused(&csv(&walking()[..100]), &["2.56 s"]);
}

#[test]
fn a_clock_that_runs_backwards() {
    let mut readings = walking();
    readings[700].0 = 3.0;
    refused(&csv(&readings), &["backwards"]);
}

#[test]
fn nothing_but_nan() {
    let readings: Vec<Reading> =
        walking().into_iter().map(|(t, _, _)| (t, [f64::NAN; 3], [f64::NAN; 3])).collect();
    refused(&csv(&readings), &["acceleration"]);
}

#[test]
fn five_hertz() {
    let readings: Vec<Reading> = walking().into_iter().step_by(10).collect();
    refused(&csv(&readings), &["5", "hz"]);
}

#[test]
fn a_table_without_acceleration() {
    refused("time (s),temperature\n0,20\n0.02,20\n", &["acceleration"]);
}

#[test]
fn a_cell_that_is_no_number_is_named() {
    let text = csv(&walking()).replacen("\n0.02,", "\nsoon,", 1);
    refused(&text, &["soon", "3"]);
}

#[test]
fn some_nan_and_infinite_rows_are_bridged() {
    let mut readings = walking();
    for row in (0..readings.len()).step_by(9) {
        readings[row].1 = [f64::NAN, 0.0, 0.0];
        readings[row].2 = [0.0, f64::INFINITY, 0.0];
    }
    assert!(share(&json(&mut classify(&csv(&readings), &[])), "walking") >= 0.9);
}

#[test]
fn five_hundred_hertz() {
    // Ten readings for one, in between by straight lines.
    let readings = walking();
    let mut dense = Vec::new();
    for pair in readings.windows(2) {
        for step in 0..10 {
            let part = f64::from(step) / 10.0;
            let mix = |a: f64, b: f64| a + part * (b - a);
            let axes = [0, 1, 2];
            dense.push((
                mix(pair[0].0, pair[1].0),
                axes.map(|axis| mix(pair[0].1[axis], pair[1].1[axis])),
                axes.map(|axis| mix(pair[0].2[axis], pair[1].2[axis])),
            ));
        }
    }
    assert!(share(&json(&mut classify(&csv(&dense), &[])), "walking") >= 0.9);
}

#[test]
fn a_missing_gyroscope() {
    let mut text = "time (s),acc_x (m/s^2),acc_y (m/s^2),acc_z (m/s^2)\n".to_owned();
    for (seconds, [x, y, z], _) in recording("s12", "jog_9") {
        text += &format!("{seconds},{x},{y},{z}\n");
    }
    assert!(share(&json(&mut classify(&text, &[])), "running") >= 0.9, "acceleration alone is enough to run");
}

#[test]
fn a_pause_is_left_out() {
    let mut readings = walking();
    for reading in &mut readings[1000..] {
        reading.0 += 30.0;
    }
    let answer = json(&mut classify(&csv(&readings), &[]));
    for window in answer["windows"].as_array().expect("windows") {
        let (start, end) = (window["start"].as_f64().expect("start"), window["end"].as_f64().expect("end"));
        assert!(end <= 20.0 + 0.65 || start >= 50.0 - 0.65, "a window from {start} to {end} spans the pause");
    }
}
