//! Every answer is true by its own facts, and a changed one is not.

use proptest::prelude::*;

use super::pattern::words;
use super::test_motion::facts;
use super::{
    Asked, Claim, Facts, Family, MAX_SLOTS, Truth, check, exchange, exchange_about, parse, random_exchange,
};
use crate::sensor::{Sensor, Window};

#[test]
fn every_answer_reads_back_and_is_true() {
    for motion in 0..120 {
        let facts = facts(motion);
        for family in Family::ALL {
            for seed in 0..25 {
                let exchange = exchange(&facts, family, 1000 * motion + seed);
                let text = exchange.rendered().unwrap();
                let Truth { stated, right, wrong, .. } = check(&parse(&text), &facts);
                let sheet = &exchange.sheet;
                assert!(
                    wrong.is_empty(),
                    "{motion} {seed}\n{}\n{}\n{text}\n{wrong:#?}",
                    exchange.question,
                    sheet.text
                );
                assert_eq!(stated, right);
                assert!(stated > 0 || family == Family::OffTopic, "{text}");
                assert!(sheet.values.len() <= MAX_SLOTS);
                assert!(words(&text).len() <= 120, "{} words: {text}", words(&text).len());
            }
        }
    }
}

#[test]
fn a_seed_draws_the_same_exchange_and_another_seed_other_words() {
    let facts = facts(1);
    let mut answers = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let drawn = random_exchange(&facts, seed);
        assert_eq!(drawn, random_exchange(&facts, seed));
        answers.insert(exchange(&facts, Family::Description, seed).answer);
    }
    assert!(answers.len() > 40, "{}", answers.len());
}

#[test]
fn intervals_of_any_kind_are_answered_truly() {
    for motion in 0..60 {
        let facts = facts(motion);
        for interval in
            [(-2.0, f64::INFINITY), (1.03, 2.22), (0.777, f64::INFINITY), (0.0, 0.5), (1e9, 2e9), (-1e9, 1.0)]
        {
            let asked = Asked { interval: Some(interval), ..Asked::new(Family::Interval) };
            let exchange = exchange_about(&facts, &asked, motion);
            let text = exchange.rendered().unwrap();
            let wrong = check(&parse(&text), &facts).wrong;
            assert!(wrong.is_empty(), "{}\n{text}\n{wrong:?}", exchange.question);
        }
    }
}

#[test]
fn every_number_and_trend_that_is_changed_is_found_out() {
    let (mut changed, mut missed) = (0, Vec::new());
    for motion in 0..60 {
        let facts = facts(motion);
        for family in Family::ALL {
            for seed in 0..5 {
                let text = exchange(&facts, family, 1000 * motion + seed).rendered().unwrap();
                let pieces: Vec<&str> = text.split(' ').collect();
                // Something can be true of another interval, too.
                let skipped = if family == Family::Interval { 9 } else { 0 };
                for (index, piece) in pieces.iter().enumerate().skip(skipped) {
                    let Some(other) = corrupted(piece) else { continue };
                    let mut pieces = pieces.clone();
                    pieces[index] = &other;
                    let text = pieces.join(" ");
                    changed += 1;
                    if check(&parse(&text), &facts).wrong.is_empty() {
                        missed.push(format!("{piece} -> {other}: {text}"));
                    }
                }
            }
        }
    }
    assert!(changed > 5000, "{changed}");
    // A changed time can hit another segment that is there.
    assert!(missed.len() * 200 < changed, "{} of {changed}:\n{}", missed.len(), missed.join("\n"));
}

proptest! {
    #[test]
    fn whatever_is_measured_the_answers_are_true(
        rows in prop::collection::vec((prop::array::uniform3(any::<f32>()), prop::array::uniform3(-20f32..20.0)), 12..80),
        rate in any::<f32>(),
        seed in any::<u64>(),
    ) {
        let window = Window {
            start_seconds: 0.0,
            end_seconds: 1.0,
            acceleration: rows.iter().map(|row| row.0).collect(),
            rotation_rate: rows.iter().map(|row| row.1).collect(),
        };
        // At an impossible rate nothing is asked but that it ends well.
        random_exchange(&Facts::of(&window, rate, &[]), seed);
        for rate in [20.0, 50.0, 100.0] {
            let facts = Facts::of(&window, rate, &[]);
            for family in Family::ALL {
                let exchange = exchange(&facts, family, seed);
                let text = exchange.rendered().unwrap();
                let wrong = check(&parse(&text), &facts).wrong;
                prop_assert!(wrong.is_empty(), "{}\n{}\n{:?}", exchange.sheet.text, text, wrong);
            }
        }
    }
}

/// A number made larger, or a trend turned round; `None` for other words.
fn corrupted(piece: &str) -> Option<String> {
    let core = piece.trim_end_matches(['.', ',', ';', ':']);
    let mark = &piece[core.len()..];
    let turned = [
        ("rises", "falls"),
        ("rising", "falling"),
        ("climbs", "drops"),
        ("increases", "decreases"),
        ("upward", "downward"),
        ("higher", "lower"),
        ("upright", "upside down"),
        ("still", "strongly moving"),
        ("most", "least"),
    ];
    if let Some((_, to)) = turned.iter().find(|(from, _)| *from == core) {
        return Some(format!("{to}{mark}"));
    }
    let decimals = core.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let value: f64 = core.parse().ok()?;
    Some(format!("{:.decimals$}{mark}", value + 1.1))
}

#[test]
fn what_is_not_there_is_not_spoken_of_unnoticed() {
    let facts = (0..200).map(facts).find(|facts| facts.by_variation(Sensor::RotationRate).is_empty());
    let facts = facts.unwrap();
    let truth = check(
        &parse("The x rotation rate rises from 0.0 to 1.0 seconds. The x rotation rate was not measured."),
        &facts,
    );
    assert_eq!((truth.stated, truth.right, truth.about_absent_channel), (2, 1, 1));
}

#[test]
fn words_that_cannot_be_read_are_not_true() {
    let statements = parse("The phone sings a song, and it rises to 3 metres.");
    assert!(statements.iter().all(|statement| matches!(statement.claim, Claim::Unread(_))), "{statements:?}");
    assert!(!check(&statements, &facts(1)).wrong.is_empty());
    assert!(parse("").is_empty());
}
