//! What a study is told: a TOML file of protocols (who trains, who is tested), arms (what is trained) and tables (which arms
//! are compared on which protocols).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sensorllm::{Error, ErrorKind};
use serde::Deserialize;

use super::overrides;
use crate::reference::Reference;

/// A study.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// The training configuration that protocols and arms change, relative to the study's file.
    pub config: PathBuf,
    /// Every run is done once per seed: initial weights, order and variation of the windows.
    pub seeds: Vec<u64>,
    /// Changes to the training configuration for every run; see [`Arm::set`].
    #[serde(default)]
    pub set: toml::Table,
    /// Who trains and who is tested, by name.
    pub protocols: BTreeMap<String, Protocol>,
    /// What is trained, by name.
    pub arms: BTreeMap<String, Arm>,
    /// The comparisons, in the order of the report.
    pub tables: Vec<Comparison>,
}

/// Who trains and who is tested.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// What it is, for the report.
    pub title: String,
    /// Data sets that train, by folder name.
    pub train: Vec<String>,
    /// How subjects are divided.
    pub design: Design,
    /// Another training configuration than the study's, relative to the study's file.
    pub config: Option<PathBuf>,
    /// Changes to the training configuration; see [`Arm::set`].
    #[serde(default)]
    pub set: toml::Table,
}

/// How the subjects of a protocol are divided.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Design {
    /// As a splits file says.
    Split {
        /// The file, relative to the study's.
        splits: PathBuf,
    },
    /// Each subject is tested once, in one of several folds.
    LeaveSubjectsOut {
        /// Number of folds; as many as subjects leaves one out at a time.
        folds: usize,
        /// Subjects of the training side, per set, that choose the epoch.
        validation: usize,
        /// What the folds are drawn from. The same for all arms and seeds of a study.
        #[serde(default)]
        seed: u64,
    },
    /// Other sets are tested, whole. Labels in common are those the configuration lists: activities without one of its
    /// labels neither train nor test.
    Across {
        /// The sets that are tested.
        test: Vec<String>,
        /// Subjects per training set that choose the epoch.
        validation: usize,
        /// What they are drawn from.
        #[serde(default)]
        seed: u64,
    },
}

/// What is trained.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// What it is, for the report.
    pub title: String,
    /// A reference model in place of SensorLLM.
    pub reference: Option<Reference>,
    /// Changes to the training configuration by dotted paths, such as `"model.head" = "encoder"`. A table replaces the one
    /// that was there. The study's changes come first, then the protocol's, then the arm's.
    #[serde(default)]
    pub set: toml::Table,
    /// Share of the labelled training windows that is used, of each subject and activity alike; at least one window of each.
    /// An epoch has as many steps as with all labels.
    #[serde(default = "whole")]
    pub labels: f64,
}

fn whole() -> f64 {
    1.0
}

/// Arms that are compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Its name, for `--only`.
    pub name: String,
    /// Heading in the report.
    pub title: String,
    /// What the comparison asks, for the report.
    pub question: String,
    /// The arms, in the order of the rows.
    pub arms: Vec<String>,
    /// The protocols.
    pub protocols: Vec<String>,
    /// Whether F1 of every class is reported as well.
    #[serde(default)]
    pub classes: bool,
}

/// One training of one arm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunKey {
    /// Name of the arm.
    pub arm: String,
    /// Name of the protocol.
    pub protocol: String,
    /// Number of the fold, from 0.
    pub fold: usize,
    /// The seed.
    pub seed: u64,
}

impl Study {
    /// Reads a study's file and checks that tables name arms and protocols that exist.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let study: Self =
            toml::from_str(&text).with_context(|| format!("{} is not a study", path.display()))?;
        study.check().map_err(|problem| {
            let message = format!("{} contradicts itself: {problem}", path.display());
            Error::new(ErrorKind::InvalidInput, message, "correct the study's file")
        })?;
        Ok(study)
    }

    fn check(&self) -> Result<()> {
        if self.seeds.is_empty() {
            bail!("`seeds` is empty");
        }
        let mut names = BTreeSet::new();
        for table in &self.tables {
            if !names.insert(&table.name) {
                bail!("two tables are named {}", table.name);
            }
            if let Some(arm) = table.arms.iter().find(|arm| !self.arms.contains_key(*arm)) {
                bail!("table {} names the arm {arm}, which is not described", table.name);
            }
            if let Some(protocol) = table.protocols.iter().find(|name| !self.protocols.contains_key(*name)) {
                bail!("table {} names the protocol {protocol}, which is not described", table.name);
            }
        }
        for (name, arm) in &self.arms {
            if !(arm.labels > 0.0 && arm.labels <= 1.0) {
                bail!("arm {name}: `labels` is a share above 0 and at most 1, not {}", arm.labels);
            }
        }
        Ok(())
    }

    /// Keeps what `only` names: tables whole, or single arms or protocols of all tables. Everything if it names nothing.
    pub fn keep(&mut self, only: &[String]) -> Result<()> {
        let (mut tables, mut arms, mut protocols) = (Vec::new(), Vec::new(), Vec::new());
        for name in only {
            if self.tables.iter().any(|table| table.name == *name) {
                tables.push(name);
            } else if self.arms.contains_key(name) {
                arms.push(name);
            } else if self.protocols.contains_key(name) {
                protocols.push(name);
            } else {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("the study has no table, arm or protocol named {name}"),
                    "`sensorllm study --list` prints the arms and protocols; tables are in the study's file",
                )
                .into());
            }
        }
        self.tables.retain(|table| tables.is_empty() || tables.contains(&&table.name));
        for table in &mut self.tables {
            table.arms.retain(|arm| arms.is_empty() || arms.contains(&arm));
            table.protocols.retain(|protocol| protocols.is_empty() || protocols.contains(&protocol));
        }
        self.tables.retain(|table| !table.arms.is_empty() && !table.protocols.is_empty());
        Ok(())
    }

    /// The pairs of arm and protocol that the tables ask for, each once, in the order of the tables.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for table in &self.tables {
            for protocol in &table.protocols {
                for arm in &table.arms {
                    let pair = (arm.clone(), protocol.clone());
                    if !pairs.contains(&pair) {
                        pairs.push(pair);
                    }
                }
            }
        }
        pairs
    }

    /// The training configuration of an arm on a protocol: the file's, changed by study, protocol and arm, with the
    /// protocol's data sets and the seed. `folder` is the folder of the study's file.
    pub fn config(&self, folder: &Path, key: &RunKey) -> Result<toml::Table> {
        let (protocol, arm) = (&self.protocols[&key.protocol], &self.arms[&key.arm]);
        let path = folder.join(protocol.config.as_ref().unwrap_or(&self.config));
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut config: toml::Table =
            text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
        for changes in [&self.set, &protocol.set, &arm.set] {
            overrides::apply(&mut config, changes)
                .with_context(|| format!("arm {} on {}", key.arm, key.protocol))?;
        }
        let sets = protocol.train.iter().map(|set| toml::Value::String(set.clone())).collect();
        config.insert("datasets".to_owned(), toml::Value::Array(sets));
        let seed = i64::try_from(key.seed).context("a seed must be less than 2^63")?;
        config.insert("seed".to_owned(), toml::Value::Integer(seed));
        Ok(config)
    }
}

