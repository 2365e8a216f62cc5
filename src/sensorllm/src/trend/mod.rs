//! x
mod segment;
mod smooth;
#[cfg(test)]
mod segment_tests;
pub use segment::{Segment, Trend, Trends, exact};
pub use smooth::smoothed;
