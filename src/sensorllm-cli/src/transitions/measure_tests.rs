//! Flicker, delay and F1 against what they are by hand.

use sensorllm::Prediction;

use super::super::sequence::{Sequence, Stretch};
use super::*;

fn labels() -> Vec<Label> {
    let label = |name: &str, group: Option<&str>| Label { name: name.into(), group: group.map(Into::into) };
    vec![label("walking", None), label("sitting", Some("still")), label("standing", Some("still"))]
}

/// Windows of 2 s that end at 2, 3, 4, ... s, labelled as the letters say.
fn sequence(letters: &str, stretches: &[(f64, f64, Option<usize>)]) -> Sequence {
    let prediction = |(index, letter): (usize, char)| {
        let (label, likeliest) = match letter {
            'w' => ("walking", 0),
            's' => ("sitting", 1),
            't' => ("standing", 2),
            '.' => ("still", 1),
            _ => (UNKNOWN, 0),
        };
        let mut probabilities = vec![0.1; 3];
        probabilities[likeliest] = 0.8;
        Prediction {
            start_seconds: index as f64,
            end_seconds: index as f64 + 2.0,
            probabilities,
            label: label.to_owned(),
            confidence: 0.8,
        }
    };
    let stretch = |&(start, end, label): &(f64, f64, Option<usize>)| Stretch { start, end, label };
    Sequence {
        person: 0,
        joined: false,
        predictions: letters.chars().enumerate().map(prediction).collect(),
        stretches: stretches.iter().map(stretch).collect(),
    }
}

fn measured(sequences: Vec<Sequence>) -> Steadiness {
    measure(&labels(), Predicted { member_share: None, sequences }.raw())
}

fn of(letters: &str, stretches: &[(f64, f64, Option<usize>)]) -> Steadiness {
    measured(vec![sequence(letters, stretches)])
}

#[test]
fn changes_while_one_activity_goes_on_are_flicker() {
    // Windows end at 2..=10 s of one minute of walking: to sitting, back, to unknown, back.
    let measured = of("wwswwww?w", &[(0.0, 60.0, Some(0))]);
    assert_eq!(measured.flicker_per_minute, 4.0);
    assert_eq!(measured.changes, 0);
    assert_eq!(of("wwwwwwwww", &[(0.0, 60.0, Some(0))]).flicker_per_minute, 0.0);
}

#[test]
fn the_change_that_follows_a_true_one_is_no_flicker_but_what_comes_between_is() {
    let stretches = [(0.0, 6.0, Some(0)), (6.0, 60.0, Some(1))];
    let flicker = |letters: &str| (of(letters, &stretches).flicker_per_minute * 1.0).round();
    // Windows end at 2, 3, ... s; the change at 6 s is after the fifth.
    assert_eq!(flicker("wwwwwssssssss"), 0.0);
    assert_eq!(flicker("wwwwwwwssssss"), 0.0, "late is not flicker");
    assert_eq!(flicker("wwwwwtsssssss"), 1.0, "by way of standing");
    assert_eq!(flicker("wwwwwssswssss"), 2.0, "there, away and back");
    assert_eq!(flicker("wwwwwtttttttt"), 1.0, "to what is not true");
}

#[test]
fn the_delay_ends_with_the_first_window_that_shows_what_began() {
    let stretches = [(0.0, 6.0, Some(0)), (6.0, 16.0, Some(1))];
    let delay = |letters: &str| {
        let measured = of(letters, &stretches);
        assert_eq!(measured.changes, 1);
        (measured.delay_median, measured.missed)
    };
    // The sixth window ends at 7 s.
    assert_eq!(delay("wwwwwsssssssss"), (Some(1.0), 0));
    assert_eq!(delay("wwwwwwwsssssss"), (Some(3.0), 0));
    assert_eq!(delay("wwwww.wwssssss"), (Some(1.0), 0), "its group is an answer after what is not in it");
    assert_eq!(delay("wwwwwwtttttttt"), (None, 1), "never");
    assert_eq!(delay("sssssssssssssw"), (Some(1.0), 0), "what was shown before it began does not count");
}

#[test]
fn a_group_is_no_answer_between_its_own_labels() {
    let stretches = [(0.0, 6.0, Some(1)), (6.0, 16.0, Some(2))];
    assert_eq!(of("sssss...tttttt", &stretches).delay_median, Some(4.0));
}

#[test]
fn unknown_and_groups_count_as_wrong_where_labels_are_shown() {
    let measured = of("ww?w", &[(0.0, 60.0, Some(0))]);
    assert_eq!(measured.macro_f1, 1.0, "walking was the likeliest label of all four");
    // Precision 1, recall 3/4.
    assert!((measured.macro_f1_shown - 6.0 / 7.0).abs() < 1e-12);
    assert_eq!((measured.unknown, measured.unknown_of_others), (0.25, 0.0));
    assert_eq!(of("w???", &[(0.0, 60.0, None)]).unknown_of_others, 0.75);
}

#[test]
fn of_joined_recordings_only_delays_count() {
    let mut joined = sequence("wswswssss", &[(0.0, 4.0, Some(0)), (4.0, 16.0, Some(1))]);
    joined.joined = true;
    let measured = measured(vec![joined]);
    assert_eq!((measured.minutes, measured.flicker_per_minute, measured.changes), (0.0, 0.0, 1));
    assert_eq!(measured.delay_median, Some(1.0));
}

#[test]
fn nothing_measured_is_nothing_and_not_nan() {
    let measured = measured(Vec::new());
    assert_eq!((measured.delay_median, measured.delay_90), (None, None));
    assert_eq!((measured.flicker_per_minute, measured.macro_f1, measured.unknown), (0.0, 0.0, 0.0));
}
