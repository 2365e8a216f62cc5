//! Between JavaScript values and the library's types.

use std::collections::BTreeMap;

use js_sys::{Float32Array, Float64Array, Reflect};
use sensorllm::sensor::{Channel, Convention, Placement, Samples};
use sensorllm::transitions::{Event, Steady};
use sensorllm::{Embedding, Error, ErrorKind, Head, Manifest, Options, Prediction};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

/// A JavaScript `Error` with the fields `code` and `hint`.
pub fn error(error: Error) -> JsValue {
    let object = js_sys::Error::new(error.message());
    for (key, value) in [("code", error.code()), ("hint", error.hint())] {
        // Fails only on a frozen object, which a new error is not.
        let _ = Reflect::set(&object, &key.into(), &value.into());
    }
    object.into()
}

/// `{timeMs, acceleration, rotationRate?, convention}` in canonical units and signs.
pub fn samples(value: &JsValue) -> Result<Samples, JsValue> {
    let field = |name: &str| Reflect::get(value, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let convention: Convention = match field("convention").as_string() {
        Some(name) => name.parse().map_err(error)?,
        None => {
            return Err(invalid(
                "samples.convention is missing",
                "say whose units and signs the samples have",
            ));
        }
    };
    let times: Float64Array =
        field("timeMs").dyn_into().map_err(|_| invalid("samples.timeMs is not a Float64Array", ""))?;
    let acceleration = vectors(field("acceleration"), "acceleration", times.length())?;
    let rotation_rate = match field("rotationRate") {
        absent if absent.is_undefined() || absent.is_null() => vec![[f32::NAN; 3]; acceleration.len()],
        present => vectors(present, "rotationRate", times.length())?,
    };
    let mut samples = Samples::default();
    for ((time, acceleration), rotation_rate) in
        times.to_vec().into_iter().zip(acceleration).zip(rotation_rate)
    {
        let (acceleration, rotation_rate) = convention.to_canonical(acceleration, rotation_rate);
        samples.push(time / 1000.0, acceleration, rotation_rate);
    }
    Ok(samples)
}

fn vectors(value: JsValue, name: &str, rows: u32) -> Result<Vec<[f32; 3]>, JsValue> {
    let values: Float32Array =
        value.dyn_into().map_err(|_| invalid(&format!("samples.{name} is not a Float32Array"), ""))?;
    let values = values.to_vec();
    let (vectors, rest) = values.as_chunks::<3>();
    if vectors.len() != rows as usize || !rest.is_empty() {
        let message = format!("samples.{name} has {} values for {rows} times", values.len());
        return Err(invalid(&message, "give x, y, z for each time"));
    }
    Ok(vectors.to_vec())
}

/// `{placement?, head?}`, or nothing.
pub fn options(value: JsValue) -> Result<Options, JsValue> {
    #[derive(Default, Deserialize)]
    struct JsOptions {
        placement: Option<Placement>,
        head: Option<Head>,
    }
    let options: Option<JsOptions> =
        serde_wasm_bindgen::from_value(value).map_err(|error| invalid(&format!("options: {error}"), ""))?;
    let JsOptions { placement, head } = options.unwrap_or_default();
    Ok(Options { head, placement: placement.unwrap_or_default() })
}

/// What the npm package tells of a model.
pub fn info(manifest: &Manifest) -> Result<JsValue, JsValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Info<'a> {
        name: &'a str,
        labels: Vec<&'a str>,
        groups: BTreeMap<&'a str, &'a str>,
        rate_hz: f32,
        window: usize,
        hop: usize,
        window_seconds: f64,
        channels: Vec<String>,
        head: Head,
        words: bool,
    }
    let grouped = manifest.labels.iter();
    to_js(&Info {
        name: &manifest.name,
        labels: manifest.labels.iter().map(|label| label.name.as_str()).collect(),
        groups: grouped.filter_map(|label| Some((label.name.as_str(), label.group.as_deref()?))).collect(),
        rate_hz: manifest.window.rate_hz,
        window: manifest.window.length,
        hop: manifest.window.hop,
        window_seconds: manifest.window.seconds(),
        channels: manifest.channels.iter().map(Channel::to_string).collect(),
        head: manifest.head,
        words: manifest.words.is_some(),
    })
}

#[derive(Serialize)]
struct JsPrediction<'a> {
    label: &'a str,
    confidence: f32,
    probabilities: BTreeMap<&'a str, f32>,
    start: f64,
    end: f64,
    smoothed: JsSteady<'a>,
}

#[derive(Serialize)]
struct JsSteady<'a> {
    label: &'a str,
    confidence: f32,
    probabilities: BTreeMap<&'a str, f32>,
    unknown: f32,
    events: Vec<JsEvent<'a>>,
}

#[derive(Serialize)]
struct JsEvent<'a> {
    kind: &'static str,
    label: &'a str,
    time: f64,
}

fn prediction<'a>(
    manifest: &'a Manifest,
    prediction: &'a Prediction,
    steady: &'a Steady,
) -> JsPrediction<'a> {
    let named = |probabilities: &[f32]| -> BTreeMap<&'a str, f32> {
        let names = manifest.labels.iter().map(|label| label.name.as_str());
        names.zip(probabilities.iter().copied()).collect()
    };
    let event =
        |event: &'a Event| JsEvent { kind: event.kind.name(), label: &event.label, time: event.seconds };
    JsPrediction {
        label: &prediction.label,
        confidence: prediction.confidence,
        probabilities: named(&prediction.probabilities),
        start: prediction.start_seconds,
        end: prediction.end_seconds,
        smoothed: JsSteady {
            label: &steady.label,
            confidence: steady.confidence,
            probabilities: named(&steady.probabilities),
            unknown: steady.unknown,
            events: steady.events.iter().map(event).collect(),
        },
    }
}

/// A list of `{label, confidence, probabilities, start, end, smoothed}`; one `Steady` per prediction.
pub fn predictions(
    manifest: &Manifest,
    predictions: &[Prediction],
    steady: &[Steady],
) -> Result<JsValue, JsValue> {
    let both = predictions.iter().zip(steady);
    to_js(&both.map(|(one, steady)| prediction(manifest, one, steady)).collect::<Vec<_>>())
}

/// One prediction of such a list.
pub fn one_prediction(manifest: &Manifest, one: &Prediction, steady: &Steady) -> Result<JsValue, JsValue> {
    to_js(&prediction(manifest, one, steady))
}

/// `{start, end, channels, shape, vectors}`; the vectors are a `Float32Array`.
pub fn embedding(one: &Embedding) -> Result<JsValue, JsValue> {
    #[derive(Serialize)]
    struct JsEmbedding {
        start: f64,
        end: f64,
        channels: Vec<String>,
        shape: [usize; 3],
    }
    let object = to_js(&JsEmbedding {
        start: one.start_seconds,
        end: one.end_seconds,
        channels: one.channels.iter().map(Channel::to_string).collect(),
        shape: [one.channels.len(), one.positions, one.width],
    })?;
    Reflect::set(&object, &"vectors".into(), &Float32Array::from(one.vectors.as_slice()))?;
    Ok(object)
}

/// Plain objects and lists; maps become objects, as in JSON.
pub fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value.serialize(&Serializer::json_compatible()).map_err(JsValue::from)
}

/// What JavaScript handed over is not what it should be.
pub fn invalid(message: &str, hint: &str) -> JsValue {
    error(Error::new(ErrorKind::InvalidInput, message, hint))
}
