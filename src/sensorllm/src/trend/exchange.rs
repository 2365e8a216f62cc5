//! Questions and answers about a stretch of motion: drawn by a seed, true by the extractor.

use std::fmt;

use super::answer::answer;
use super::compose::{Composer, Fields, sentence};
use super::facts::{CHANNELS, Facts};
use super::lexicon::{CHANNEL_PHRASES, channel_phrase, sensor_name};
use super::pattern::Pattern;
use super::question::questions_of;
use super::sheet::Sheet;
use crate::error::Result;
use crate::sampler::SplitMix64;
use crate::sensor::{Axis, Channel, Sensor};

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Which trends a channel has, one after the other.
    TrendList,
    /// What a channel does in an interval.
    Interval,
    /// Counts, total times and overall trend of a channel.
    TrendSummary,
    /// Mean, deviation and range of a channel.
    Statistics,
    /// The dominant frequency of a channel.
    Frequency,
    /// Steps a minute.
    StepRate,
    /// How the phone is held.
    Posture,
    /// Which axis of a sensor varies most.
    Comparison,
    /// What the person does, and how that shows.
    Activity,
    /// The whole movement.
    Description,
    /// Something that motion sensors cannot answer.
    OffTopic,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 11] = [
        Self::TrendList,
        Self::Interval,
        Self::TrendSummary,
        Self::Statistics,
        Self::Frequency,
        Self::StepRate,
        Self::Posture,
        Self::Comparison,
        Self::Activity,
        Self::Description,
        Self::OffTopic,
    ];

    /// Its name, with which its sheets begin.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrendList => "trends",
            Self::Interval => "interval",
            Self::TrendSummary => "summary",
            Self::Statistics => "statistics",
            Self::Frequency => "frequency",
            Self::StepRate => "step rate",
            Self::Posture => "posture",
            Self::Comparison => "comparison",
            Self::Activity => "activity",
            Self::Description => "description",
            Self::OffTopic => "off topic",
        }
    }

    /// Whether its questions are about one channel.
    pub fn has_channel(self) -> bool {
        matches!(
            self,
            Self::TrendList | Self::Interval | Self::TrendSummary | Self::Statistics | Self::Frequency
        )
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// The kind of question.
    pub family: Family,
    /// The channel it names.
    pub channel: Option<Channel>,
    /// The sensor it names, if no channel.
    pub sensor: Option<Sensor>,
    /// The interval it names, in seconds from the beginning. A negative start counts from the end; an infinite end is the end.
    pub interval: Option<(f64, f64)>,
}

impl Asked {
    /// A question of `family` that names nothing.
    pub fn new(family: Family) -> Self {
        Self { family, channel: None, sensor: None, interval: None }
    }

    /// The channel it is about: the vertical one of its sensor when it names none.
    pub fn channel(&self) -> Channel {
        let sensor = self.sensor.unwrap_or(Sensor::Acceleration);
        self.channel.unwrap_or(Channel { sensor, axis: Axis::Up, series: true })
    }

    /// The sensor it is about.
    pub fn sensor(&self) -> Sensor {
        self.sensor.unwrap_or(self.channel().sensor)
    }

    /// The rows of its interval that are in the stretch; all of them when those would be none, or fewer than can be told in times.
    pub fn rows(&self, facts: &Facts) -> (usize, usize) {
        let all = (0, facts.rows());
        let Some((start, end)) = self.interval else { return all };
        let start = if start < 0.0 { facts.seconds + start } else { start };
        // As the times are written, so that who reads them means the same rows.
        let digit = 2.0 * facts.tolerance;
        let written = |seconds: f64| facts.row((seconds.max(0.0) / digit).round() * digit);
        let end = if end >= facts.seconds - facts.tolerance { all.1 } else { written(end) };
        let rows = (written(start), end);
        if facts.time(rows.1) >= facts.time(rows.0) + 2.0 * facts.tolerance - 1e-6 { rows } else { all }
    }
}

/// A question about a stretch of motion, the facts it needs, and an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// What is asked, in fields.
    pub asked: Asked,
    /// What is asked, in words.
    pub question: String,
    /// The facts it needs.
    pub sheet: Sheet,
    /// An answer, with the sheet's slots for numbers.
    pub answer: String,
}

impl Exchange {
    /// The kind of question.
    pub fn family(&self) -> Family {
        self.asked.family
    }

    /// The answer with its numbers.
    ///
    /// # Errors
    /// Those of [`Sheet::render`]; the answers of this module have no unknown slots.
    pub fn rendered(&self) -> Result<String> {
        self.sheet.render(&self.answer)
    }
}

