//! Running means of the losses, which a checkpoint takes along bit for bit.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Means of the loss and its terms over some steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Means {
    steps: usize,
    total: Exact,
    terms: BTreeMap<String, Exact>,
}

impl Means {
    /// Takes in one step.
    pub fn add(&mut self, step: &StepLosses) {
        self.steps += 1;
        self.total.0 += f64::from(step.total);
        for (name, value) in &step.terms {
            self.terms.entry((*name).to_owned()).or_default().0 += f64::from(*value);
        }
    }

    /// Number of steps taken in.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Mean loss; 0 before the first step.
    pub fn loss(&self) -> f64 {
        self.total.0 / self.steps.max(1) as f64
    }

    /// Mean of each term.
    pub fn terms(&self) -> BTreeMap<String, f64> {
        let steps = self.steps.max(1) as f64;
        self.terms.iter().map(|(name, sum)| (name.clone(), sum.0 / steps)).collect()
    }
}

/// The losses of one step.
#[derive(Clone, Debug, Default)]
pub struct StepLosses {
    /// What was minimised.
    pub total: f32,
    /// Its terms.
    pub terms: Vec<(&'static str, f32)>,
}

/// A number that comes back from JSON as it was: it is written as text, because the JSON reader in use rounds the last
/// bit of some numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Exact(pub f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_survive_a_checkpoint_bit_for_bit() {
        let mut means = Means::default();
        for i in 0..1000u16 {
            let total = 1.0 / (f32::from(i) + 0.3);
            means.add(&StepLosses { total, terms: vec![("llm", total * 0.7)] });
        }
        let text = serde_json::to_string(&means).expect("JSON");
        assert_eq!(serde_json::from_str::<Means>(&text).expect("means"), means);
        assert_eq!(means.terms().keys().collect::<Vec<_>>(), ["llm"]);
        assert!((means.terms()["llm"] / means.loss() - 0.7).abs() < 1e-6);
    }

    #[test]
    fn what_is_no_number_survives_too() {
        let text = serde_json::to_string(&Exact(f64::NAN)).expect("JSON");
        assert!(serde_json::from_str::<Exact>(&text).expect("a number").0.is_nan());
    }
}
