//! What a person asks for, in their own words: the family, channel and interval of a free question, by key words.

use super::exchange::{Asked, Family};
use super::facts::CHANNELS;
use super::pattern::words;
use crate::sensor::{Axis, Channel, Sensor};

/// Beginnings of words that name a sensor, separated by `|`.
const SENSORS: [(Sensor, &str); 2] =
    [(Sensor::RotationRate, "rotat|gyro|turn rate|spin|angular"), (Sensor::Acceleration, "accel|g-force")];

/// Words that name an axis.
const AXES: [(Axis, &[&str]); 5] = [
    (Axis::X, &["x", "x-axis"]),
    (Axis::Y, &["y", "y-axis"]),
    (Axis::Z, &["z", "z-axis"]),
    (Axis::Up, &["vertical", "vertically", "upward", "upwards", "up-and-down"]),
    (Axis::Horizontal, &["horizontal", "horizontally", "sideways"]),
];

/// Beginnings of words or phrases that name a family, separated by `|`; the more telling families first.
const FAMILIES: [(Family, &str); 9] = [
    (Family::StepRate, "step rate|steps|cadence|pace|fast do i walk|fast am i walking"),
    (Family::Frequency, "frequenc|rhythm|repeat|periodic|hertz|hz|how often per second|regular"),
    (
        Family::Posture,
        "posture|orient|upright|upside|tilt|gravity|attitude|lying flat|face up|face down|\
         points up|faces up|looks up|phone held|phone turned|phone lying|phone placed|\
         hold the phone|holding the phone|which side|which edge|which way up|lie on",
    ),
    (
        Family::Activity,
        "am i doing|i am doing|i'm doing|i was doing|was i doing|activity|am i |was i |\
         are we doing|person doing|are they doing|is he doing|is she doing|doing now|being done",
    ),
    (
        Family::Comparison,
        "compare|which axis|which direction|which channel|most|least|axes|differ|directions",
    ),
    (
        Family::TrendSummary,
        "summar|sum up|overview|how often|how many times|how long|overall|general trend|\
         general direction|whole trend|whole direction|how many trends|how many rises|\
         how many falls|how many segments|in total|altogether|distribution",
    ),
    (
        Family::Statistics,
        "mean|average|deviation|spread|range|minimum|maximum|lowest|highest|smallest|largest|\
         statistic|numbers|values|how large|how strong|how big|how high|variance|peak",
    ),
    (
        Family::TrendList,
        "trend|rise|rising|fall|increas|decreas|go up|goes up|go down|steady|step by step|\
         over time|change|develop|climb|drop",
    ),
    (
        Family::Description,
        "phone|move|motion|movement|happen|describe|description|recording|signal|sensor|data|see",
    ),
];

/// Beginnings of words and phrases that no motion sensor knows about.
const OFF_TOPIC: &str = "weather|capital|joke|story|recipe|news|poem|song|riddle|essay|code|translate|spell|\
         price|meaning of life|your name|my name|who |score|time of day|the date|two plus|buy|\
         cook|shop|president|book|game|telephone|explain the word|explain this word|movie|music|\
         football|country|city|stock|money|love|homework|language|hello";

/// Words that make a question one about motion, whatever else it speaks of.
const MOTION: &str = "phone|motion|mov|step|sensor|record|activity|am i |i am ";

/// What `question` asks for: its family, and the channel, sensor and interval it names. A question that gives no clue asks for
/// a description.
pub fn recognise(question: &str) -> Asked {
    let words = words(question);
    let text = format!(" {} ", words.join(" "));
    let has = |keys: &str| keys.split('|').any(|key| text.contains(&format!(" {key}")));
    let sensor = SENSORS.iter().find(|(_, keys)| has(keys)).map(|(sensor, _)| *sensor);
    let axis = AXES.iter().find(|(_, names)| words.iter().any(|word| names.contains(&word.as_str())));
    let axis = axis.map(|(axis, _)| *axis);
    let interval = interval(&words, &text);
    let found = FAMILIES.iter().find(|(_, keys)| has(keys)).map(|(family, _)| *family);
    // One channel is named by its axis; a sensor alone stands for its axes, or for the vertical one.
    let channel =
        axis.map(|axis| Channel { sensor: sensor.unwrap_or(Sensor::Acceleration), axis, series: true });
    let channel = channel.filter(|channel| CHANNELS.contains(channel));
    let named = channel.is_some() || sensor.is_some();
    let family = match found {
        _ if !named && has(OFF_TOPIC) && !has(MOTION) => Family::OffTopic,
        // Whatever is asked of a channel in an interval is what happens there.
        Some(Family::TrendList | Family::TrendSummary | Family::Description) | None if interval.is_some() => {
            Family::Interval
        }
        Some(Family::Comparison) if channel.is_some() => Family::TrendSummary,
        Some(Family::Description) | None if channel.is_some() => Family::TrendList,
        Some(Family::Description) | None if sensor.is_some() => Family::Comparison,
        Some(family) => family,
        None => Family::Description,
    };
    Asked {
        family,
        channel: channel.filter(|_| family.has_channel()),
        sensor: sensor
            .filter(|_| family == Family::Comparison || (family.has_channel() && channel.is_none())),
        interval: interval.filter(|_| family == Family::Interval),
    }
}

