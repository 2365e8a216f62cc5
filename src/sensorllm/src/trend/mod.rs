//! The language of trends: what a stretch of motion does, in questions and true answers.
//!
//! ```text
//! Window ─► Facts ──┬─► sheet      the facts a question needs, in plain words, numbers as slots `<0>`, `<1>` …
//!    (extractor)    └─► exchange   a question, its sheet and an answer in the same slots, drawn by a seed
//! ```
//!
//! A language model trained on exchanges reads sheet and question and writes the answer; [`Sheet::render`] puts the exact numbers
//! in. The trends are those of SensorLLM (arXiv 2410.10624), sample by sample ([`exact`]), or smoothed as a person would tell them
//! ([`smoothed`]); all wording is this project's own.
//!
//! ```
//! use sensorllm::{sensor::Window, trend};
//! # fn main() -> sensorllm::Result<()> {
//! // A phone on its back, lifted up and put down again.
//! let lift = |row: usize| if row < 64 { row as f32 / 32.0 } else { 4.0 - row as f32 / 32.0 };
//! let window = Window {
//!     start_seconds: 0.0,
//!     end_seconds: 2.56,
//!     acceleration: (0..128).map(|row| [0.0, 0.0, 9.0 + lift(row)]).collect(),
//!     rotation_rate: vec![[f32::NAN; 3]; 128],
//! };
//! let facts = trend::Facts::of(&window, 50.0, &[]);
//! let asked = trend::recognise("How does z acceleration change?");
//! let sheet = trend::sheet(&facts, &asked);
//! assert_eq!(sheet.text, "trends ; z acceleration ; rising <0> <1> <2> ; falling <3> <4> <5> ; overall steady");
//! let answer = sheet.render("The z acceleration rises until <1> seconds, then falls until <4> seconds.")?;
//! assert_eq!(answer, "The z acceleration rises until 1.3 seconds, then falls until 2.6 seconds.");
//! assert!(trend::check(&trend::parse(&answer), &facts).wrong.is_empty());
//! # Ok(())
//! # }
//! ```

mod answer;
mod answer_body;
mod answer_values;
mod body;
mod check;
mod clause;
mod compose;
mod exchange;
mod facts;
mod lexicon;
#[cfg(test)]
mod motion_tests;
mod paper;
mod parse;
mod pattern;
mod question;
mod recognise;
mod segment;
#[cfg(test)]
mod segment_tests;
mod sheet;
mod smooth;
#[cfg(test)]
mod test_motion;
#[cfg(test)]
mod truth_tests;
#[cfg(test)]
mod variety_tests;

pub use body::{Attitude, Movement, Posture};
pub use check::{Truth, check};
pub use exchange::{Asked, Exchange, Family, exchange, exchange_about, random_exchange, sheet};
pub use facts::{Activity, CHANNELS, ChannelFacts, Facts};
pub use paper::{PAPER_FAMILIES, exchange_paper};
pub use parse::{Claim, Level, Statement, parse};
pub use recognise::recognise;
pub use segment::{Segment, Trend, Trends, exact};
pub use sheet::{MAX_SLOTS, Renderer, Sheet, Value};
pub use smooth::smoothed;
