//! From the tables of one recording to readings in canonical units and signs.

use super::{
    CsvFile, CsvOptions, TimeUnit,
    columns::{self, Quantity, Triple},
    table::Table,
};
use crate::{
    error::{Error, ErrorKind, Result},
    sensor::{AccelerationUnit, RotationUnit, Samples},
};

const MISSING: [f32; 3] = [f32::NAN; 3];
/// A median length of the acceleration from here on (m/s²) has gravity in it. Without gravity, walking has about 2.
const WITH_GRAVITY: f32 = 5.0;
/// Median lengths that are taken for gravity in g when no unit is given.
const GRAVITY_IN_G: std::ops::RangeInclusive<f32> = 0.7..=1.6;
/// Gravity is not carried further than this to a reading of acceleration without it.
const GRAVITY_SECONDS: f64 = 1.0;

/// Reads the CSV text of a phone recording, see [`formats`](super). A missing gyroscope gives NaN rotation rates.
/// Times are in seconds from the recording's own origin and are not checked for running backwards:
/// [`windows`](crate::sensor::windows) does that.
///
/// # Errors
/// `InvalidInput` for an empty file, a header without a time column, a cell that is not a number (named by line and
/// column) or an acceleration whose unit cannot be told; `MissingChannel` without acceleration, or with acceleration
/// from which gravity was removed; `TooFewSamples` for a header without rows.
pub fn parse_recording(text: &str, options: &CsvOptions) -> Result<Samples> {
    parse_recording_files(&[CsvFile { name: "", text }], options)
}

/// [`parse_recording`] of a recording that is spread over several files, one per sensor. Files of other sensors are
/// passed over.
///
/// # Errors
/// As [`parse_recording`], with the name of the file at fault.
pub fn parse_recording_files(files: &[CsvFile<'_>], options: &CsvOptions) -> Result<Samples> {
    let mut tracks: Vec<Track> = Vec::new();
    let mut inverted = false;
    let mut headers = Vec::new();
    for file in files {
        let name = file.name.rsplit(['/', '\\']).next().unwrap_or(file.name);
        // Sensor Logger leaves files of silent sensors empty.
        if files.len() > 1 && file.text.trim_start_matches('\u{feff}').trim().is_empty() {
            continue;
        }
        let mut table = Table::open(name, file.text)?;
        if name.eq_ignore_ascii_case("metadata.csv") {
            inverted |= is_unstandardised_ios(&mut table);
            continue;
        }
        headers.extend(table.headers.iter().map(str::to_owned));
        tracks.extend(read(&mut table, name, options)?);
    }
    if tracks.is_empty() {
        return Err(Error::new(
            ErrorKind::MissingChannel,
            format!("there is no acceleration among the columns {}", listed(&headers)),
            "name its columns acc_x, acc_y and acc_z",
        ));
    }
    let acceleration = acceleration(&tracks, options)?;
    let rotation_rate = tracks.iter().find(|track| track.triple.quantity == Quantity::Rotation);
    let rotation_rate = rotation_rate.map(|track| {
        let unit = options.rotation_unit.or(track.triple.rotation_unit);
        let unit = unit.or(track.sensor_logger.then_some(RotationUnit::RadiansPerSecond));
        let unit = unit.or(options.convention.map(|convention| convention.rotation_unit()));
        let factor = unit.unwrap_or(RotationUnit::RadiansPerSecond).factor();
        (track.seconds.as_slice(), track.scaled(factor))
    });
    let inverted = options.convention.map_or(inverted, |convention| convention.inverts_acceleration());
    let sign = if inverted { -1.0 } else { 1.0 };
    let acceleration_values: Vec<[f32; 3]> =
        acceleration.1.iter().map(|vector| vector.map(|value| sign * value)).collect();
    let samples = match rotation_rate {
        None => {
            let rotation_rate = vec![MISSING; acceleration_values.len()];
            Samples { seconds: acceleration.0.to_vec(), acceleration: acceleration_values, rotation_rate }
        }
        Some((seconds, values)) => merge(acceleration.0, &acceleration_values, seconds, &values),
    };
    if samples.is_empty() {
        return Err(Error::new(
            ErrorKind::TooFewSamples,
            "there are names of columns, but no rows",
            "record a few seconds of motion",
        ));
    }
    Ok(samples)
}

/// One quantity's readings as the file has them.
struct Track {
    triple: Triple,
    sensor_logger: bool,
    seconds: Vec<f64>,
    values: Vec<[f32; 3]>,
}

impl Track {
    fn scaled(&self, factor: f32) -> Vec<[f32; 3]> {
        self.values.iter().map(|vector| vector.map(|value| factor * value)).collect()
    }

    /// Median length of the measured vectors, in the file's unit.
    fn median_length(&self) -> Option<f32> {
        let mut lengths: Vec<f32> = self
            .values
            .iter()
            .map(|vector| vector.iter().map(|value| value * value).sum::<f32>().sqrt())
            .filter(|length| length.is_finite())
            .collect();
        lengths.sort_by(f32::total_cmp);
        lengths.get(lengths.len() / 2).copied()
    }
}

/// The quantities of one table.
fn read(table: &mut Table<'_>, name: &str, options: &CsvOptions) -> Result<Vec<Track>> {
    let triples = columns::triples(&table.headers, name);
    if triples.is_empty() {
        return Ok(Vec::new());
    }
    let Some(time) = columns::time(&table.headers) else {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("none of the columns {} is the time", listed(&table.headers)),
            "name the time column `time`, with its unit: time (s), time (ms), time (us) or time (ns)",
        ));
    };
    let sensor_logger = columns::is_sensor_logger(&table.headers);
    let mut tracks: Vec<Track> = triples
        .iter()
        .map(|&triple| Track { triple, sensor_logger, seconds: Vec::new(), values: Vec::new() })
        .collect();
    let mut used = vec![time.column];
    used.extend(triples.iter().flat_map(|triple| triple.columns));
    let mut times = Vec::new();
    for row in table.rows(&used) {
        let (line, numbers) = row?;
        if !numbers[0].is_finite() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("line {line} has no time"),
                "give each row a time, or delete the row",
            ));
        }
        times.push(numbers[0]);
        for (track, values) in tracks.iter_mut().zip(numbers[1..].chunks(3)) {
            track.values.push(std::array::from_fn(|axis| values[axis] as f32));
        }
    }
    let unit = options.time_unit.or(time.unit).unwrap_or_else(|| time_unit(&times));
    for track in &mut tracks {
        track.seconds = times.iter().map(|time| time * unit.seconds()).collect();
    }
    Ok(tracks)
}

