//! Holds what an answer states against the facts.

use super::facts::{ChannelFacts, Facts};
use super::parse::{Claim, Level, Statement};
use super::segment::{Segment, Trend};
use super::sheet::Value;
use crate::sensor::{Channel, Sensor};

/// How much of an answer is true.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// Number of statements.
    pub stated: usize,
    /// Number of true ones.
    pub right: usize,
    /// The others.
    pub wrong: Vec<Statement>,
    /// How many of the wrong ones speak of a channel or sensor that was not measured.
    pub about_absent_channel: usize,
}

/// Which of `statements` are true by `facts`. A number is right when it is the exact one, rounded as it is written (times to 0.05 s, or
/// 0.005 s by [`Facts::of_channel`]). Wrong are also words that cannot be read, a segment or total time that is stated twice, and what
/// is said of an interval that is not in the stretch.
pub fn check(statements: &[Statement], facts: &Facts) -> Truth {
    let mut truth = Truth { stated: statements.len(), ..Truth::default() };
    for (index, statement) in statements.iter().enumerate() {
        let once = matches!(statement.claim, Claim::Segment { .. } | Claim::Total { .. });
        let again = once && statements[..index].contains(statement);
        if !again && is_possible(statement, facts) && is_true(statement, facts) {
            truth.right += 1;
        } else {
            truth.about_absent_channel += usize::from(is_about_absent(statement, facts));
            truth.wrong.push(statement.clone());
        }
    }
    truth
}

/// Whether the interval a statement is about is in the stretch.
fn is_possible(statement: &Statement, facts: &Facts) -> bool {
    statement
        .within
        .is_none_or(|(from, to)| 0.0 <= from && from < to && to <= facts.seconds + facts.tolerance)
}

fn is_true(statement: &Statement, facts: &Facts) -> bool {
    let of_channel = |holds: &dyn Fn(&ChannelFacts) -> bool| {
        statement.channel.and_then(|channel| facts.channel(channel)).is_some_and(holds)
    };
    match &statement.claim {
        Claim::Unread(_) => false,
        Claim::Length(seconds) => near(facts, facts.seconds, *seconds),
        Claim::SensorNotMeasured(sensor) => is_absent(*sensor, facts),
        Claim::NotMeasured => statement.channel.is_some_and(|channel| match facts.channel(channel) {
            None => true,
            Some(found) => segments(statement, found, facts).is_empty(),
        }),
        Claim::Steps(stated) => match (stated, facts.steps_per_minute) {
            (Some(stated), Some(steps)) => agrees(Value::StepsPerMinute(steps), *stated),
            (None, None) => facts.movement.is_some(),
            _ => false,
        },
        Claim::Posture(posture) => {
            facts.movement.is_some() && *posture == facts.attitude.map(|attitude| attitude.posture)
        }
        Claim::Tilt(tilt) => {
            facts.attitude.is_some_and(|attitude| agrees(Value::Degrees(attitude.tilt), *tilt))
        }
        Claim::Movement(movement) => facts.movement == Some(*movement),
        Claim::Activity { label, start, end } => facts.activities.iter().any(|activity| {
            let longest =
                facts.activities.iter().map(|activity| activity.end - activity.start).fold(0.0, f64::max);
            activity.label.replace('_', " ") == *label
                && start.is_none_or(|start| near(facts, activity.start, start))
                // Without a time it is said of the whole stretch.
                && end.map_or(activity.end - activity.start >= longest, |end| near(facts, activity.end, end))
        }),
        Claim::Confidence(percent) => {
            facts.activities.iter().any(|activity| agrees(Value::Percent(activity.confidence), *percent))
        }
        Claim::NoActivity => facts.activities.is_empty(),
        Claim::Most => ranked(statement, facts, 0),
        Claim::Least => ranked(statement, facts, 2),
        claim => of_channel(&|found| is_true_of(claim, statement, found, facts)),
    }
}

