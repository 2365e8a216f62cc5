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
mod answer;
mod answer_body;
mod body;
mod check;
mod clause;
mod compose;
mod exchange;
mod facts;
mod lexicon;
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
