//! Units and signs in which platforms report motion, and their conversion into the canonical ones.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::channel::named;
use crate::error::{Error, ErrorKind, Result};

/// Standard gravity in m/s²: the unit "g" of accelerometers.
pub const STANDARD_GRAVITY: f32 = 9.80665;

/// Unit of an acceleration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccelerationUnit {
    /// m/s².
    MetresPerSecondSquared,
    /// Multiples of [`STANDARD_GRAVITY`].
    StandardGravity,
}

/// Unit of a rotation rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotationUnit {
    /// rad/s.
    RadiansPerSecond,
    /// °/s.
    DegreesPerSecond,
}

impl AccelerationUnit {
    /// What a value in this unit is multiplied by to become m/s².
    pub fn factor(self) -> f32 {
        match self {
            Self::MetresPerSecondSquared => 1.0,
            Self::StandardGravity => STANDARD_GRAVITY,
        }
    }
}

impl RotationUnit {
    /// What a value in this unit is multiplied by to become rad/s.
    pub fn factor(self) -> f32 {
        match self {
            Self::RadiansPerSecond => 1.0,
            Self::DegreesPerSecond => std::f32::consts::PI / 180.0,
        }
    }
}

/// The units and signs of one source of motion readings. All of them use the same device axes (x to the right, y to
/// the top edge, z out of the screen) and the right-hand rule for rotation.
///
/// A `DeviceMotionEvent` gives rotation as `rotationRate.{alpha, beta, gamma}`. The text of the specification puts
/// alpha about z, beta about x and gamma about y, but browsers fill **alpha = about x, beta = about y, gamma =
/// about z** (Chromium hands over the gyroscope's x, y, z in that order; WebKit does the same with Core Motion's
/// rotation rate). `[alpha, beta, gamma]` is therefore the `rotation_rate` expected here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// m/s² and rad/s; face up at rest reads +9.81 on z. Also what Android's sensor interface gives.
    #[default]
    Canonical,
    /// `DeviceMotionEvent` as specified and as on Android: m/s² (`accelerationIncludingGravity`) and °/s; face up at
    /// rest reads +9.81 on z.
    W3c,
    /// `DeviceMotionEvent` in browsers on iOS: m/s² and °/s; face up at rest reads −9.81 on z. Rotation rate has
    /// the specified sign.
    IosBrowser,
    /// Core Motion (`CMDeviceMotion.gravity + userAcceleration`, `CMAccelerometerData`): g and rad/s; face up at
    /// rest reads −1 on z.
    CoreMotion,
}

impl Convention {
    /// Every convention.
    pub const ALL: [Self; 4] = [Self::Canonical, Self::W3c, Self::IosBrowser, Self::CoreMotion];

    /// Its name in manifests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::W3c => "w3c",
            Self::IosBrowser => "ios-browser",
            Self::CoreMotion => "core-motion",
        }
    }

    /// The unit in which it gives acceleration.
    pub fn acceleration_unit(self) -> AccelerationUnit {
        match self {
            Self::Canonical | Self::W3c | Self::IosBrowser => AccelerationUnit::MetresPerSecondSquared,
            Self::CoreMotion => AccelerationUnit::StandardGravity,
        }
    }

    /// The unit in which it gives rotation rate.
    pub fn rotation_unit(self) -> RotationUnit {
        match self {
            Self::Canonical | Self::CoreMotion => RotationUnit::RadiansPerSecond,
            Self::W3c | Self::IosBrowser => RotationUnit::DegreesPerSecond,
        }
    }

    /// Whether its acceleration points the other way: −9.81 (or −1) on z when lying face up.
    pub fn inverts_acceleration(self) -> bool {
        matches!(self, Self::IosBrowser | Self::CoreMotion)
    }

    /// Acceleration including gravity and rotation rate of one reading, brought to m/s² and rad/s in canonical signs.
    /// NaN stays NaN.
    pub fn to_canonical(self, acceleration: [f32; 3], rotation_rate: [f32; 3]) -> ([f32; 3], [f32; 3]) {
        let sign = if self.inverts_acceleration() { -1.0 } else { 1.0 };
        let acceleration_factor = sign * self.acceleration_unit().factor();
        let rotation_factor = self.rotation_unit().factor();
        (
            acceleration.map(|value| value * acceleration_factor),
            rotation_rate.map(|value| value * rotation_factor),
        )
    }
}

