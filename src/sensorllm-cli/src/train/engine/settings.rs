//! How the weights are fitted: what every stage and reference model has in common.

use sensorllm::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Optimisation of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitSettings {
    /// Passes over the training data.
    pub epochs: usize,
    /// Peak learning rate of AdamW; it rises linearly in `warmup` and falls by half a cosine to zero at the last step.
    pub learning_rate: f64,
    /// Share of all steps in which the learning rate rises; 0.05 if not given.
    #[serde(default = "default_warmup")]
    pub warmup: f64,
    /// Decoupled weight decay; 0.01 if not given.
    #[serde(default = "default_weight_decay")]
    pub weight_decay: f32,
    /// Largest norm of one parameter's gradient, to which a larger one is scaled down; 1 if not given.
    #[serde(default = "default_gradient_norm")]
    pub gradient_norm: f32,
    /// Decay per step of the moving average of the weights, which is what is evaluated and kept. 0, the default, keeps the
    /// weights themselves.
    #[serde(default)]
    pub average_decay: f32,
    /// Seconds between checkpoints within an epoch; 180 if not given. Each epoch's end is a checkpoint too.
    #[serde(default = "default_checkpoint_seconds")]
    pub checkpoint_seconds: u64,
    /// Epochs without a better validation score after which the run ends early. 0, the default, never ends it.
    #[serde(default)]
    pub patience: usize,
    /// Steps between records in the log; 50 if not given.
    #[serde(default = "default_log_steps")]
    pub log_steps: usize,
}

fn default_warmup() -> f64 {
    0.05
}

fn default_weight_decay() -> f32 {
    0.01
}

fn default_gradient_norm() -> f32 {
    1.0
}

fn default_checkpoint_seconds() -> u64 {
    180
}

fn default_log_steps() -> usize {
    50
}

impl FitSettings {
    /// Settings with everything but these two at its default.
    #[cfg(test)]
    pub fn new(epochs: usize, learning_rate: f64) -> Self {
        Self {
            epochs,
            learning_rate,
            warmup: default_warmup(),
            weight_decay: default_weight_decay(),
            gradient_norm: default_gradient_norm(),
            average_decay: 0.0,
            checkpoint_seconds: default_checkpoint_seconds(),
            patience: 0,
            log_steps: default_log_steps(),
        }
    }

    /// Refuses values that no run can use.
    ///
    /// # Errors
    /// `InvalidInput`, naming the field.
    pub fn check(&self) -> Result<()> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let share = |value: f64| (0.0..1.0).contains(&value);
        let checks = [
            ("epochs", self.epochs > 0, "at least 1"),
            ("learning_rate", positive(self.learning_rate), "above 0"),
            ("warmup", share(self.warmup), "at least 0 and below 1"),
            ("weight_decay", self.weight_decay.is_finite() && self.weight_decay >= 0.0, "at least 0"),
            ("gradient_norm", positive(f64::from(self.gradient_norm)), "above 0"),
            ("average_decay", share(f64::from(self.average_decay)), "at least 0 and below 1"),
            ("log_steps", self.log_steps > 0, "at least 1"),
        ];
        match checks.into_iter().find(|(_, good, _)| !good) {
            None => Ok(()),
            Some((field, _, range)) => Err(Error::new(
                ErrorKind::InvalidInput,
                format!("`{field}` of the optimisation is out of range"),
                format!("give it a value of {range}"),
            )),
        }
    }

    /// The learning rate when `progress` of the run's steps, the present one included, are done: above 0, at most 1.
    pub fn learning_rate_at(&self, progress: f64) -> f64 {
        let share = if progress < self.warmup {
            progress / self.warmup
        } else {
            let fall = (progress - self.warmup) / (1.0 - self.warmup);
            0.5 * (1.0 + (std::f64::consts::PI * fall).cos())
        };
        self.learning_rate * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_rises_and_falls_to_zero() {
        let settings = FitSettings { warmup: 0.1, ..FitSettings::new(1, 2.0) };
        assert!((settings.learning_rate_at(0.05) - 1.0).abs() < 1e-9);
        assert!((settings.learning_rate_at(0.1) - 2.0).abs() < 1e-9);
        assert!((settings.learning_rate_at(0.55) - 1.0).abs() < 1e-9);
        assert!(settings.learning_rate_at(1.0).abs() < 1e-9);
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        assert!(FitSettings::new(3, 1e-3).check().is_ok());
        let error = FitSettings { warmup: 1.0, ..FitSettings::new(3, 1e-3) }.check().unwrap_err();
        assert!(error.message().contains("`warmup`"), "{error:?}");
        let error = FitSettings::new(3, f64::NAN).check().unwrap_err();
        assert!(error.message().contains("`learning_rate`"), "{error:?}");
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        let error =
            toml::from_str::<FitSettings>("epochs = 1\nlearning_rate = 1e-3\npatiance = 2\n").unwrap_err();
        assert!(error.to_string().contains("patiance"), "{error}");
    }
}