/// The unit in which a usual step between rows, from 0.5 ms to 0.5 s, has this size.
fn time_unit(times: &[f64]) -> TimeUnit {
    let mut steps: Vec<f64> =
        times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0).collect();
    steps.sort_by(f64::total_cmp);
    match steps.get(steps.len() / 2) {
        Some(step) if *step >= 5e5 => TimeUnit::Nanoseconds,
        Some(step) if *step >= 5e2 => TimeUnit::Microseconds,
        Some(step) if *step >= 0.5 => TimeUnit::Milliseconds,
        _ => TimeUnit::Seconds,
    }
}

/// Times and acceleration including gravity in m/s², in the signs of the recording.
fn acceleration<'t>(tracks: &'t [Track], options: &CsvOptions) -> Result<(&'t [f64], Vec<[f32; 3]>)> {
    let find = |quantity| tracks.iter().find(|track| track.triple.quantity == quantity);
    let given = |track: &Track| {
        let unit = options.acceleration_unit.or(track.triple.acceleration_unit);
        let unit = unit.or(track.sensor_logger.then_some(AccelerationUnit::MetresPerSecondSquared));
        unit.or(options.convention.map(|convention| convention.acceleration_unit()))
    };
    let by_size = |track: &Track| match track.median_length() {
        Some(length) if length < WITH_GRAVITY => AccelerationUnit::StandardGravity,
        _ => AccelerationUnit::MetresPerSecondSquared,
    };
    let gravity = find(Quantity::Gravity);
    let mut user = find(Quantity::User);
    if let Some(track) = find(Quantity::Total).filter(|track| track.median_length().is_some()) {
        let unit = given(track).unwrap_or_else(|| by_size(track));
        return Ok((&track.seconds, track.scaled(unit.factor())));
    }
    if let Some(track) = find(Quantity::Acceleration) {
        let length = track.median_length();
        let unit = given(track).or(match length {
            Some(length) if GRAVITY_IN_G.contains(&length) && gravity.is_none() => {
                Some(AccelerationUnit::StandardGravity)
            }
            Some(length) if length < WITH_GRAVITY => None,
            _ => Some(AccelerationUnit::MetresPerSecondSquared),
        });
        let with_gravity = match (unit, length) {
            (Some(unit), Some(length)) => unit.factor() * length >= WITH_GRAVITY,
            (None, _) => false,
            // Nothing was measured: the recording as a whole is refused for that later.
            (_, None) => gravity.is_none(),
        };
        if with_gravity {
            let factor = unit.unwrap_or(AccelerationUnit::MetresPerSecondSquared).factor();
            return Ok((&track.seconds, track.scaled(factor)));
        }
        user = user.or(Some(track));
    }
    match (user, gravity) {
        (Some(user), Some(gravity)) => {
            let gravity_unit = given(gravity).unwrap_or_else(|| by_size(gravity));
            let user_unit = given(user).unwrap_or(gravity_unit);
            let gravity_values = gravity.scaled(gravity_unit.factor());
            let values = user.scaled(user_unit.factor());
            let summed = values.iter().zip(&user.seconds).map(|(value, &seconds)| {
                let gravity = interpolate(&gravity.seconds, &gravity_values, seconds);
                std::array::from_fn(|axis| value[axis] + gravity[axis])
            });
            Ok((&user.seconds, summed.collect()))
        }
        (Some(_), None) => Err(Error::new(
            ErrorKind::MissingChannel,
            "the recording has acceleration without gravity",
            "give the acceleration with gravity (Sensor Logger: TotalAcceleration.csv, or Accelerometer.csv together with \
             Gravity.csv; phyphox: Acceleration with g), or its unit if gravity is in it",
        )),
        (None, _) => Err(Error::new(
            ErrorKind::MissingChannel,
            "there is no acceleration in the recording",
            "name its columns acc_x, acc_y and acc_z",
        )),
    }
}

