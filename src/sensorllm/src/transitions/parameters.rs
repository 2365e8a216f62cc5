//! How fast labels may follow the windows: fitted on validation subjects, stored in the manifest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::UNKNOWN;

/// Seconds that an activity lasts where nothing else is known.
const DWELL_SECONDS: f32 = 100.0;
/// Seconds that `unknown` lasts where nothing else is known.
const UNKNOWN_SECONDS: f32 = 10.0;

/// Parameters of a [`Filter`](super::Filter). Fields that a manifest leaves out are as in the default, which suits windows of 2.56 s
/// and was fitted with the first default model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Rows from one window to the next that the parameters were fitted with and live windows are cut at; the manifest's own if absent.
    /// More windows than labels need make them steadier at the same delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop: Option<usize>,
    /// Expected dwell in seconds, by the name of a label or group or `unknown`; 100, and 10 of `unknown`, if not given. For a label of a group
    /// it is how long it lasts while the group does. Longer is steadier and slower.
    pub dwell_seconds: BTreeMap<String, f32>,
    /// What the log-probabilities of a window are multiplied by (the inverse of a temperature), times the share of the window that is
    /// new.
    pub evidence: f32,
    /// The same for telling the labels of a group apart.
    pub group_evidence: f32,
    /// Added to every probability of a window: how often a sure window is wrong. It bounds what one window can do.
    pub floor: f32,
    /// The probability of its answer at which a window speaks as much for `unknown` as for the answer.
    pub unknown_confidence: f32,
    /// The smoothed probability at which a new answer takes the place of the one that is shown.
    pub switch: f32,
    /// The smoothed probability, given its group, at which a label takes the place of another of the group.
    pub group_switch: f32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            hop: None,
            dwell_seconds: BTreeMap::new(),
            evidence: 2.0,
            group_evidence: 1.0,
            floor: 0.01,
            unknown_confidence: 0.3,
            switch: 0.5,
            group_switch: 0.5,
        }
    }
}

impl Parameters {
    /// Whether nothing was fitted.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Expected dwell of what is called `name`, in seconds.
    pub fn dwell(&self, name: &str) -> f64 {
        let usual = if name == UNKNOWN { UNKNOWN_SECONDS } else { DWELL_SECONDS };
        f64::from(self.dwell_seconds.get(name).copied().unwrap_or(usual))
    }

    /// What contradicts itself or names nothing among `names` (labels and groups); `None` if all is well.
    pub fn problem(&self, names: &[&str]) -> Option<String> {
        let share = |value: f32| (0.0..=1.0).contains(&value);
        let amount = |value: f32| value > 0.0 && value.is_finite();
        if self.hop == Some(0) {
            return Some("transitions.hop is 0".to_owned());
        }
        for (name, seconds) in &self.dwell_seconds {
            if name != UNKNOWN && !names.contains(&name.as_str()) {
                return Some(format!("transitions.dwell_seconds names `{name}`, which is no label or group"));
            }
            if !amount(*seconds) {
                return Some(format!("transitions.dwell_seconds of `{name}` is not a positive number"));
            }
        }
        if !(amount(self.evidence) && amount(self.group_evidence) && amount(self.floor)) {
            return Some("transitions: evidence, group_evidence and floor must be positive".to_owned());
        }
        if !(share(self.unknown_confidence) && share(self.switch) && share(self.group_switch)) {
            return Some(
                "transitions: unknown_confidence, switch and group_switch must be from 0 to 1".to_owned(),
            );
        }
        None
    }
}
