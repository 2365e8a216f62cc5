//! What a filter shows of made-up predictions: steady, quick enough, unsure where it should be, and never out of bounds.

use proptest::prelude::*;

use super::*;
use crate::manifest::Label;

const WALKING: [f32; 4] = [0.94, 0.02, 0.02, 0.02];
const RUNNING: [f32; 4] = [0.02, 0.94, 0.02, 0.02];
const SITTING: [f32; 4] = [0.02, 0.02, 0.94, 0.02];
const STANDING: [f32; 4] = [0.02, 0.02, 0.02, 0.94];

/// Walking and running; sitting and standing, which are told apart where `told`.
fn labels(told: bool) -> Labels {
    let label = |name: &str, group: Option<&str>| Label { name: name.into(), group: group.map(Into::into) };
    let labels = [
        label("walking", None),
        label("running", None),
        label("sitting", Some("still")),
        label("standing", Some("still")),
    ];
    Labels::new(&labels, told.then_some(0.6))
}

fn filter() -> Filter {
    Filter::new(labels(true), Parameters::default())
}

/// What is shown at the end of each of these windows of 2.56 s, one every 1.28 s.
fn shown(filter: &mut Filter, windows: &[[f32; 4]]) -> Vec<Steady> {
    let step = |(index, window): (usize, &[f32; 4])| {
        filter.step(index as f64 * 1.28, index as f64 * 1.28 + 2.56, window)
    };
    windows.iter().enumerate().map(step).collect()
}

fn names(shown: &[Steady]) -> Vec<&str> {
    shown.iter().map(|steady| steady.label.as_str()).collect()
}

fn events(shown: &[Steady]) -> Vec<(&str, &str)> {
    let events = shown.iter().flat_map(|steady| &steady.events);
    events.map(|event| (event.kind.name(), event.label.as_str())).collect()
}

#[test]
fn one_wrong_window_changes_nothing() {
    let shown = shown(&mut filter(), &[WALKING, WALKING, WALKING, RUNNING, WALKING, WALKING]);
    assert!(names(&shown).iter().all(|name| *name == "walking"), "{:?}", names(&shown));
    assert_eq!(events(&shown), [("enter", "walking")]);
    assert!(shown[3].confidence < shown[2].confidence, "but it is less sure");
}

#[test]
fn a_change_is_shown_within_three_seconds_of_full_windows() {
    let mut windows = vec![WALKING; 8];
    windows.extend([RUNNING; 4]);
    let shown = shown(&mut filter(), &windows);
    assert_eq!(shown[7].label, "walking");
    assert_eq!(shown[10].label, "running", "three windows, of which the first may be half old");
    assert_eq!(events(&shown), [("enter", "walking"), ("exit", "walking"), ("enter", "running")]);
    let entered = shown.iter().flat_map(|steady| &steady.events).last().expect("an event");
    let at = shown.iter().position(|steady| steady.label == "running").expect("shown");
    assert_eq!(entered.seconds, at as f64 * 1.28 + 2.56, "when it was decided");
}

#[test]
fn windows_that_say_nothing_are_unknown_and_exit() {
    let nothing = [[0.3, 0.3, 0.2, 0.2]; 20];
    let mut windows = vec![WALKING; 4];
    windows.extend(nothing);
    windows.extend([WALKING; 8]);
    // Sure enough is more than 0.5 here, so that 0.4 for `still` is not.
    let parameters = Parameters { unknown_confidence: 0.5, ..Parameters::default() };
    let shown = shown(&mut Filter::new(labels(true), parameters), &windows);
    assert_eq!(shown[23].label, UNKNOWN);
    assert!(shown[23].unknown > 0.5 && shown[23].confidence == shown[23].unknown);
    assert_eq!(shown[31].label, "walking");
    assert_eq!(events(&shown), [("enter", "walking"), ("exit", "walking"), ("enter", "walking")]);
}