impl std::fmt::Display for RunKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}, fold {}, seed {}", self.arm, self.protocol, self.fold + 1, self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = r#"
config = "base.toml"
seeds = [1, 2, 3]
set = { "a" = 1, "b.c" = 1 }

[protocols.one]
title = "One set"
train = ["x"]
design = { kind = "leave_subjects_out", folds = 2, validation = 1 }
set = { "b.c" = 2 }

[protocols.two]
title = "Another set"
train = ["x", "y"]
design = { kind = "across", test = ["z"], validation = 1 }

[arms.full]
title = "As it is"

[arms.cnn]
title = "A CNN"
reference = "cnn"
labels = 0.1
set = { "b.c" = 3 }

[[tables]]
name = "first"
title = "First"
question = "Which?"
arms = ["full", "cnn"]
protocols = ["one", "two"]

[[tables]]
name = "second"
title = "Second"
question = "Which?"
arms = ["full"]
protocols = ["one"]
"#;

    fn study() -> Study {
        let study: Study = toml::from_str(STUDY).expect("a study");
        study.check().expect("without contradictions");
        study
    }

    fn names(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
        pairs.iter().map(|(arm, protocol)| (arm.as_str(), protocol.as_str())).collect()
    }

    #[test]
    fn what_several_tables_show_is_trained_once() {
        let pairs = study().pairs();
        assert_eq!(names(&pairs), [("full", "one"), ("cnn", "one"), ("full", "two"), ("cnn", "two")]);
    }

    #[test]
    fn only_picks_tables_arms_and_protocols() {
        let kept = |only: &[&str]| {
            let mut study = study();
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            study.keep(&only).map(|()| study.pairs())
        };
        assert_eq!(kept(&[]).expect("all").len(), 4);
        assert_eq!(names(&kept(&["second"]).expect("a table")), [("full", "one")]);
        assert_eq!(names(&kept(&["cnn"]).expect("an arm")), [("cnn", "one"), ("cnn", "two")]);
        assert_eq!(names(&kept(&["cnn", "two"]).expect("both")), [("cnn", "two")]);
        assert!(kept(&["third"]).expect_err("unknown").to_string().contains("third"));
    }

    #[test]
    fn arms_have_the_last_word() {
        let folder = std::env::temp_dir().join(format!("sensorllm-plan-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("created");
        std::fs::write(folder.join("base.toml"), "seed = 9\ndatasets = []\n[b]\nc = 0\nd = 0\n")
            .expect("written");
        let key = |arm: &str, protocol: &str| RunKey {
            arm: arm.to_owned(),
            protocol: protocol.to_owned(),
            fold: 0,
            seed: 5,
        };
        let config =
            |arm, protocol| study().config(&folder, &key(arm, protocol)).expect("merged").to_string();
        assert_eq!(
            config("full", "two"),
            "seed = 5\ndatasets = [\"x\", \"y\"]\na = 1\n\n[b]\nc = 1\nd = 0\n"
                .parse::<toml::Table>()
                .expect("TOML")
                .to_string()
        );
        assert!(config("full", "one").contains("c = 2"));
        assert!(config("cnn", "one").contains("c = 3"));
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |from: &str, to: &str| {
            let study: Result<Study, _> = toml::from_str(&STUDY.replace(from, to));
            study.map_or(true, |study| study.check().is_err())
        };
        assert!(!refused("As it is", "as it is"));
        assert!(refused("[1, 2, 3]", "[]"));
        assert!(refused(r#"["full", "cnn"]"#, r#"["full", "rnn"]"#));
        assert!(refused(r#"["one", "two"]"#, r#"["three"]"#));
        assert!(refused("labels = 0.1", "labels = 0.0"));
        assert!(refused(r#"name = "second""#, r#"name = "first""#));
        assert!(refused(r#"reference = "cnn""#, r#"reference = "forest""#));
        assert!(refused("validation = 1", "validation = 1, subjects = 3"));
    }
}
