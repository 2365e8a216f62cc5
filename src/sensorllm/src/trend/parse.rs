//! Reads an answer back into what it states.

use super::body::{Movement, Posture};
use super::clause::{Clause, patterns};
use super::lexicon::Meaning;
use super::pattern::{Capture, words};
use super::segment::Trend;
use crate::sensor::{Channel, Sensor};

/// A value of a channel that can be stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Its mean.
    Mean,
    /// Its standard deviation.
    Deviation,
    /// Its lowest value.
    Lowest,
    /// Its highest value.
    Highest,
}

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// A segment, by what is said of it; times in seconds.
    Segment {
        /// Its trend.
        trend: Trend,
        /// Where it starts.
        start: Option<f64>,
        /// Where it ends.
        end: Option<f64>,
        /// How long it is.
        duration: Option<f64>,
    },
    /// A number of segments, of one trend or of all.
    Count {
        /// The trend, or all.
        trend: Option<Trend>,
        /// How many.
        count: f64,
    },
    /// A number of different trends.
    Kinds(f64),
    /// The time of all segments of a trend together, in seconds.
    Total {
        /// The trend.
        trend: Trend,
        /// How long.
        seconds: f64,
    },
    /// The only trend there is.
    Throughout(Trend),
    /// Where the signal ends compared with where it began.
    Overall(Trend),
    /// A value, in the unit of a sensor.
    Value {
        /// Which value.
        level: Level,
        /// The number.
        value: f64,
        /// The sensor whose unit is written.
        unit: Option<Sensor>,
    },
    /// The dominant frequency in Hz, or that there is none.
    Frequency(Option<f64>),
    /// That it varies most of its sensor's axes.
    Most,
    /// That it varies least of its sensor's axes.
    Least,
    /// That it was not measured.
    NotMeasured,
    /// That a sensor was not measured.
    SensorNotMeasured(Sensor),
    /// Steps a minute, or that there are none.
    Steps(Option<f64>),
    /// How the phone is held, or that gravity does not show it.
    Posture(Option<Posture>),
    /// Its tilt in degrees.
    Tilt(f64),
    /// How much it moves.
    Movement(Movement),
    /// What the person does, perhaps with times in seconds.
    Activity {
        /// The label, with spaces.
        label: String,
        /// From when.
        start: Option<f64>,
        /// Until when.
        end: Option<f64>,
    },
    /// How sure the classifier is, in percent.
    Confidence(f64),
    /// That nobody named the activity.
    NoActivity,
    /// How long the stretch is, in seconds.
    Length(f64),
    /// Words that cannot be read; never true.
    Unread(String),
}

/// One thing that an answer states.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The channel it is about, if it is about one and that was named.
    pub channel: Option<Channel>,
    /// The interval it is about, in seconds, if not the whole stretch.
    pub within: Option<(f64, f64)>,
    /// What is said.
    pub claim: Claim,
}

/// Words between clauses, which say nothing themselves.
const CONNECTIVES: [&str; 15] = [
    ",", ".", ";", ":", "?", "!", "and", "but", "then", "finally", "first", "next", "because", "as", "while",
];

/// What `answer` states, in its order. The answer is a rendered one, with numbers instead of slots.
///
/// Reads every wording that this module's answers have, joined in any way; other words become [`Claim::Unread`].
pub fn parse(answer: &str) -> Vec<Statement> {
    let text = words(answer);
    let text: Vec<&str> = text.iter().map(String::as_str).collect();
    let mut reader = Reader::default();
    let mut at = 0;
    while at < text.len() {
        let mut best: Option<(Clause, usize, Vec<Capture>)> = None;
        for (clause, pattern) in patterns() {
            if let Some((length, captures)) = pattern.matched(&text[at..])
                && best.as_ref().is_none_or(|(_, longest, _)| length > *longest)
            {
                best = Some((*clause, length, captures));
            }
        }
        match best {
            Some((clause, length, captures)) => {
                reader.clause(clause, &captures);
                at += length;
            }
            None => {
                reader.unread(text[at]);
                at += 1;
            }
        }
    }
    reader.statements
}

/// What was read, and what `it` is.
#[derive(Default)]
struct Reader {
    statements: Vec<Statement>,
    channel: Option<Channel>,
    within: Option<(f64, f64)>,
    /// Whether the last word was not read either.
    in_unread: bool,
}

impl Reader {
    fn unread(&mut self, word: &str) {
        if CONNECTIVES.contains(&word) {
            self.in_unread = false;
            return;
        }
        match self.statements.last_mut() {
            Some(Statement { claim: Claim::Unread(words), .. }) if self.in_unread => {
                words.push(' ');
                words.push_str(word);
            }
            _ => self.state(Claim::Unread(word.to_owned())),
        }
        self.in_unread = true;
    }

