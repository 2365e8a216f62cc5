//! Recordings of phone apps as CSV text.
//!
//! Understood as they are:
//!
//! - **phyphox**: `"Time (s)","Acceleration x (m/s^2)",...`, `"Gyroscope x (rad/s)"`, in one file or one per sensor,
//!   with comma, semicolon or tab and decimal point or comma. The app reports Android's signs on iOS too.
//! - **Sensor Logger**: one file per sensor (`time,seconds_elapsed,z,y,x`) or one sparse table with columns such as
//!   `totalAcceleration_x`, `accelerometer_x`, `gravity_x`, `gyroscope_x`. Its *accelerometer* is without gravity;
//!   its *total acceleration* (Android only) is with it. On iOS, gravity and accelerometer are added. Unless the
//!   app's setting "Standardise Units & Frames" is on, iOS recordings have Core Motion's signs; the app says so in
//!   `Metadata.csv`, which is heeded when it is among the files. When it is not, [`CsvOptions::convention`] must say
//!   it.
//! - **Any table** whose header names the time and the axes (`timestamp_ms,acc_x,acc_y,acc_z,gyro_x,...`), with units
//!   in the header (`acc_x (g)`, `gyro_x [deg/s]`) or in the options. Without either, the unit of acceleration is
//!   told from the size of gravity, and rotation rate is taken to be in rad/s.

mod columns;
mod recording;
mod table;

pub use recording::{parse_recording, parse_recording_files};

use std::str::FromStr;

use super::{AccelerationUnit, Convention, RotationUnit};
use crate::error::{Error, ErrorKind};

/// One file of a recording.
#[derive(Clone, Copy, Debug)]
pub struct CsvFile<'a> {
    /// Its name, such as `Gyroscope.csv`, which says what columns named only `x`, `y`, `z` are; may be empty.
    pub name: &'a str,
    /// Its content.
    pub text: &'a str,
}

/// What a header may leave open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CsvOptions {
    /// Unit of the time column, instead of what the header says or the step between rows shows.
    pub time_unit: Option<TimeUnit>,
    /// Unit of acceleration, instead of what the header says or the size of gravity shows.
    pub acceleration_unit: Option<AccelerationUnit>,
    /// Unit of rotation rate, instead of what the header says.
    pub rotation_unit: Option<RotationUnit>,
    /// Signs of the recording, and units where neither the header, nor the app it comes from, nor the fields above
    /// say them.
    pub convention: Option<Convention>,
}

/// Unit of a time column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
    /// Thousand-millionths of a second.
    Nanoseconds,
}

impl TimeUnit {
    /// The unit in seconds.
    pub fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Milliseconds => 1e-3,
            Self::Microseconds => 1e-6,
            Self::Nanoseconds => 1e-9,
        }
    }
}

/// Reads `s`, `ms`, `us`, `ns` and their long forms.
impl FromStr for TimeUnit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_lowercase().as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" => Ok(Self::Seconds),
            "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => Ok(Self::Milliseconds),
            "us" | "µs" | "μs" | "usec" | "micros" | "microsecond" | "microseconds" => {
                Ok(Self::Microseconds)
            }
            "ns" | "nsec" | "nanos" | "nanosecond" | "nanoseconds" => Ok(Self::Nanoseconds),
            _ => Err(Error::new(
                ErrorKind::InvalidInput,
                format!("`{text}` is not a unit of time"),
                "use s, ms, us or ns",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