#[test]
fn a_posture_that_cannot_be_told_is_still_and_not_unknown() {
    let windows = [[0.02, 0.02, 0.48, 0.48]; 30];
    let shown = shown(&mut filter(), &windows);
    assert_eq!(shown[29].label, "still");
    assert!(shown[29].confidence > 0.9 && shown[29].unknown < 0.1, "{:?}", shown[29]);
    assert_eq!(events(&shown), [("enter", "still")]);
}

#[test]
fn postures_are_told_only_where_they_can_be() {
    let sitting = shown(&mut filter(), &[SITTING; 5]);
    assert_eq!(sitting[4].label, "sitting");
    let anywhere = shown(&mut Filter::new(labels(false), Parameters::default()), &[SITTING; 5]);
    assert_eq!(anywhere[4].label, "still");
    assert_eq!(anywhere[4].probabilities, sitting[4].probabilities);
}

#[test]
fn a_posture_changes_as_an_activity_does() {
    let mut windows = vec![SITTING; 6];
    windows.push(STANDING);
    windows.extend([SITTING; 4]);
    windows.extend([STANDING; 8]);
    let shown = shown(&mut filter(), &windows);
    assert_eq!(events(&shown), [("enter", "sitting"), ("exit", "sitting"), ("enter", "standing")]);
}

#[test]
fn a_long_gap_ends_what_was_shown_where_it_was_last_seen() {
    let mut filter = filter();
    shown(&mut filter, &[WALKING; 4]);
    // The last window ended at 6.4 s.
    let after = filter.step(60.0, 62.56, &RUNNING);
    let exit = Event { kind: EventKind::Exit, label: "walking".to_owned(), seconds: 6.4 };
    assert_eq!(
        after.events.first().map(|event| (event.kind, event.label.clone())),
        Some((exit.kind, exit.label))
    );
    assert!((after.events[0].seconds - 6.4).abs() < 1e-9);
    assert_eq!(after, {
        let mut new = filter_after(&RUNNING);
        new.events.splice(0..0, after.events[..1].to_vec());
        new
    });
}

/// What a new filter shows after one window at 60 s.
fn filter_after(window: &[f32; 4]) -> Steady {
    filter().step(60.0, 62.56, window)
}

#[test]
fn a_short_gap_goes_on_and_makes_a_change_likelier() {
    let after = |gap: f64| {
        let mut filter = filter();
        shown(&mut filter, &[WALKING; 6]);
        // The last window ended at 8.96 s.
        filter.step(8.96 + gap, 8.96 + gap + 2.56, &RUNNING)
    };
    assert!(after(0.0).events.iter().all(|event| event.kind == EventKind::Enter || event.seconds > 9.0));
    assert!(after(9.0).probabilities[1] > after(0.0).probabilities[1]);
}

#[test]
fn a_clock_that_is_set_back_starts_anew() {
    let mut filter = filter();
    shown(&mut filter, &[WALKING; 6]);
    let after = filter.step(1.0, 3.56, &RUNNING);
    assert_eq!(after.events[0].kind, EventKind::Exit);
    assert_eq!(after.probabilities, self::filter().step(1.0, 3.56, &RUNNING).probabilities);
}

#[test]
fn the_same_window_twice_counts_once() {
    let mut filter = filter();
    let once = filter.step(0.0, 2.56, &WALKING);
    let twice = filter.step(0.0, 2.56, &WALKING);
    for (one, two) in once.probabilities.iter().zip(&twice.probabilities) {
        assert!((one - two).abs() < 1e-6);
    }
}

#[test]
fn more_windows_of_the_same_time_say_about_as_much() {
    let sure = |hop: f64| {
        let mut filter = filter();
        let mut last = filter.step(0.0, 2.56, &WALKING);
        for index in 1..=(5.12 / hop) as usize {
            last = filter.step(index as f64 * hop, index as f64 * hop + 2.56, &RUNNING);
        }
        last.probabilities[1]
    };
    assert!((sure(1.28) - sure(0.32)).abs() < 0.05, "{} and {}", sure(1.28), sure(0.32));
}

