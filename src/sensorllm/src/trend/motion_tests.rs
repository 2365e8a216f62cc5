//! On recordings of people: the facts are plausible, and every answer is true.

use std::path::Path;

use super::{Activity, Facts, Family, Movement, check, exchange, parse};
use crate::sensor::{STANDARD_GRAVITY, Window};

/// Windows of `rows` rows of the sample of MotionSense that is in the repository, with what the person does.
fn windows(rows: usize) -> Vec<(String, Window)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/motionsense"));
    let segments = std::fs::read_to_string(folder.join("segments.csv")).unwrap();
    let mut windows = Vec::new();
    for line in segments.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let content = std::fs::read(folder.join(format!("{}.npy", fields[0]))).unwrap();
        // Version 1 of the format: magic, version, length of the header, header, little-endian values.
        let values = &content[10 + usize::from(u16::from_le_bytes([content[8], content[9]]))..];
        let value = |row: usize, column: usize| {
            let at = 2 * (9 * row + column);
            f32::from(i16::from_le_bytes([values[at], values[at + 1]]))
        };
        let (start, end): (usize, usize) = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
        for from in (start..end - rows).step_by(rows) {
            let acceleration = (from..from + rows).map(|row| {
                std::array::from_fn(|axis| {
                    -STANDARD_GRAVITY * (6.103_515_6e-5 * value(row, axis) + 2.5e-4 * value(row, axis + 6))
                })
            });
            let rotation_rate =
                (from..from + rows).map(|row| std::array::from_fn(|axis| 6.25e-4 * value(row, axis + 3)));
            windows.push((
                fields[5].to_owned(),
                Window {
                    start_seconds: 0.0,
                    end_seconds: rows as f64 / 50.0,
                    acceleration: acceleration.collect(),
                    rotation_rate: rotation_rate.collect(),
                },
            ));
        }
    }
    windows
}

fn facts(label: &str, window: &Window) -> Facts {
    let seconds = window.end_seconds;
    let activity = Activity { label: label.to_owned(), confidence: 0.93, start: 0.0, end: seconds };
    Facts::of(window, 50.0, &[activity])
}

#[test]
fn answers_about_people_are_true() {
    for (index, (label, window)) in windows(128).iter().enumerate() {
        let facts = facts(label, window);
        for family in Family::ALL {
            let seed = 100 * index as u64 + family as u64;
            let exchange = exchange(&facts, family, seed);
            let text = exchange.rendered().unwrap();
            let truth = check(&parse(&text), &facts);
            assert!(truth.wrong.is_empty(), "{label}: {}\n{text}\n{:#?}", exchange.sheet.text, truth.wrong);
        }
    }
}

#[test]
fn facts_about_people_are_plausible() {
    let windows = windows(256);
    let share = |label: &str, holds: &dyn Fn(&Facts) -> bool| {
        let of: Vec<_> = windows.iter().filter(|(known, _)| known == label).collect();
        of.iter().filter(|(label, window)| holds(&facts(label, window))).count() as f64 / of.len() as f64
    };
    let pace = |range: std::ops::Range<f64>| {
        move |facts: &Facts| facts.steps_per_minute.is_some_and(|pace| range.contains(&pace))
    };
    assert!(share("walking", &pace(90.0..135.0)) > 0.9);
    assert!(share("running", &pace(130.0..190.0)) > 0.9);
    for label in ["walking_upstairs", "walking_downstairs"] {
        assert!(share(label, &pace(80.0..130.0)) > 0.8, "{label}");
    }
    for label in ["sitting", "standing"] {
        assert!(share(label, &|facts| facts.steps_per_minute.is_none()) > 0.95, "{label}");
        assert!(share(label, &|facts| facts.movement <= Some(Movement::Slight)) > 0.8, "{label}");
        assert!(share(label, &|facts| facts.attitude.is_some()) == 1.0, "{label}");
    }
    assert!(share("walking", &|facts| facts.movement >= Some(Movement::Clear)) > 0.9);
}