/// The vector at `time` among the measured ones, which lie in the order of time.
fn interpolate(seconds: &[f64], values: &[[f32; 3]], time: f64) -> [f32; 3] {
    let is_measured = |row: &usize| values[*row].iter().all(|value| value.is_finite());
    let split = seconds.partition_point(|&reading| reading < time);
    let near = |row: &usize| (seconds[*row] - time).abs() <= GRAVITY_SECONDS;
    let after = (split..seconds.len()).take_while(near).find(is_measured);
    let before = (0..split).rev().take_while(near).find(is_measured);
    match (before, after) {
        (Some(before), Some(after)) => {
            let share = (time - seconds[before]) / (seconds[after] - seconds[before]);
            std::array::from_fn(|axis| {
                let (a, b) = (values[before][axis], values[after][axis]);
                a + share as f32 * (b - a)
            })
        }
        (Some(row), None) | (None, Some(row)) => values[row],
        (None, None) => MISSING,
    }
}

/// Both sensors in the order of time, readings of the same time in one row.
fn merge(
    acceleration_seconds: &[f64],
    acceleration: &[[f32; 3]],
    rotation_seconds: &[f64],
    rotation_rate: &[[f32; 3]],
) -> Samples {
    let mut samples = Samples::default();
    let (mut a, mut r) = (0, 0);
    loop {
        let a_time = acceleration_seconds.get(a).copied();
        let r_time = rotation_seconds.get(r).copied();
        let Some(time) = a_time.into_iter().chain(r_time).min_by(f64::total_cmp) else {
            return samples;
        };
        let mut row = [MISSING; 2];
        if a_time == Some(time) {
            row[0] = acceleration[a];
            a += 1;
        }
        if r_time == Some(time) {
            row[1] = rotation_rate[r];
            r += 1;
        }
        samples.push(time, row[0], row[1]);
    }
}

/// Whether Sensor Logger's `Metadata.csv` tells of an iOS recording with Core Motion's signs.
fn is_unstandardised_ios(table: &mut Table<'_>) -> bool {
    let record = table.next_row().unwrap_or_default();
    let cell = |name: &str| {
        let column = table.headers.iter().position(|header| header.eq_ignore_ascii_case(name));
        column.and_then(|column| record.get(column)).unwrap_or_default()
    };
    cell("platform").eq_ignore_ascii_case("ios") && !cell("standardisation").eq_ignore_ascii_case("true")
}

fn listed<T: AsRef<str>>(headers: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> =
        headers.into_iter().map(|header| format!("`{}`", header.as_ref())).take(20).collect();
    names.join(", ")
}