/// The interval that a question names: `between 1 and 2.5 seconds`, `the first 2 seconds`, `after 3 s`.
fn interval(words: &[String], text: &str) -> Option<(f64, f64)> {
    let mut numbers = Vec::new();
    for word in words {
        // `2.5s`, `1-3` and `1–3` are written without spaces.
        let word = word.trim_end_matches(|sign: char| sign.is_alphabetic());
        let parts: Vec<&str> = word.split(['-', '–']).collect();
        numbers.extend(parts.iter().filter_map(|part| part.parse::<f64>().ok()).filter(|x| x.is_finite()));
    }
    match numbers.as_slice() {
        [from, to, ..] => Some((from.min(*to), from.max(*to))),
        [one] if !text.contains("second") && !text.contains(" s ") && !text.contains("s ,") => {
            // A number alone is a time only with a word for time.
            let timed = [" at ", " after ", " until ", " before "].iter().any(|word| text.contains(word));
            timed.then(|| around(*one, text))
        }
        [one] => Some(around(*one, text)),
        [] => None,
    }
}

/// The interval that one time means, by the words around it.
fn around(time: f64, text: &str) -> (f64, f64) {
    if text.contains(" last ") {
        (-time, f64::INFINITY)
    } else if text.contains(" first ") || text.contains(" until ") || text.contains(" before ") {
        (0.0, time)
    } else if text.contains(" after ") || text.contains(" from ") || text.contains(" since ") {
        (time, f64::INFINITY)
    } else {
        ((time - 0.5).max(0.0), time + 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{exchange, sheet, test_motion::facts};
    use super::*;

    #[test]
    fn our_own_questions_are_recognised() {
        for motion in 0..20 {
            let facts = facts(motion);
            for family in Family::ALL {
                for seed in 0..400 {
                    let exchange = exchange(&facts, family, 10_000 * motion + seed);
                    let asked = recognise(&exchange.question);
                    assert_eq!(asked, exchange.asked, "{}", exchange.question);
                    assert_eq!(sheet(&facts, &asked).text, exchange.sheet.text, "{}", exchange.question);
                }
            }
        }
    }

    #[test]
    fn free_questions_find_their_family() {
        let cases = [
            ("What's my pace?", Family::StepRate),
            ("whats going on with x", Family::TrendList),
            ("Is the gyroscope's y axis periodic?", Family::Frequency),
            ("How am I holding the phone?", Family::Posture),
            ("Was I running just now?", Family::Activity),
            ("Explain what you see in the data", Family::Description),
            ("What is the maximum vertical acceleration?", Family::Statistics),
            ("when does the z acceleration drop", Family::TrendList),
            ("Which axis of the gyroscope is busiest?", Family::Comparison),
            ("How did the acceleration change during the first 2 seconds?", Family::Interval),
            ("Write me a love song", Family::OffTopic),
            ("???", Family::Description),
            ("", Family::Description),
        ];
        for (question, family) in cases {
            assert_eq!(recognise(question).family, family, "{question}");
        }
    }

    #[test]
    fn intervals_are_read_as_people_write_them() {
        let cases = [
            ("What does x do between 1 and 2.5 seconds?", (1.0, 2.5)),
            ("What does x do from 3s to 1s?", (1.0, 3.0)),
            ("x acceleration in the first 2 seconds", (0.0, 2.0)),
            ("x acceleration in the last 2 seconds", (-2.0, f64::INFINITY)),
            ("how does x change after 3 s?", (3.0, f64::INFINITY)),
            ("how does x change 1.5-2.5 s", (1.5, 2.5)),
            ("what happens to x at 2 seconds", (1.5, 2.5)),
        ];
        for (question, interval) in cases {
            let asked = recognise(question);
            assert_eq!((asked.family, asked.interval), (Family::Interval, Some(interval)), "{question}");
        }
        let facts = facts(2);
        for interval in
            [(-2.0, f64::INFINITY), (0.0, f64::INFINITY), (1e9, 2e9), (-1e9, -1e8), (f64::NAN, f64::NAN)]
        {
            let asked = Asked { interval: Some(interval), ..Asked::new(Family::Interval) };
            let (start, end) = asked.rows(&facts);
            assert!(start < end && end <= facts.rows(), "{interval:?}: {start} {end}");
        }
    }
}