    fn state(&mut self, claim: Claim) {
        self.statements.push(Statement { channel: self.channel, within: self.within, claim });
    }

    fn clause(&mut self, clause: Clause, captures: &[Capture]) {
        self.in_unread = false;
        let number = |name: &str| {
            captures.iter().find_map(|(field, meaning)| match meaning {
                Meaning::Number(value) if field == name => Some(*value),
                _ => None,
            })
        };
        let trend = captures.iter().find_map(|(_, meaning)| match meaning {
            Meaning::Trend(trend) => Some(*trend),
            _ => None,
        });
        let sensor = captures.iter().find_map(|(_, meaning)| match meaning {
            Meaning::Sensor(sensor) => Some(*sensor),
            _ => None,
        });
        let label = captures.iter().find_map(|(_, meaning)| match meaning {
            Meaning::Label(label) => Some(label.clone()),
            _ => None,
        });
        for (_, meaning) in captures {
            if let Meaning::Channel(channel) = meaning {
                self.channel = Some(*channel);
            }
        }
        for claim in claims(clause, &number, trend, sensor, label, captures) {
            self.state(claim);
        }
        if clause == Clause::Within {
            self.within = number("from").zip(number("to"));
        }
    }
}

/// What a clause with these fields says. Every pattern of a clause captures the fields that its claims need.
fn claims(
    clause: Clause,
    number: &dyn Fn(&str) -> Option<f64>,
    trend: Option<Trend>,
    sensor: Option<Sensor>,
    label: Option<String>,
    captures: &[Capture],
) -> Vec<Claim> {
    let value = |level, name| number(name).map(|value| Claim::Value { level, value, unit: sensor });
    let posture = captures.iter().find_map(|(_, meaning)| match meaning {
        Meaning::Posture(posture) => Some(*posture),
        _ => None,
    });
    let movement = captures.iter().find_map(|(_, meaning)| match meaning {
        Meaning::Movement(movement) => Some(*movement),
        _ => None,
    });
    let count = number("count").map(|count| Claim::Count { trend, count });
    let total = trend.zip(number("total")).map(|(trend, seconds)| Claim::Total { trend, seconds });
    let claims = match clause {
        Clause::About | Clause::Duration | Clause::DurationAside => {
            [number("length").map(Claim::Length), None]
        }
        Clause::ListOpening | Clause::Within | Clause::OffTopic | Clause::Mention => [None, None],
        Clause::VerbItem | Clause::NounItem | Clause::AdjectiveItem => {
            let segment = |trend| Claim::Segment {
                trend,
                start: number("start"),
                end: number("end"),
                duration: number("duration"),
            };
            [trend.map(segment), None]
        }
        Clause::Count => [count, None],
        Clause::CountTotal | Clause::CountTotalFirst => [count, total],
        Clause::Parts => [count, number("kinds").map(Claim::Kinds)],
        Clause::Throughout => [trend.map(Claim::Throughout), None],
        Clause::Total | Clause::Further => [total, None],
        Clause::Overall => [trend.map(Claim::Overall), None],
        Clause::Mean => [value(Level::Mean, "mean"), None],
        Clause::Deviation | Clause::DeviationAside | Clause::Varies => {
            [value(Level::Deviation, "deviation"), None]
        }
        Clause::Range => [value(Level::Lowest, "lowest"), value(Level::Highest, "highest")],
        Clause::Frequency => [Some(Claim::Frequency(number("frequency"))), None],
        Clause::NoFrequency => [Some(Claim::Frequency(None)), None],
        Clause::Steps | Clause::StepsAside => [Some(Claim::Steps(number("steps"))), None],
        Clause::NoSteps | Clause::NoStepsAside => [Some(Claim::Steps(None)), None],
        Clause::Posture | Clause::UpperSide => [Some(Claim::Posture(posture)), None],
        Clause::NoPosture => [Some(Claim::Posture(None)), None],
        Clause::Tilt | Clause::TiltAside => [number("tilt").map(Claim::Tilt), None],
        Clause::Movement => [movement.map(Claim::Movement), None],
        Clause::Most => [Some(Claim::Most), value(Level::Deviation, "deviation")],
        Clause::Least => [Some(Claim::Least), value(Level::Deviation, "deviation")],
        Clause::Activity | Clause::ActivityFirst | Clause::ActivityItem => {
            let (start, end) = (number("start"), number("end").or(number("until")));
            [label.map(|label| Claim::Activity { label, start, end }), None]
        }
        Clause::Confidence | Clause::ConfidenceAside => [number("percent").map(Claim::Confidence), None],
        Clause::NoActivity => [Some(Claim::NoActivity), None],
        Clause::NotMeasured => [Some(Claim::NotMeasured), None],
        Clause::SensorNotMeasured => [sensor.map(Claim::SensorNotMeasured), None],
    };
    claims.into_iter().flatten().collect()
}
