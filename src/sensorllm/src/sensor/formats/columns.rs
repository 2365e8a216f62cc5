//! What the name of a column says: which quantity, which axis, which unit.

use csv::StringRecord;

use super::TimeUnit;
use crate::sensor::{AccelerationUnit, RotationUnit};

/// What three columns measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Acceleration including gravity, by its name.
    Total,
    /// Acceleration; the name leaves open whether gravity is in it.
    Acceleration,
    /// Acceleration without gravity, by its name.
    User,
    /// Gravity alone.
    Gravity,
    /// Rotation rate.
    Rotation,
}

/// Three columns of one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Triple {
    pub quantity: Quantity,
    /// Indices of the x, y and z columns.
    pub columns: [usize; 3],
    pub acceleration_unit: Option<AccelerationUnit>,
    pub rotation_unit: Option<RotationUnit>,
}

/// The column that holds the time, and its unit if the name says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Time {
    pub column: usize,
    pub unit: Option<TimeUnit>,
}

/// Whether these are the columns of the app Sensor Logger, whose accelerometer is without gravity.
pub(super) fn is_sensor_logger(headers: &StringRecord) -> bool {
    headers.iter().any(|header| header == "seconds_elapsed")
}

/// The time column, the surest name first.
pub(super) fn time(headers: &StringRecord) -> Option<Time> {
    let mut best: Option<(u8, Time)> = None;
    for (column, header) in headers.iter().enumerate() {
        let name = Name::of(header);
        let unit = name.unit.as_deref().and_then(|unit| unit.parse().ok());
        // A unit that is none of time's is that of something else, or of time in words.
        if name.unit.is_some() && unit.is_none() {
            continue;
        }
        let mut words = name.words;
        let unit = unit.or_else(|| {
            let unit = words.last()?.parse().ok()?;
            words.pop();
            Some(unit)
        });
        let (score, unit) = match words.concat().as_str() {
            "secondselapsed" => (3, Some(TimeUnit::Seconds)),
            "time" | "timestamp" | "t" | "elapsed" | "timeelapsed" | "elapsedtime" | "sensortime" => {
                (2, unit)
            }
            "" if unit.is_some() => (2, unit),
            other if other.starts_with("time") || other.contains("timestamp") => (1, unit),
            _ => continue,
        };
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, Time { column, unit }));
        }
    }
    best.map(|(_, time)| time)
}

/// The quantities of a table, at most one triple of each. `file` tells what columns named only `x`, `y`, `z` are.
pub(super) fn triples(headers: &StringRecord, file: &str) -> Vec<Triple> {
    let mut found: Vec<(Quantity, [Option<usize>; 3], Option<String>)> = Vec::new();
    let sensor_logger = is_sensor_logger(headers);
    for (column, header) in headers.iter().enumerate() {
        let Some((quantity, axis, unit)) = axis_of(header, file, sensor_logger) else {
            continue;
        };
        let index = found.iter().position(|known| known.0 == quantity).unwrap_or_else(|| {
            found.push((quantity, [None; 3], unit));
            found.len() - 1
        });
        found[index].1[axis].get_or_insert(column);
    }
    found
        .into_iter()
        .filter_map(|(quantity, columns, unit)| {
            let [Some(x), Some(y), Some(z)] = columns else {
                return None;
            };
            let unit = unit.as_deref();
            Some(Triple {
                quantity,
                columns: [x, y, z],
                acceleration_unit: unit.and_then(|unit| unit.parse().ok()),
                rotation_unit: unit.and_then(|unit| unit.parse().ok()),
            })
        })
        .collect()
}

fn axis_of(header: &str, file: &str, sensor_logger: bool) -> Option<(Quantity, usize, Option<String>)> {
    let mut name = Name::of(header);
    let is_axis = |word: &String| matches!(word.as_str(), "x" | "y" | "z");
    if name.unit.is_none()
        && name.words.len() > 1
        && let Some(last) = name.words.last()
        && !is_axis(last)
        && (last.parse::<AccelerationUnit>().is_ok() || last.parse::<RotationUnit>().is_ok())
    {
        name.unit = name.words.pop();
    }
    name.words.retain(|word| word != "axis");
    let axis;
    if let Some(position) = name.words.iter().position(is_axis) {
        axis = name.words.remove(position);
    } else {
        axis = name.words.last_mut()?.pop()?.to_string();
    }
    let axis = ["x", "y", "z"].iter().position(|known| *known == axis)?;
    let stem = name.words.concat();
    let stem = if stem.is_empty() { stem_of_file(file) } else { stem };
    let quantity = match quantity(&stem)? {
        // By its name that app's accelerometer is without gravity; without a name, its size will tell.
        Quantity::Acceleration if sensor_logger && !stem.is_empty() => Quantity::User,
        quantity => quantity,
    };
    Some((quantity, axis, name.unit))
}

/// Sensors and derived values whose axes are not those sought.
const OTHERS: [&str; 13] = [
    "uncal",
    "magnet",
    "orient",
    "attitude",
    "quat",
    "euler",
    "vector",
    "bias",
    "wrist",
    "watch",
    "headphone",
    "baro",
    "compass",
];

fn quantity(stem: &str) -> Option<Quantity> {
    let has = |words: &[&str]| words.iter().any(|word| stem.contains(word));
    if has(&OTHERS) {
        None
    } else if has(&["gyr", "rotation", "angular", "omega"]) || matches!(stem, "g" | "w") {
        Some(Quantity::Rotation)
    } else if has(&["includinggravity", "withgravity", "total"]) {
        Some(Quantity::Total)
    } else if has(&["linear", "user", "withoutg", "nograv", "lacc", "bodyacc"]) {
        Some(Quantity::User)
    } else if has(&["grav"]) {
        Some(Quantity::Gravity)
    } else if has(&["acc"]) || matches!(stem, "a" | "") {
        Some(Quantity::Acceleration)
    } else {
        None
    }
}

/// The name of a file as the name of its columns; empty when it names no sensor.
fn stem_of_file(file: &str) -> String {
    let name = file.to_lowercase();
    let name = name.strip_suffix(".csv").unwrap_or(&name);
    let stem: String = name.chars().filter(|character| character.is_alphanumeric()).collect();
    let is_sensor = quantity(&stem).is_some() || OTHERS.iter().any(|other| stem.contains(other));
    if is_sensor { stem } else { String::new() }
}

/// A column's name in lower-case words, and the unit that stands in brackets behind it.
struct Name {
    words: Vec<String>,
    unit: Option<String>,
}

impl Name {
    fn of(header: &str) -> Self {
        let (name, unit) = match header.split_once(['(', '[']) {
            Some((name, rest)) => (name, Some(rest.trim_end_matches([')', ']', ' ']).to_owned())),
            None => (header, None),
        };
        let name = name.to_lowercase();
        let words = name.split(|character: char| !character.is_alphanumeric());
        Self { words: words.filter(|word| !word.is_empty()).map(str::to_owned).collect(), unit }
    }
}
