//! A fitted filter is steady, still fast, and right.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sensorllm::Prediction;

use super::super::sequence::{Sequence, Stretch};
use super::*;

fn labels() -> Vec<Label> {
    let label = |name: &str, group: Option<&str>| Label { name: name.into(), group: group.map(Into::into) };
    vec![
        label("walking", None),
        label("running", None),
        label("sitting", Some("still")),
        label("standing", Some("still")),
    ]
}

/// Twenty seconds of each label in turn, in windows of 2 s every half second, of which one in twelve is confidently wrong.
fn sequence(seed: u64) -> Sequence {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let names = labels();
    let mut predictions = Vec::new();
    for index in 0..320 {
        let end = 2.0 + f64::from(index) * 0.5;
        // A window shows what most of it is.
        let truth = ((end - 1.0) / 20.0) as usize % 4;
        let likeliest = if random.random_bool(1.0 / 12.0) { random.random_range(0..4) } else { truth };
        let mut probabilities = vec![0.05; 4];
        probabilities[likeliest] = 0.85;
        predictions.push(Prediction {
            start_seconds: end - 2.0,
            end_seconds: end,
            label: names[likeliest].name.clone(),
            confidence: 0.85,
            probabilities,
        });
    }
    let stretch = |index: usize| Stretch {
        start: 20.0 * index as f64,
        end: 20.0 * (index + 1) as f64,
        label: Some(index % 4),
    };
    Sequence { person: seed as usize, joined: false, predictions, stretches: (0..8).map(stretch).collect() }
}

#[test]
fn what_is_fitted_on_some_is_steady_fast_and_right_on_others() {
    let labels = labels();
    let set = |sequences| Predicted { member_share: Some(0.5), sequences };
    let Fitted { parameters: fitted, aims } = fit(&labels, &[set(vec![sequence(1), sequence(2)])]);
    assert_eq!(aims.iter().map(|aim| aim.less_flicker).collect::<Vec<_>>(), LESS_FLICKER);
    assert!(aims.iter().all(|aim| aim.flicker_per_minute < 5.0), "{aims:?}");
    assert_eq!(fitted.problem(&["walking", "running", "sitting", "standing", "still"]), None);
    let others = set(vec![sequence(3), sequence(4)]);
    let before = measure(&labels, others.raw());
    let after = measure(&labels, others.smoothed(&labels, &fitted));
    assert!(before.flicker_per_minute > 5.0, "{before:?}");
    assert!(after.flicker_per_minute * 5.0 <= before.flicker_per_minute, "{after:?}");
    assert!(after.macro_f1_shown >= before.macro_f1_shown, "{after:?} after {before:?}");
    assert!(after.delay_median.is_some_and(|delay| delay <= 3.0) && after.missed == 0, "{after:?}");
}

#[test]
fn one_person_is_not_parted() {
    let alone = Predicted { member_share: Some(0.5), sequences: vec![sequence(2)] };
    assert_eq!(fit(&labels(), &[alone]).aims, []);
}
