//! An answer in words that is being written, and the facts behind it.

use std::rc::Rc;

use sensorllm::Pipeline;
use sensorllm::answer::{self, AnswerStep};
use sensorllm::trend::{Facts, Segment};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::convert::{self, to_js};

/// An answer, a step per call. Freeing it ends it.
#[wasm_bindgen]
pub struct Answer {
    pipeline: Rc<Pipeline>,
    answer: answer::Answer,
}

impl Answer {
    pub(crate) fn new(pipeline: Rc<Pipeline>, answer: answer::Answer) -> Self {
        Self { pipeline, answer }
    }
}

#[wasm_bindgen]
impl Answer {
    /// What the extractor found in the recording.
    pub fn facts(&self) -> Result<JsValue, JsValue> {
        facts(self.answer.facts())
    }

    /// Tokens of the prompt behind the sensors.
    #[wasm_bindgen(getter, js_name = promptTokens)]
    pub fn prompt_tokens(&self) -> usize {
        self.answer.generation().prompt().len()
    }

    /// Goes one step on: `{kind: "prefill", done, total}`, `{kind: "token", text}` or `{kind: "finished", reason, text}`.
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        #[derive(Serialize)]
        #[serde(tag = "kind", rename_all = "lowercase")]
        enum JsStep {
            Prefill { done: usize, total: usize },
            Token { text: String },
            Finished { reason: &'static str, text: String },
        }
        let step = self.answer.step(&self.pipeline).await.map_err(convert::error)?;
        to_js(&match step {
            AnswerStep::Prefill { done, total } => JsStep::Prefill { done, total },
            AnswerStep::Token(text) => JsStep::Token { text },
            AnswerStep::Finished { finish, text } => JsStep::Finished { reason: finish.name(), text },
        })
    }
}

/// Facts as the npm package gives them: times in seconds from the recording's first reading.
fn facts(facts: &Facts) -> Result<JsValue, JsValue> {
    #[derive(Serialize)]
    struct JsSegment {
        trend: &'static str,
        start: f64,
        end: f64,
    }
    #[derive(Serialize)]
    struct JsChannel {
        channel: String,
        segments: Vec<JsSegment>,
        mean: f64,
        deviation: f64,
        lowest: f64,
        highest: f64,
        #[serde(rename = "frequencyHz")]
        frequency_hz: Option<f64>,
    }
    #[derive(Serialize)]
    struct JsActivity<'a> {
        label: &'a str,
        confidence: f64,
        start: f64,
        end: f64,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct JsFacts<'a> {
        seconds: f64,
        channels: Vec<JsChannel>,
        activities: Vec<JsActivity<'a>>,
        steps_per_minute: Option<f64>,
        posture: Option<&'static str>,
        tilt_degrees: Option<f64>,
        movement: Option<&'static str>,
    }
    let segment = |segment: &Segment| JsSegment {
        trend: segment.trend.name(),
        start: facts.time(segment.start),
        end: facts.time(segment.end),
    };
    let measured = facts.channels.iter().filter(|channel| channel.measured());
    to_js(&JsFacts {
        seconds: facts.seconds,
        channels: measured
            .map(|channel| JsChannel {
                channel: channel.channel.to_string(),
                segments: channel.trends.segments.iter().map(segment).collect(),
                mean: channel.mean,
                deviation: channel.deviation,
                lowest: channel.lowest,
                highest: channel.highest,
                frequency_hz: channel.frequency,
            })
            .collect(),
        activities: facts
            .activities
            .iter()
            .map(|activity| JsActivity {
                label: &activity.label,
                confidence: activity.confidence,
                start: activity.start,
                end: activity.end,
            })
            .collect(),
        steps_per_minute: facts.steps_per_minute,
        posture: facts.attitude.map(|attitude| attitude.posture.name()),
        tilt_degrees: facts.attitude.map(|attitude| attitude.tilt),
        movement: facts.movement.map(|movement| movement.name()),
    })
}
