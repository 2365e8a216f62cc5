//! The cases of `tests/csv`, which the npm package's reader has to read alike (`pkg/test/csv-cases.test.ts`).

use std::{fs, path::Path, str::FromStr};

use sensorllm::Error;
use sensorllm::sensor::formats::{CsvFile, CsvOptions, parse_recording_files};
use serde::Deserialize;

/// Readings are numbers of single precision, of about seven digits.
const RELATIVE: f32 = 1e-5;
const SECONDS: f64 = 1e-9;

/// See `tests/csv/README.md`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    why: String,
    files: Vec<String>,
    #[serde(default)]
    options: Options,
    seconds: Option<Vec<f64>>,
    acceleration: Option<Vec<[Option<f32>; 3]>>,
    rotation_rate: Option<Vec<[Option<f32>; 3]>>,
    error: Option<Refusal>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    time_unit: Option<String>,
    acceleration_unit: Option<String>,
    rotation_unit: Option<String>,
    convention: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    says: String,
}

impl Options {
    fn parsed(&self) -> CsvOptions {
        CsvOptions {
            time_unit: parsed(self.time_unit.as_deref()),
            acceleration_unit: parsed(self.acceleration_unit.as_deref()),
            rotation_unit: parsed(self.rotation_unit.as_deref()),
            convention: parsed(self.convention.as_deref()),
        }
    }
}

fn parsed<T: FromStr<Err = Error>>(text: Option<&str>) -> Option<T> {
    text.map(|text| text.parse().unwrap())
}

#[test]
fn every_case_is_read_as_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/csv");
    let mut cases = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&root).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        cases += 1;
        let case: Case = serde_json::from_str(&fs::read_to_string(folder.join("case.json")).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        if let Err(difference) = check(&folder, &case) {
            wrong.push(format!("{} ({}): {difference}", folder.file_name().unwrap().display(), case.why));
        }
    }
    assert!(cases > 40, "only {cases} cases are there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is different from what the case says, if anything is.
fn check(folder: &Path, case: &Case) -> Result<(), String> {
    let texts: Vec<String> =
        case.files.iter().map(|file| fs::read_to_string(folder.join(file)).unwrap()).collect();
    let files: Vec<CsvFile<'_>> =
        case.files.iter().zip(&texts).map(|(name, text)| CsvFile { name, text }).collect();
    let found = parse_recording_files(&files, &case.options.parsed());
    let samples = match (found, &case.error) {
        (Ok(samples), None) => samples,
        (Ok(_), Some(refusal)) => return Err(format!("is read, in place of {}", refusal.code)),
        (Err(error), None) => return Err(format!("{error:?}")),
        (Err(error), Some(refusal)) => {
            let right = error.code() == refusal.code
                && error.message().contains(&refusal.says)
                && !error.hint().is_empty();
            return if right { Ok(()) } else { Err(format!("{error:?}")) };
        }
    };
    let expected = case.seconds.as_ref().ok_or("the case says neither what is read nor the error")?;
    let alike = samples.seconds.len() == expected.len()
        && samples.seconds.iter().zip(expected).all(|(a, b)| (a - b).abs() <= SECONDS);
    if !alike {
        return Err(format!("times are {:?} in place of {expected:?}", samples.seconds));
    }
    compare("acceleration", &samples.acceleration, case.acceleration.as_deref().unwrap_or_default())?;
    match &case.rotation_rate {
        Some(expected) => compare("rotation rate", &samples.rotation_rate, expected),
        None if samples.rotation_rate.iter().flatten().all(|value| value.is_nan()) => Ok(()),
        None => Err("there is a rotation rate".to_owned()),
    }
}

fn compare(what: &str, found: &[[f32; 3]], expected: &[[Option<f32>; 3]]) -> Result<(), String> {
    let alike = |found: f32, expected: Option<f32>| match expected {
        None => found.is_nan(),
        Some(expected) => (found - expected).abs() <= RELATIVE * expected.abs().max(1.0),
    };
    let all = found.iter().flatten().zip(expected.iter().flatten()).all(|(&a, &b)| alike(a, b));
    if found.len() == expected.len() && all {
        return Ok(());
    }
    Err(format!("{what} is {found:?} in place of {expected:?}"))
}
