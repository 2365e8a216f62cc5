//! The words for what facts are about: trends, channels, postures, degrees of movement. Each field of a pattern has its phrases here, so
//! that what is written can be read back.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::body::{Movement, Posture};
use super::facts::CHANNELS;
use super::segment::Trend;
use crate::sensor::{Axis, Channel, Sensor};

/// What the words of a field mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// A number, written in digits or as one of the few number words.
    Number(f64),
    /// A trend.
    Trend(Trend),
    /// A channel.
    Channel(Channel),
    /// What was spoken of before.
    It,
    /// A sensor, or the sensor whose unit it is.
    Sensor(Sensor),
    /// How the phone is held.
    Posture(Posture),
    /// How much the phone moves.
    Movement(Movement),
    /// An activity's label, with spaces instead of underscores.
    Label(String),
    /// Words without a meaning of their own, which only agree with others.
    Nothing,
}

/// Words for a trend that are used together in one answer.
struct TrendWords {
    verb: &'static str,
    noun: &'static str,
    nouns: &'static str,
    a_noun: &'static str,
    adjective: &'static str,
}

/// How many sets of trend words there are.
pub const STYLES: usize = 4;

const fn trend_words(
    verb: &'static str,
    noun: &'static str,
    nouns: &'static str,
    a_noun: &'static str,
    adjective: &'static str,
) -> TrendWords {
    TrendWords { verb, noun, nouns, a_noun, adjective }
}

const RISING: [TrendWords; STYLES] = [
    trend_words("rises", "rise", "rises", "a rise", "rising"),
    trend_words("climbs", "climb", "climbs", "a climb", "climbing"),
    trend_words("goes up", "upward part", "upward parts", "an upward part", "upward"),
    trend_words("increases", "increase", "increases", "an increase", "increasing"),
];
const FALLING: [TrendWords; STYLES] = [
    trend_words("falls", "fall", "falls", "a fall", "falling"),
    trend_words("drops", "drop", "drops", "a drop", "dropping"),
    trend_words("goes down", "downward part", "downward parts", "a downward part", "downward"),
    trend_words("decreases", "decrease", "decreases", "a decrease", "decreasing"),
];
const STEADY: [TrendWords; STYLES] = [
    trend_words("stays steady", "steady part", "steady parts", "a steady part", "steady"),
    trend_words("stays level", "level part", "level parts", "a level part", "level"),
    trend_words("stays flat", "flat part", "flat parts", "a flat part", "flat"),
    trend_words("stays constant", "constant part", "constant parts", "a constant part", "constant"),
];

fn styles(trend: Trend) -> &'static [TrendWords; STYLES] {
    match trend {
        Trend::Rising => &RISING,
        Trend::Falling => &FALLING,
        Trend::Steady => &STEADY,
    }
}

/// The verb of a trend: `rises`.
pub fn verb(trend: Trend, style: usize) -> &'static str {
    styles(trend)[style % STYLES].verb
}

/// The noun of a trend with its article: `a rise`.
pub fn a_noun(trend: Trend, style: usize) -> &'static str {
    styles(trend)[style % STYLES].a_noun
}

/// The noun of a trend for `count` of them: `rise` or `rises`.
pub fn nouns(trend: Trend, style: usize, count: usize) -> &'static str {
    let words = &styles(trend)[style % STYLES];
    if count == 1 { words.noun } else { words.nouns }
}

/// The adjective of a trend: `rising`.
pub fn adjective(trend: Trend, style: usize) -> &'static str {
    styles(trend)[style % STYLES].adjective
}

/// Where a signal ends compared with where it began.
pub fn ending(trend: Trend) -> &'static str {
    match trend {
        Trend::Rising => "higher than it began",
        Trend::Falling => "lower than it began",
        Trend::Steady => "about where it began",
    }
}

/// The channel's name in fact sheets: `x acceleration`, `vertical rotation rate`.
pub fn channel_name(channel: Channel) -> String {
    format!("{} {}", axis_name(channel.axis), sensor_name(channel.sensor))
}

