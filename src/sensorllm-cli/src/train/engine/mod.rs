//! The training engine: one loop for every stage and reference model.
//!
//! [`fit`] takes a [`Task`] (what the data and the loss are), a model, [`FitSettings`] and a [`Run`] (where its state is
//! kept), and returns the best model by validation score. A run that was cut off goes on with the next step it had not
//! taken, on the CPU bit for bit as if nothing had happened.

mod average;
mod checkpoint;
mod configuration;
mod device;
mod error;
mod fit;
mod interrupt;
mod log;
mod means;
mod optimiser;
mod parameters;
mod plot;
mod progress;
mod run;
mod settings;
mod step;
mod task;

pub use error::RunError;
pub use fit::fit;
pub use interrupt::EXIT_STATUS;
#[cfg(test)]
pub use parameters::trained as trained_parameters;
pub use run::{Run, RunArgs};
pub use settings::FitSettings;
pub use task::{ConfusionMatrix, Losses, Task, Validation};

#[cfg(test)]
mod tests;