/// Reads the unit as headers of recordings and data sets write it: `m/s^2`, `m/s2`, `m/s²`, `g`.
impl FromStr for AccelerationUnit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match written(text).as_str() {
            "m/s^2" | "m/s2" | "m/s/s" | "ms^-2" | "ms-2" | "mps2" | "metres-per-second-squared" => {
                Ok(Self::MetresPerSecondSquared)
            }
            "g" | "gs" | "standard-gravity" => Ok(Self::StandardGravity),
            _ => Err(unknown_unit(text, "an acceleration", "m/s^2 or g")),
        }
    }
}

/// Reads the unit as headers of recordings and data sets write it: `rad/s`, `deg/s`, `°/s`, `dps`.
impl FromStr for RotationUnit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match written(text).as_str() {
            "rad/s" | "rads" | "rads^-1" | "rads-1" | "rps" | "radians-per-second" => {
                Ok(Self::RadiansPerSecond)
            }
            "deg/s" | "°/s" | "dps" | "degs" | "degrees-per-second" => Ok(Self::DegreesPerSecond),
            _ => Err(unknown_unit(text, "a rotation rate", "rad/s or deg/s")),
        }
    }
}

/// A unit in lower case, without spaces and with one way to write a square.
fn written(unit: &str) -> String {
    unit.to_lowercase().replace([' ', '*', '·'], "").replace('²', "^2").replace('⁻', "-")
}

fn unknown_unit(text: &str, what: &str, known: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("`{text}` is not the unit of {what}"), format!("use {known}"))
}

impl FromStr for Convention {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        named("a convention", text, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_face_up_turning_left_reads_the_same_whatever_the_platform() {
        // Turning left (anticlockwise seen from above) at a quarter turn a second, lying face up.
        let cases = [
            (Convention::Canonical, [0.0, 0.0, 9.80665], [0.0, 0.0, 1.5707964]),
            (Convention::W3c, [0.0, 0.0, 9.80665], [0.0, 0.0, 90.0]),
            (Convention::IosBrowser, [0.0, 0.0, -9.80665], [0.0, 0.0, 90.0]),
            (Convention::CoreMotion, [0.0, 0.0, -1.0], [0.0, 0.0, 1.5707964]),
        ];
        for (convention, acceleration, rotation_rate) in cases {
            let (acceleration, rotation_rate) = convention.to_canonical(acceleration, rotation_rate);
            assert!((acceleration[2] - 9.80665).abs() < 1e-5, "{convention}: {acceleration:?}");
            assert!((rotation_rate[2] - 1.5707964).abs() < 1e-6, "{convention}: {rotation_rate:?}");
        }
    }

    #[test]
    fn a_missing_gyroscope_stays_missing() {
        for convention in Convention::ALL {
            let (_, rotation_rate) = convention.to_canonical([0.0, 1.0, 2.0], [f32::NAN; 3]);
            assert!(rotation_rate.iter().all(|value| value.is_nan()));
        }
    }

    #[test]
    fn units_are_read_as_they_are_written() {
        for text in ["m/s^2", "m/s²", "m/s2", "m s^-2", "metres-per-second-squared"] {
            assert_eq!(text.parse::<AccelerationUnit>().unwrap(), AccelerationUnit::MetresPerSecondSquared);
        }
        assert_eq!("G".parse::<AccelerationUnit>().unwrap(), AccelerationUnit::StandardGravity);
        assert_eq!("rad/s".parse::<RotationUnit>().unwrap(), RotationUnit::RadiansPerSecond);
        for text in ["deg/s", "°/s", "dps"] {
            assert_eq!(text.parse::<RotationUnit>().unwrap(), RotationUnit::DegreesPerSecond);
        }
        assert!("furlong".parse::<AccelerationUnit>().is_err());
        assert!("m/s^2".parse::<RotationUnit>().is_err());
    }

    #[test]
    fn names_survive_text_and_json() {
        for convention in Convention::ALL {
            assert_eq!(convention.to_string().parse::<Convention>().unwrap(), convention);
            assert_eq!(serde_json::to_string(&convention).unwrap(), format!("\"{convention}\""));
        }
        assert!("android".parse::<Convention>().unwrap_err().to_string().contains("w3c"));
    }
}