/// The axis as an adjective.
pub fn axis_name(axis: Axis) -> &'static str {
    match axis {
        Axis::Up => "vertical",
        axis => axis.name(),
    }
}

/// The sensor's quantity in words.
pub fn sensor_name(sensor: Sensor) -> &'static str {
    match sensor {
        Sensor::Acceleration => "acceleration",
        Sensor::RotationRate => "rotation rate",
    }
}

/// The unit of a sensor's quantity.
pub fn unit(sensor: Sensor) -> &'static str {
    match sensor {
        Sensor::Acceleration => "m/s²",
        Sensor::RotationRate => "rad/s",
    }
}

/// How many ways there are to name a channel in a sentence.
pub const CHANNEL_PHRASES: usize = 3;

/// The channel in a sentence: `the acceleration along x`.
pub fn channel_phrase(channel: Channel, phrase: usize) -> String {
    let name = axis_name(channel.axis);
    let sensor = sensor_name(channel.sensor);
    let relation = match channel.sensor {
        Sensor::Acceleration => "along",
        Sensor::RotationRate => "about",
    };
    match (phrase % CHANNEL_PHRASES, channel.axis) {
        (0, _) => format!("the {name} {sensor}"),
        (1, Axis::X | Axis::Y | Axis::Z) => format!("the {sensor} {relation} {name}"),
        (_, Axis::X | Axis::Y | Axis::Z) => format!("the {sensor} {relation} the {name} axis"),
        (1, _) => format!("the {sensor} {relation} the {name}"),
        (_, _) => format!("the {sensor} in the {name} direction"),
    }
}

/// The verb phrases for how the phone is held.
pub fn posture_phrases(posture: Posture) -> [&'static str; 3] {
    match posture {
        Posture::Upright => ["is upright", "stands upright", "is held upright"],
        Posture::UpsideDown => ["is upside down", "stands upside down", "is held upside down"],
        Posture::OnItsBack => ["is on its back", "lies on its back", "rests on its back"],
        Posture::OnItsFace => ["is on its face", "lies on its face", "rests on its face"],
        Posture::OnItsLeftSide => ["is on its left side", "lies on its left side", "rests on its left side"],
        Posture::OnItsRightSide => {
            ["is on its right side", "lies on its right side", "rests on its right side"]
        }
    }
}

/// The verb phrases for how much the phone moves.
pub fn movement_phrases(movement: Movement) -> [&'static str; 3] {
    match movement {
        Movement::Still => ["is still", "stays still", "does not move"],
        Movement::Slight => ["moves a little", "moves slightly", "moves only a little"],
        Movement::Clear => ["moves clearly", "is clearly moving", "keeps moving"],
        Movement::Strong => ["moves strongly", "is strongly moving", "moves a lot"],
    }
}

/// A count in words when the sheet gives it in words: one or none.
pub fn count_word(count: usize) -> Option<&'static str> {
    ["no", "one"].get(count).copied()
}

/// How many kinds of trend, in words.
pub fn kinds_phrase(kinds: usize) -> &'static str {
    match kinds {
        0 | 1 => "one kind",
        2 => "two kinds",
        _ => "three kinds",
    }
}

/// What may stand after a time that several parts take together.
pub const ALTOGETHER: [&str; 2] = ["in all", "together"];

/// Words that end a label; without them a label would swallow its sentence.
const NOT_IN_LABELS: [&str; 25] = [
    "a", "about", "and", "are", "as", "at", "because", "finally", "first", "for", "from", "it", "its", "no",
    "not", "of", "on", "probably", "since", "the", "then", "until", "which", "with", "you",
];

/// A phrase, word by word, with its meaning.
type Phrase = (Vec<String>, Meaning);

/// The phrases of every field that has a fixed set of them.
static PHRASES: LazyLock<BTreeMap<&'static str, Vec<Phrase>>> = LazyLock::new(phrases);