/// A question of `family` about `facts`, with its sheet and an answer. The seed draws channel, interval and wording.
pub fn exchange(facts: &Facts, family: Family, seed: u64) -> Exchange {
    let mut random = SplitMix64(seed);
    let asked = draw(facts, family, &mut random);
    about(facts, &asked, &mut random)
}

/// A question of a family that the seed draws, with its sheet and an answer.
pub fn random_exchange(facts: &Facts, seed: u64) -> Exchange {
    let mut random = SplitMix64(seed);
    let family = Family::ALL[random.below(Family::ALL.len())];
    let asked = draw(facts, family, &mut random);
    about(facts, &asked, &mut random)
}

/// A wording of the question `asked`, with its sheet and an answer.
pub fn exchange_about(facts: &Facts, asked: &Asked, seed: u64) -> Exchange {
    about(facts, asked, &mut SplitMix64(seed))
}

/// The sheet of facts that a question needs.
pub fn sheet(facts: &Facts, asked: &Asked) -> Sheet {
    let mut random = SplitMix64(0);
    let mut composer = Composer::new(&mut random);
    answer(facts, asked, &mut composer);
    composer.finish().0
}

/// Draws what a question of `family` names.
fn draw(facts: &Facts, family: Family, random: &mut SplitMix64) -> Asked {
    let mut asked = Asked::new(family);
    if family.has_channel() {
        asked.channel = Some(CHANNELS[random.below(CHANNELS.len())]);
    }
    if family == Family::Comparison {
        asked.sensor = Some(Sensor::ALL[random.below(Sensor::ALL.len())]);
    }
    if family == Family::Interval {
        // Tenths of a second, at least three of them.
        let tenths = (10.0 * facts.seconds).floor().max(4.0) as usize;
        let start = random.below(tenths - 3);
        let length = 3 + random.below(tenths - start - 2);
        asked.interval = Some((start as f64 / 10.0, (start + length) as f64 / 10.0));
    }
    asked
}

fn about(facts: &Facts, asked: &Asked, random: &mut SplitMix64) -> Exchange {
    let mut spoken = *asked;
    // The last two seconds and the like are asked by their times.
    if asked.interval.is_some_and(|(start, end)| start < 0.0 || !end.is_finite()) {
        let (start, end) = asked.rows(facts);
        spoken.interval = Some((facts.time(start), facts.time(end)));
    }
    let question = ask(&spoken, random);
    let mut composer = Composer::new(random);
    answer(facts, asked, &mut composer);
    let (sheet, answer) = composer.finish();
    Exchange { asked: *asked, question, sheet, answer }
}

/// Words for a question.
pub(super) fn ask(asked: &Asked, random: &mut SplitMix64) -> String {
    let mut fields: Fields = vec![
        ("channel", channel_phrase(asked.channel(), random.below(CHANNEL_PHRASES))),
        ("sensor", format!("the {}", sensor_name(asked.sensor()))),
    ];
    if let Some((from, to)) = asked.interval {
        fields.extend([("from", time(from)), ("to", time(to))]);
    }
    let patterns = questions_of(asked.family);
    let mut drawn = random.below(patterns.clone().map(Pattern::wordings).sum::<usize>().max(1));
    let words = |name: &str| {
        fields.iter().find(|(field, _)| *field == name).map_or("", |(_, words)| words).to_owned()
    };
    for pattern in patterns {
        if drawn < pattern.wordings() {
            let text = pattern.expand(random, &words);
            return punctuated(&text, random);
        }
        drawn -= pattern.wordings();
    }
    String::new()
}

/// A time in a question: one decimal, or two if it needs them.
fn time(seconds: f64) -> String {
    let tenths = 10.0 * seconds;
    if (tenths - tenths.round()).abs() < 1e-6 { format!("{seconds:.1}") } else { format!("{seconds:.2}") }
}

/// What a request begins with; everything else is a question.
const REQUESTS: [&str; 20] = [
    "please",
    "describe",
    "list",
    "show",
    "name",
    "give",
    "tell",
    "summarise",
    "sum",
    "compare",
    "guess",
    "recognise",
    "say",
    "explain",
    "write",
    "find",
    "translate",
    "spell",
    "sing",
    "ask",
];

/// Words as a question or request; one in four as hasty people type them, without capital letter and mark.
fn punctuated(words: &str, random: &mut SplitMix64) -> String {
    let text = sentence(words);
    let bare = text.trim_end_matches('.');
    let first = words.split(' ').next().unwrap_or_default();
    match random.below(4) {
        0 => bare.to_lowercase(),
        _ if REQUESTS.contains(&first) => text,
        _ => format!("{bare}?"),
    }
}