/// Whether a claim about a measured channel is true.
fn is_true_of(claim: &Claim, statement: &Statement, found: &ChannelFacts, facts: &Facts) -> bool {
    let segments = segments(statement, found, facts);
    let count = |trend: Option<Trend>| {
        segments.iter().filter(|segment| trend.is_none_or(|trend| segment.trend == trend)).count()
    };
    match claim {
        Claim::Segment { trend, start, end, duration } => segments.iter().any(|segment| {
            let is = |rows: usize, stated: &Option<f64>| {
                stated.is_none_or(|stated| near(facts, facts.time(rows), stated))
            };
            segment.trend == *trend
                && is(segment.start, start)
                && is(segment.end, end)
                && is(segment.rows(), duration)
        }),
        Claim::Count { trend, count: stated } => count(*trend) as f64 == *stated,
        Claim::Kinds(stated) => {
            Trend::ALL.iter().filter(|trend| count(Some(**trend)) > 0).count() as f64 == *stated
        }
        Claim::Total { trend, seconds } => {
            let of_trend = segments.iter().filter(|segment| segment.trend == *trend);
            near(facts, facts.time(of_trend.map(Segment::rows).sum()), *seconds)
        }
        Claim::Throughout(trend) => matches!(segments.as_slice(), [only] if only.trend == *trend),
        Claim::Overall(trend) => {
            let (start, end) = rows(statement, facts);
            found.trends.between(start, end) == Some(*trend)
        }
        Claim::Value { level, value, unit } => {
            let exact = match level {
                Level::Mean => found.mean,
                Level::Deviation => found.deviation,
                Level::Lowest => found.lowest,
                Level::Highest => found.highest,
            };
            let sensor = found.channel.sensor;
            agrees(Value::Reading(exact, sensor), *value) && *unit == Some(sensor)
        }
        Claim::Frequency(stated) => match (stated, found.frequency) {
            (Some(stated), Some(frequency)) => agrees(Value::Hertz(frequency), *stated),
            (None, None) => true,
            _ => false,
        },
        _ => false,
    }
}

/// The rows a statement is about.
fn rows(statement: &Statement, facts: &Facts) -> (usize, usize) {
    statement.within.map_or((0, facts.rows()), |(from, to)| {
        let end = if near(facts, facts.seconds, to) { facts.rows() } else { facts.row(to) };
        (facts.row(from), end)
    })
}

/// The segments a statement is about.
fn segments(statement: &Statement, found: &ChannelFacts, facts: &Facts) -> Vec<Segment> {
    if statement.within.is_none() {
        return found.trends.segments.clone();
    }
    let (start, end) = rows(statement, facts);
    facts.within(found, start, end)
}

/// Whether the channel has this place among its sensor's axes, of which the third is the last.
fn ranked(statement: &Statement, facts: &Facts, place: usize) -> bool {
    let Some(channel) = statement.channel else { return false };
    let axes = facts.by_variation(channel.sensor);
    let found = if place == 0 { axes.first() } else { axes.get(1..).and_then(<[_]>::last) };
    found.is_some_and(|found| found.channel.axis == channel.axis)
}

/// Whether a time is the exact one, rounded.
fn near(facts: &Facts, exact: f64, stated: f64) -> bool {
    (exact - stated).abs() <= facts.tolerance
}

/// Whether a number is the exact one, rounded as it is written.
fn agrees(exact: Value, stated: f64) -> bool {
    (exact.number() - stated).abs() <= 0.5 * 0.1_f64.powi(exact.decimals() as i32) + 1e-9
}

fn is_absent(sensor: Sensor, facts: &Facts) -> bool {
    let of_sensor = |found: &&ChannelFacts| found.channel.sensor == sensor;
    !facts.channels.iter().filter(of_sensor).any(ChannelFacts::measured)
}

/// Whether a wrong statement is about something that was not measured.
fn is_about_absent(statement: &Statement, facts: &Facts) -> bool {
    let absent = |channel: Channel| facts.channel(channel).is_none();
    match statement.claim {
        Claim::Unread(_) | Claim::Length(_) | Claim::SensorNotMeasured(_) | Claim::NotMeasured => false,
        Claim::Activity { .. } | Claim::Confidence(_) | Claim::NoActivity => false,
        Claim::Steps(_) | Claim::Posture(_) | Claim::Tilt(_) | Claim::Movement(_) => facts.movement.is_none(),
        _ => statement.channel.is_some_and(absent),
    }
}
