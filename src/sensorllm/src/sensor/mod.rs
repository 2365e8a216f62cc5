//! The sensor stage: from a phone's raw readings to windows, channels and statistics, in plain `f32` slices.
//!
//! ```text
//! formats::parse_recording   a CSV file ──┐
//! Convention::to_canonical   live events ─┴─► Samples ─► resample ─► windows ─► Window ─► channel_values ─► statistics
//!                                                        WindowStream (the same, live) ─┘
//! ```
//!
//! Everything is in one set of units and signs (see [`Samples`]); other conventions are converted in
//! [`convention`](Convention) and [`formats`] and nowhere else. A value that was not measured is NaN throughout.

mod channel;
mod convention;
pub mod formats;
mod frame;
mod resample;
mod samples;
mod series;
mod statistics;
mod stream;
mod window;

pub use channel::{Axis, Channel, Placement, Sensor, channel_values};
pub use convention::{AccelerationUnit, Convention, RotationUnit, STANDARD_GRAVITY};
pub use frame::Frame;
pub use resample::{Uniform, resample};
pub use samples::Samples;
pub use series::MIN_SOURCE_RATE_HZ;
pub use statistics::{STATISTICS, statistics};
pub use stream::WindowStream;
pub use window::{Window, WindowConfig, windows};
