//! Sheet and answer of the questions about the phone as a body: comparison of axes, steps, posture, activity, the whole movement.

use super::answer::joined;
use super::clause::Clause;
use super::compose::{Composer, Fields};
use super::facts::{Activity, Facts};
use super::lexicon::{channel_name, movement_phrases, posture_phrases, sensor_name, unit};
use super::sheet::Value;
use crate::sensor::{Axis, Channel, Sensor};

/// More activities than this are not listed: the longest of them are.
const LISTED_ACTIVITIES: usize = 4;
/// A tilt below this, in degrees, is none.
const LEVEL_DEGREES: f64 = 2.0;

/// The axes of a sensor, the one that varies most first.
pub fn comparison(facts: &Facts, sensor: Sensor, composer: &mut Composer<'_>) {
    let axes = facts.by_variation(sensor);
    if axes.is_empty() {
        return sensor_not_measured(sensor, composer);
    }
    let mut items = Vec::new();
    for (index, axis) in axes.iter().enumerate() {
        let (rank, clause) = match index {
            0 => ("most", Clause::Most),
            index if index + 1 == axes.len() => ("least", Clause::Least),
            _ => ("then", Clause::Varies),
        };
        let slot = composer.slot(Value::Reading(axis.deviation, sensor));
        composer.fact(format!("{rank} {} {slot}", channel_name(axis.channel)));
        let fields = vec![
            ("channel", composer.channel(axis.channel)),
            ("deviation", slot),
            ("unit", unit(sensor).to_owned()),
        ];
        items.push(composer.say(clause, &fields));
    }
    composer.fact(unit(sensor));
    composer.sentence(joined(&items, " , then ", " , and "));
}

fn sensor_not_measured(sensor: Sensor, composer: &mut Composer<'_>) {
    composer.fact(format!("{} not measured", sensor_name(sensor)));
    let fields = vec![("sensor", format!("the {}", sensor_name(sensor)))];
    let text = composer.say(Clause::SensorNotMeasured, &fields);
    composer.sentence(text);
}

/// The fields of how much the phone moves, put into the sheet.
fn movement(facts: &Facts, composer: &mut Composer<'_>) -> Option<Fields> {
    let movement = facts.movement?;
    composer.fact(format!("movement {}", movement.name()));
    let phrase = movement_phrases(movement)[composer.random.below(3)];
    Some(vec![("movement", phrase.to_owned())])
}

/// The fields of the steps, put into the sheet, and whether there are any.
fn steps(facts: &Facts, composer: &mut Composer<'_>) -> (Fields, bool) {
    match facts.steps_per_minute {
        Some(steps) => {
            let slot = composer.slot(Value::StepsPerMinute(steps));
            composer.fact(format!("steps {slot}"));
            (vec![("steps", slot)], true)
        }
        None => {
            composer.fact("no steps");
            (Vec::new(), false)
        }
    }
}

/// The step rate, and how much the phone moves.
pub fn step_rate(facts: &Facts, composer: &mut Composer<'_>) {
    if facts.movement.is_none() {
        return sensor_not_measured(Sensor::Acceleration, composer);
    }
    let (fields, any) = steps(facts, composer);
    let text = composer.say(if any { Clause::Steps } else { Clause::NoSteps }, &fields);
    composer.sentence(text);
    let Some(fields) = movement(facts, composer) else { return };
    let text = composer.say(Clause::Movement, &fields);
    composer.sentence(text);
}

/// How the phone is held, and which side points up.
pub fn posture(facts: &Facts, composer: &mut Composer<'_>) {
    if facts.movement.is_none() {
        return sensor_not_measured(Sensor::Acceleration, composer);
    }
    held(facts, true, composer);
}

/// A sentence about how the phone is held, and one about what points up if that is asked.
fn held(facts: &Facts, side: bool, composer: &mut Composer<'_>) {
    let Some(attitude) = facts.attitude else {
        composer.fact("posture not clear");
        let text = composer.say(Clause::NoPosture, &Vec::new());
        return composer.sentence(text);
    };
    composer.fact(attitude.posture.name());
    let phrase = posture_phrases(attitude.posture)[composer.random.below(3)].to_owned();
    let mut fields = vec![("posture", phrase), ("side", attitude.posture.upper_side().to_owned())];
    let text = composer.say(Clause::Posture, &fields);
    composer.sentence(text);
    if attitude.tilt >= LEVEL_DEGREES {
        let slot = composer.slot(Value::Degrees(attitude.tilt));
        composer.fact(format!("tilt {slot}"));
        fields.push(("tilt", slot));
        if !side || composer.coin() {
            let text = composer.say(Clause::TiltAside, &fields);
            composer.and(" , ", &text);
        } else {
            let text = composer.say(Clause::Tilt, &fields);
            composer.sentence(text);
        }
    } else {
        composer.fact("no tilt");
    }
    if side {
        let text = composer.say(Clause::UpperSide, &fields);
        composer.sentence(text);
    }
}

