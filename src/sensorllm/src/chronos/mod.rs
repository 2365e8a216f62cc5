//! The Chronos time-series encoder: a series of numbers in, one vector per time step or patch out.
//!
//! Three families share one encoder and differ in how a series enters it:
//!
//! - **Chronos-T5** ([`bins`]): values are scaled and sorted into 4,093 bins; every time step is a token. SensorLLM uses
//!   it with a z-score in place of the original mean scaling.
//! - **Chronos-Bolt** ([`patches`]): values are z-scored and cut into patches of 16; every patch is a vector, and a
//!   learned REG vector follows them.
//! - **Chronos-2** ([`patches`]): like Chronos-Bolt, with the patches' times; its encoder has rotary positions in place of
//!   relative biases, and lets the series of a group attend to each other ([`GroupAttention`]).
//!
//! ```text
//! series [n, length] ─► scale ─► bins ───► embedding ──────┐
//!                          └───► patches ► residual block ─┴─► encoder ─► [n, positions, d_model]
//! ```
//!
//! Missing values (NaN) never enter the arithmetic: they become padding or zeros with a mask, and positions without a
//! single observed value are not attended to. Source: Chronos (arXiv 2403.07815), Chronos-2 (arXiv 2510.15821) and
//! their published configurations.

pub mod bins;
mod chronos2;
mod encoder;
mod input;
pub mod patches;
mod sum;
mod t5;

pub use chronos2::GroupAttention;
pub use encoder::{ChronosEncoder, InputBlock, ResidualBlock};
pub use input::{Content, EncoderConfig, EncoderInput, Family, Scaling};
pub use patches::{Normalisation, Sums};
pub use t5::{T5Encoder, T5EncoderConfig};
