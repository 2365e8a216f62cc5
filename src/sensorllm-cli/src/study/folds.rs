//! Who trains, who chooses and who is tested: the folds of a protocol, drawn over subjects and never over windows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// Subjects by data set.
pub type Subjects = BTreeMap<String, Vec<String>>;

/// One division of subjects. No subject is in two parts of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// Those whose windows train.
    pub train: Subjects,
    /// Those on which the epoch is chosen and the temperature fitted; taken from the training side.
    pub validation: Subjects,
    /// Those that are tested. They choose nothing.
    pub test: Subjects,
}

impl Fold {
    /// Refuses a subject in two parts, and a fold that trains, chooses or tests on nobody.
    pub fn check(self) -> Result<Self> {
        let parts = [("training", &self.train), ("validation", &self.validation), ("test", &self.test)];
        let mut seen: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for (part, subjects) in parts {
            if subjects.values().all(Vec::is_empty) {
                bail!("there is no subject for {part}");
            }
            for (set, subject) in subjects.iter().flat_map(|(set, all)| all.iter().map(move |s| (set, s))) {
                if let Some(other) = seen.insert((set, subject), part) {
                    bail!("subject {subject} of {set} is in both {other} and {part}");
                }
            }
        }
        Ok(self)
    }
}

/// Leave-subjects-out: the subjects of every set are dealt into `folds` groups, each of which is tested once while the
/// others train, save `validation` of each set, which choose. Which subjects those are goes round, so that everyone chooses
/// about equally often. The order is drawn from `seed`; equal arguments give equal folds.
pub fn leave_subjects_out(all: &Subjects, folds: usize, validation: usize, seed: u64) -> Result<Vec<Fold>> {
    if folds < 2 {
        bail!("leaving subjects out needs at least 2 folds");
    }
    if validation == 0 {
        bail!("at least one subject must be kept for validation");
    }
    let mut divided = vec![Fold::default(); folds];
    for (set, subjects) in all {
        if subjects.len() < folds || subjects.len() < subjects.len().div_ceil(folds) + validation + 1 {
            bail!(
                "{set} has too few subjects ({}) for {folds} folds with {validation} for validation",
                subjects.len()
            );
        }
        let subjects = shuffled(subjects, seed);
        let count = subjects.len();
        for (number, fold) in divided.iter_mut().enumerate() {
            // Group `number` is every `folds`-th subject; those after the group's first that are not in it choose.
            let test: BTreeSet<usize> = (number..count).step_by(folds).collect();
            let others = (0..count).map(|i| (number + i) % count).filter(|i| !test.contains(i));
            let chosen: BTreeSet<usize> = others.take(validation).collect();
            let pick = |wanted: &dyn Fn(usize) -> bool| {
                let mut names: Vec<String> =
                    (0..count).filter(|i| wanted(*i)).map(|i| subjects[i].clone()).collect();
                names.sort();
                names
            };
            fold.test.insert(set.clone(), pick(&|i| test.contains(&i)));
            fold.validation.insert(set.clone(), pick(&|i| chosen.contains(&i)));
            fold.train.insert(set.clone(), pick(&|i| !test.contains(&i) && !chosen.contains(&i)));
        }
    }
    divided.into_iter().map(Fold::check).collect()
}

/// Training on some sets and testing on others, whole: `validation` subjects of every training set, drawn from `seed`,
/// choose.
pub fn across(train: &Subjects, test: &Subjects, validation: usize, seed: u64) -> Result<Fold> {
    let mut fold = Fold { test: test.clone(), ..Fold::default() };
    for (set, subjects) in train {
        if subjects.len() <= validation {
            bail!("{set} has too few subjects ({}) to keep {validation} for validation", subjects.len());
        }
        let mut chosen = shuffled(subjects, seed);
        let mut rest = chosen.split_off(validation);
        chosen.sort();
        rest.sort();
        fold.validation.insert(set.clone(), chosen);
        fold.train.insert(set.clone(), rest);
    }
    fold.check()
}

fn shuffled(subjects: &[String], seed: u64) -> Vec<String> {
    let mut subjects = subjects.to_vec();
    // The order in the file must not matter.
    subjects.sort();
    subjects.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(count: usize) -> Subjects {
        Subjects::from([("set".to_owned(), (1..=count).map(|i| format!("s{i:02}")).collect())])
    }

    fn of(part: &Subjects) -> &[String] {
        &part["set"]
    }

    #[test]
    fn everyone_is_tested_once_and_never_chooses_then() {
        for (count, folds, validation) in [(11, 11, 2), (11, 4, 2), (20, 5, 3), (6, 2, 1)] {
            let divided =
                leave_subjects_out(&subjects(count), folds, validation, 1).expect("enough subjects");
            assert_eq!(divided.len(), folds);
            let mut tested: Vec<String> = divided.iter().flat_map(|fold| of(&fold.test).to_vec()).collect();
            tested.sort();
            assert_eq!(tested, subjects(count)["set"]);
            for fold in &divided {
                assert_eq!(of(&fold.validation).len(), validation);
                assert_eq!(of(&fold.train).len() + validation + of(&fold.test).len(), count);
            }
            let choosing: BTreeSet<&String> = divided.iter().flat_map(|fold| of(&fold.validation)).collect();
            assert!(choosing.len() >= folds.min(count - 1), "choosing goes round: {choosing:?}");
        }
    }

    #[test]
    fn the_seed_decides_and_the_order_in_the_file_does_not() {
        let all = subjects(11);
        let mut reversed = all.clone();
        reversed.get_mut("set").expect("the set").reverse();
        let first = leave_subjects_out(&all, 4, 2, 1).expect("enough subjects");
        assert_eq!(first, leave_subjects_out(&reversed, 4, 2, 1).expect("enough subjects"));
        assert_ne!(first, leave_subjects_out(&all, 4, 2, 2).expect("enough subjects"));
    }

    #[test]
    fn another_set_is_tested_whole() {
        let other = Subjects::from([("other".to_owned(), vec!["s01".to_owned()])]);
        // The same name in another set is another person.
        let fold = across(&subjects(5), &other, 2, 1).expect("enough subjects");
        assert_eq!((of(&fold.train).len(), of(&fold.validation).len()), (3, 2));
        assert_eq!(fold.test, other);
    }

    #[test]
    fn impossible_divisions_are_refused() {
        for (folds, validation) in [(1, 1), (5, 1), (2, 0), (2, 2)] {
            assert!(leave_subjects_out(&subjects(4), folds, validation, 1).is_err(), "{folds} {validation}");
        }
        assert!(across(&subjects(2), &subjects(1), 2, 1).is_err());
        let error =
            across(&subjects(5), &subjects(5), 1, 1).expect_err("trained and tested on the same people");
        assert!(error.to_string().contains("in both"), "{error}");
    }
}