#[test]
fn finishing_exits_once() {
    let mut filter = filter();
    assert_eq!(filter.finish(), None);
    shown(&mut filter, &[WALKING; 3]);
    assert_eq!(filter.finish().map(|event| event.label), Some("walking".to_owned()));
    assert_eq!(filter.finish(), None);
}

#[test]
fn parameters_that_cannot_be_are_named() {
    let names = ["walking", "still"];
    let problem = |change: fn(&mut Parameters)| {
        let mut parameters = Parameters::default();
        change(&mut parameters);
        parameters.problem(&names)
    };
    assert_eq!(problem(|_| ()), None);
    assert_eq!(problem(|p| p.dwell_seconds.extend([(UNKNOWN.into(), 3.0)])), None);
    let unknown = problem(|p| p.dwell_seconds.extend([("flying".into(), 3.0)]));
    assert!(unknown.is_some_and(|text| text.contains("flying")));
    assert!(problem(|p| p.dwell_seconds.extend([("still".into(), 0.0)])).is_some());
    assert!(problem(|p| p.evidence = f32::NAN).is_some());
    assert!(problem(|p| p.floor = 0.0).is_some());
    assert!(problem(|p| p.switch = 1.5).is_some());
    assert!(problem(|p| p.hop = Some(0)).is_some());
}

#[test]
fn parameters_may_be_left_out_but_not_misspelt() {
    let parse = |json: &str| serde_json::from_str::<Parameters>(json);
    assert_eq!(parse("{}").expect("all have defaults"), Parameters::default());
    assert_eq!(parse(r#"{"hop": 32}"#).expect("one is given").hop, Some(32));
    assert!(parse(r#"{"dwel_seconds": {}}"#).is_err());
}

/// A window: its start relative to the last one's, its length and four numbers that may be anything.
fn any_window() -> impl Strategy<Value = (f64, f64, Vec<f32>)> {
    let number =
        prop_oneof![8 => 0.0f32..1.0, 1 => Just(f32::NAN), 1 => Just(0.0), 1 => Just(1.0), 1 => Just(-1.0)];
    let step = prop_oneof![8 => 0.0f64..3.0, 1 => -100.0f64..100.0, 1 => Just(0.0)];
    (step, 0.0f64..5.0, prop::collection::vec(number, 3..6))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_comes_it_shows_probabilities_and_events_that_fit_its_labels(
        windows in prop::collection::vec(any_window(), 1..60),
        told: bool,
        switch in 0.0f32..1.0,
    ) {
        let mut filter = Filter::new(labels(told), Parameters { switch, group_switch: switch, ..Parameters::default() });
        let (mut start, mut open, mut clock) = (0.0, None::<String>, f64::NEG_INFINITY);
        for (step, length, probabilities) in windows {
            start += step;
            let steady = filter.step(start, start + length, &probabilities);
            let sum = steady.probabilities.iter().sum::<f32>() + steady.unknown;
            prop_assert!((sum - 1.0).abs() < 1e-4, "{sum}");
            prop_assert!(steady.probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!((0.0..=1.0001).contains(&steady.confidence));
            for event in &steady.events {
                // A clock that is set back is the only reason for an event before another.
                prop_assert!(event.seconds >= clock || step < 0.0 || start + length < clock);
                clock = event.seconds;
                match event.kind {
                    EventKind::Enter => prop_assert_eq!(open.replace(event.label.clone()), None),
                    EventKind::Exit => prop_assert_eq!(open.take(), Some(event.label.clone())),
                }
            }
            prop_assert_eq!(open.as_deref().unwrap_or(UNKNOWN), steady.label.as_str());
        }
        prop_assert_eq!(filter.finish().map(|event| event.label), open);
    }
}