/// What the person does, and how the motion shows it.
pub fn activity(facts: &Facts, composer: &mut Composer<'_>) {
    doing(facts, composer);
    evidence(facts, composer);
    if facts.movement.is_some() {
        held(facts, false, composer);
    }
}

/// What the person does.
fn doing(facts: &Facts, composer: &mut Composer<'_>) {
    match longest(&facts.activities).as_slice() {
        [] => {
            composer.fact("activity not known");
            let text = composer.say(Clause::NoActivity, &Vec::new());
            composer.sentence(text);
        }
        [only] => {
            let label = only.label.replace('_', " ");
            let slot = composer.slot(Value::Percent(only.confidence));
            composer.fact(format!("{label} {slot}"));
            let fields = vec![("label", label), ("percent", slot)];
            let text = composer.say(Clause::Activity, &fields);
            composer.sentence(text);
            if composer.coin() {
                let text = composer.say(Clause::ConfidenceAside, &fields);
                composer.aside(&text);
            } else {
                let text = composer.say(Clause::Confidence, &fields);
                composer.sentence(text);
            }
        }
        several => {
            let mut items = Vec::new();
            let until = composer.coin();
            for activity in several {
                let label = activity.label.replace('_', " ");
                let start = composer.slot(Value::Seconds(activity.start));
                let end = composer.slot(Value::Seconds(activity.end));
                composer.fact(format!("{label} {start} {end}"));
                let fields = match until {
                    true => vec![("label", label), ("until", end)],
                    false => vec![("label", label), ("start", start), ("end", end)],
                };
                let clause = if items.is_empty() { Clause::ActivityFirst } else { Clause::ActivityItem };
                items.push(composer.say(clause, &fields));
            }
            composer.sentence(joined(&items, " , then ", " and then "));
        }
    }
}

/// The activities to be listed, in order of time.
fn longest(activities: &[Activity]) -> Vec<&Activity> {
    let mut longest: Vec<&Activity> = activities.iter().collect();
    longest.sort_by(|a, b| (b.end - b.start).total_cmp(&(a.end - a.start)));
    longest.truncate(LISTED_ACTIVITIES);
    longest.sort_by(|a, b| a.start.total_cmp(&b.start));
    longest
}

/// How much the phone moves, and its steps.
fn evidence(facts: &Facts, composer: &mut Composer<'_>) {
    let Some(fields) = movement(facts, composer) else {
        return sensor_not_measured(Sensor::Acceleration, composer);
    };
    let text = composer.say(Clause::Movement, &fields);
    composer.sentence(text);
    let (fields, any) = steps(facts, composer);
    let clause = if any { Clause::StepsAside } else { Clause::NoStepsAside };
    let text = composer.say(clause, &fields);
    composer.aside(&text);
}

/// The whole movement in a few sentences.
pub fn description(facts: &Facts, composer: &mut Composer<'_>) {
    let length = composer.slot(facts.clock(facts.rows()));
    composer.fact(format!("length {length}"));
    let fields = vec![("length", length)];
    let text = if facts.movement.is_some() && composer.coin() {
        let aside = composer.say(Clause::DurationAside, &fields);
        let Some(fields) = movement(facts, composer) else { return };
        format!("{aside} {}", composer.say(Clause::Movement, &fields))
    } else {
        let text = composer.say(Clause::Duration, &fields);
        composer.sentence(text);
        match movement(facts, composer) {
            Some(fields) => composer.say(Clause::Movement, &fields),
            None => return sensor_not_measured(Sensor::Acceleration, composer),
        }
    };
    composer.sentence(text);
    let (fields, any) = steps(facts, composer);
    let text = composer.say(if any { Clause::StepsAside } else { Clause::NoStepsAside }, &fields);
    composer.aside(&text);
    held(facts, false, composer);
    if !facts.activities.is_empty() {
        doing(facts, composer);
    }
    let vertical = Channel { sensor: Sensor::Acceleration, axis: Axis::Up, series: true };
    if let Some(found) = facts.channel(vertical) {
        let lowest = composer.slot(Value::Reading(found.lowest, vertical.sensor));
        let highest = composer.slot(Value::Reading(found.highest, vertical.sensor));
        let unit = unit(vertical.sensor);
        composer.fact(format!("range {} {lowest} {highest} {unit}", channel_name(vertical)));
        let name = composer.channel(vertical);
        let fields =
            vec![("subject", name), ("lowest", lowest), ("highest", highest), ("unit", unit.to_owned())];
        let text = composer.say(Clause::Range, &fields);
        composer.sentence(text);
    }
    if facts.by_variation(Sensor::RotationRate).is_empty() {
        sensor_not_measured(Sensor::RotationRate, composer);
    }
}
