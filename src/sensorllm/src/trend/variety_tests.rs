//! There are at least as many ways to say things as SensorLLM has, not counting the words for channels and trends.

use std::collections::BTreeSet;

use super::Family;
use super::clause::{CLAUSES, Clause, patterns_of};
use super::lexicon::meanings;
use super::pattern::Pattern;
use super::question::{QUESTIONS, questions_of};

fn distinct<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> usize {
    let wordings: Vec<String> = patterns.flat_map(Pattern::every).collect();
    let distinct: BTreeSet<String> =
        wordings.iter().map(|words| words.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    distinct.len()
}

#[test]
fn questions_have_more_wordings_than_sensorllm_has() {
    // SensorLLM has 33, 34 and 36; the other families are ours.
    for family in Family::ALL {
        let least = match family {
            Family::TrendList => 34,
            Family::Interval => 35,
            Family::TrendSummary => 37,
            _ => 20,
        };
        let count = distinct(questions_of(family));
        assert!(count >= least, "{family}: {count}");
    }
}

#[test]
fn answers_have_more_wordings_than_sensorllm_has() {
    let least = [
        (Clause::Count, 7),
        (Clause::About, 42),
        (Clause::Parts, 34),
        (Clause::Throughout, 33),
        (Clause::Total, 29),
        (Clause::Further, 22),
        (Clause::Overall, 26),
    ];
    for (clause, least) in least {
        let count = distinct(patterns_of(clause));
        assert!(count >= least, "{clause:?}: {count}");
    }
    let items = [Clause::VerbItem, Clause::NounItem, Clause::AdjectiveItem]
        .map(|clause| distinct(patterns_of(clause)));
    assert!(items.iter().sum::<usize>() > 6, "{items:?}");
}

#[test]
fn every_pattern_is_well_formed_and_every_field_is_known() {
    let texts = CLAUSES.iter().map(|(_, text)| *text).chain(QUESTIONS.iter().map(|(_, text)| *text));
    for text in texts {
        assert_eq!(text.matches('(').count(), text.matches(')').count(), "{text}");
        for piece in text.split(['{', '}']).skip(1).step_by(2) {
            // A number or one of the lexicon's phrases.
            let numbers = [
                "start",
                "end",
                "until",
                "duration",
                "total",
                "count",
                "length",
                "from",
                "to",
                "mean",
                "deviation",
                "lowest",
                "highest",
                "frequency",
                "steps",
                "tilt",
                "percent",
            ];
            let known = numbers.contains(&piece)
                || piece == "label"
                || meanings(piece, &["1.0"]).iter().all(|(length, _)| *length == 0);
            assert!(known, "{piece} in {text}");
        }
    }
}