fn phrases() -> BTreeMap<&'static str, Vec<Phrase>> {
    let mut all: BTreeMap<&'static str, Vec<Phrase>> = BTreeMap::new();
    let mut add = |name: &'static str, text: &str, meaning: Meaning| {
        let words = text.split_whitespace().map(str::to_owned).collect();
        all.entry(name).or_default().push((words, meaning));
    };
    for trend in Trend::ALL {
        for set in styles(trend) {
            let fields = [
                ("verb", set.verb),
                ("a_noun", set.a_noun),
                ("adjective", set.adjective),
                ("nouns", set.noun),
                ("nouns", set.nouns),
            ];
            fields.iter().for_each(|(name, text)| add(name, text, Meaning::Trend(trend)));
        }
        add("ending", ending(trend), Meaning::Trend(trend));
    }
    for channel in CHANNELS {
        for index in 0..CHANNEL_PHRASES {
            add("channel", &channel_phrase(channel, index), Meaning::Channel(channel));
            add("subject", &channel_phrase(channel, index), Meaning::Channel(channel));
        }
    }
    for (name, text) in
        [("subject", "it"), ("subject", "the signal"), ("it", "it"), ("it", "the signal"), ("its", "its")]
    {
        add(name, text, Meaning::It);
    }
    for sensor in Sensor::ALL {
        add("sensor", &format!("the {}", sensor_name(sensor)), Meaning::Sensor(sensor));
        add("unit", unit(sensor), Meaning::Sensor(sensor));
    }
    for posture in Posture::ALL {
        posture_phrases(posture).iter().for_each(|text| add("posture", text, Meaning::Posture(posture)));
        add("side", posture.upper_side(), Meaning::Posture(posture));
    }
    for movement in Movement::ALL {
        movement_phrases(movement).iter().for_each(|text| add("movement", text, Meaning::Movement(movement)));
    }
    (1..=3).for_each(|kinds| add("kinds", kinds_phrase(kinds), Meaning::Number(kinds as f64)));
    for (name, texts) in
        [("there", ["there is", "there are"]), ("take", ["takes", "take"]), ("altogether", ALTOGETHER)]
    {
        texts.iter().for_each(|text| add(name, text, Meaning::Nothing));
    }
    add("altogether", "", Meaning::Nothing);
    all
}

/// The ways to read the beginning of `words` as the field `name`: how many words, and what they mean.
pub fn meanings(name: &str, words: &[&str]) -> Vec<(usize, Meaning)> {
    if let Some(phrases) = PHRASES.get(name) {
        let begins = |phrase: &&Phrase| {
            phrase.0.len() <= words.len() && phrase.0.iter().zip(words).all(|(known, word)| known == word)
        };
        return phrases.iter().filter(begins).map(|(text, meaning)| (text.len(), meaning.clone())).collect();
    }
    match name {
        "label" => labels(words),
        _ => number(words.first().copied().unwrap_or_default()),
    }
}

fn number(word: &str) -> Vec<(usize, Meaning)> {
    let value = match word {
        "no" => Some(0.0),
        "one" => Some(1.0),
        // Nothing but plain decimals: `nan` and `1e9` are no numbers of ours.
        word if word.chars().all(|sign| sign.is_ascii_digit() || sign == '.' || sign == '-') => {
            word.parse().ok()
        }
        _ => None,
    };
    value.map(|value| (1, Meaning::Number(value))).into_iter().collect()
}

/// A label of one to four words.
fn labels(words: &[&str]) -> Vec<(usize, Meaning)> {
    let is_adjective =
        |word: &str| Trend::ALL.iter().any(|&trend| styles(trend).iter().any(|set| set.adjective == word));
    let fits = |word: &&&str| {
        word.chars().all(|sign| sign.is_alphabetic() || sign == '-')
            && !NOT_IN_LABELS.contains(*word)
            && !is_adjective(word)
    };
    let most = words.iter().take(4).take_while(fits).count();
    (1..=most).map(|length| (length, Meaning::Label(words[..length].join(" ")))).collect()
}
