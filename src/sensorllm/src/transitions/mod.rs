//! Steady labels: probabilities smoothed over time, `unknown` where no activity is likely, and what was entered and left.
//!
//! Each window is classified on its own, so its label flickers. A person goes on with what they do: [`Filter`] is the forward
//! pass of a hidden Markov model over the labels (Rabiner, "A tutorial on hidden Markov models", 1989), one step per window, which
//! uses nothing from the future and so works live. A state is left at the rate of its expected dwell, whatever the time between
//! windows; a window counts with the share of it that is new, because neighbours overlap and repeat each other.
//!
//! There are two levels. Above, a state for each label without a group, for each group, and for `unknown`, which no window speaks
//! for or against: it wins where every window is unsure. Below, a state for each label of a group, so that a posture that
//! cannot be told does not make stillness unlikely.
//!
//! ```text
//! Prediction ─► Filter ─► Steady { label or "unknown", probabilities, events: left this, entered that }
//! ```

mod filter;
mod labels;
mod parameters;

pub use filter::{Event, EventKind, Filter, Steady};
pub use labels::Labels;
pub use parameters::Parameters;

/// The label of a time at which no activity is likely enough.
pub const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests;
