//! Data sets on disk: a folder of `.npy` arrays and CSV tables, read into samples in canonical units.
//!
//! A folder holds `dataset.json` (name, nominal rate), `channels.csv` (what each column means and its unit),
//! `recordings.csv` (where each recording lies in its subject's file), `segments.csv` (what was done when) and, per
//! subject, `SUBJECT.npy` (rows x channels, `<i2`) and optionally `SUBJECT.t_us.npy` (microseconds, `<i4`).

mod channels;
mod dataset;
mod error;
pub mod import;
pub mod info;
pub mod npy;
pub mod protocol;
mod tables;
mod windows;

pub use dataset::{Dataset, Recording, Segment};
pub use error::{DataError, Result};
pub use windows::labelled_windows;
