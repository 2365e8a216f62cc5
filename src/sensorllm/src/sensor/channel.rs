//! What a channel is: one axis of one sensor, in device axes or in the gravity-aligned frame of a window.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Window, frame::Frame};
use crate::error::{Error, ErrorKind, Result};

/// A motion sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensor {
    /// Acceleration including gravity, m/s².
    Acceleration,
    /// Rotation rate, rad/s.
    RotationRate,
}

/// A direction along which a sensor's vector is read, or a length derived from the vector.
///
/// `X`, `Y`, `Z` are device axes and change when the phone is turned in the pocket. The others are computed in the
/// [`Frame`] of the window and do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Axis {
    /// Device axis to the right of the screen.
    X,
    /// Device axis to the top edge of the screen.
    Y,
    /// Device axis out of the screen.
    Z,
    /// Against gravity; acceleration keeps gravity, so it reads about +9.81 at rest.
    Up,
    /// The horizontal direction in which the acceleration varies most.
    Forward,
    /// Horizontal and perpendicular to forward: up × forward.
    Side,
    /// Length of the horizontal part.
    Horizontal,
    /// Length of the whole vector.
    Magnitude,
}

/// Where the phone is carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// Nothing is known about it.
    #[default]
    Unknown,
    /// In a trouser pocket.
    Pocket,
    /// On the belt or at the waist.
    Belt,
    /// In the hand or on the wrist.
    Hand,
    /// On the chest; research sensors only.
    Chest,
    /// On the ankle; research sensors only.
    Ankle,
}

/// One channel of a model's input.
///
/// As text: `acceleration.up`, or `acceleration.up.statistics` for a channel of which only the statistics are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Channel {
    /// The sensor it is read from.
    pub sensor: Sensor,
    /// The axis it is read along.
    pub axis: Axis,
    /// Whether its time series reaches the model; if not, only its [`statistics`](super::statistics) do.
    #[serde(default = "series_by_default")]
    pub series: bool,
}

fn series_by_default() -> bool {
    true
}

/// The values of `channels` in `window`: one `Vec` of the window's length per channel, NaN where nothing was
/// measured.
pub fn channel_values(window: &Window, channels: &[Channel]) -> Vec<Vec<f32>> {
    let frame = Frame::of(&window.acceleration);
    channels
        .iter()
        .map(|channel| {
            let vectors = match channel.sensor {
                Sensor::Acceleration => &window.acceleration,
                Sensor::RotationRate => &window.rotation_rate,
            };
            vectors.iter().map(|&vector| frame.read(vector, channel.axis)).collect()
        })
        .collect()
}

impl Sensor {
    /// Every sensor.
    pub const ALL: [Self; 2] = [Self::Acceleration, Self::RotationRate];

    /// Its name in manifests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acceleration => "acceleration",
            Self::RotationRate => "rotation_rate",
        }
    }
}

impl Axis {
    /// Every axis.
    pub const ALL: [Self; 8] =
        [Self::X, Self::Y, Self::Z, Self::Up, Self::Forward, Self::Side, Self::Horizontal, Self::Magnitude];

    /// Its name in manifests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Z => "z",
            Self::Up => "up",
            Self::Forward => "forward",
            Self::Side => "side",
            Self::Horizontal => "horizontal",
            Self::Magnitude => "magnitude",
        }
    }
}

impl Placement {
    /// Every placement.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Pocket, Self::Belt, Self::Hand, Self::Chest, Self::Ankle];

    /// Its name in manifests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pocket => "pocket",
            Self::Belt => "belt",
            Self::Hand => "hand",
            Self::Chest => "chest",
            Self::Ankle => "ankle",
        }
    }
}

/// The member of `all` that `text` names.
pub(super) fn named<T: Copy>(what: &str, text: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
    all.iter().copied().find(|&item| name(item) == text).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|&item| name(item)).collect();
        Error::new(
            ErrorKind::InvalidInput,
            format!("`{text}` is not {what}"),
            format!("use one of: {}", names.join(", ")),
        )
    })
}

impl FromStr for Sensor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        named("a sensor", text, &Self::ALL, Self::name)
    }
}

impl FromStr for Axis {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        named("an axis", text, &Self::ALL, Self::name)
    }
}

impl FromStr for Placement {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        named("a placement", text, &Self::ALL, Self::name)
    }
}

impl FromStr for Channel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (axes, series) = match text.strip_suffix(".statistics") {
            Some(axes) => (axes, false),
            None => (text, true),
        };
        let Some((sensor, axis)) = axes.split_once('.') else {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("`{text}` is not a channel"),
                "write a sensor and an axis, such as acceleration.up or rotation_rate.x",
            ));
        };
        Ok(Self { sensor: sensor.parse()?, axis: axis.parse()?, series })
    }
}

impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sensor, self.axis)?;
        if self.series { Ok(()) } else { f.write_str(".statistics") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_survives_text_and_json() {
        for sensor in Sensor::ALL {
            for axis in Axis::ALL {
                for series in [true, false] {
                    let channel = Channel { sensor, axis, series };
                    assert_eq!(channel.to_string().parse::<Channel>().unwrap(), channel);
                    let json = serde_json::to_string(&channel).unwrap();
                    assert_eq!(serde_json::from_str::<Channel>(&json).unwrap(), channel);
                }
            }
        }
        for placement in Placement::ALL {
            assert_eq!(placement.to_string().parse::<Placement>().unwrap(), placement);
            assert_eq!(serde_json::to_string(&placement).unwrap(), format!("\"{placement}\""));
        }
    }

    #[test]
    fn a_channel_without_a_word_about_its_series_has_one() {
        let channel: Channel = serde_json::from_str(r#"{"sensor":"rotation_rate","axis":"up"}"#).unwrap();
        assert_eq!(channel, Channel { sensor: Sensor::RotationRate, axis: Axis::Up, series: true });
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "shoe".parse::<Placement>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("pocket, belt, hand"), "{error}");
        assert!("acceleration".parse::<Channel>().is_err());
        assert!("acceleration.q".parse::<Channel>().is_err());
    }

    #[test]
    fn a_missing_reading_is_nan_in_every_channel_and_in_no_other_row() {
        let window = Window {
            start_seconds: 0.0,
            end_seconds: 0.08,
            acceleration: vec![[0.1, 0.0, 9.8], [f32::NAN; 3], [0.3, 0.1, 9.7], [-0.2, 0.0, 9.9]],
            rotation_rate: vec![[f32::NAN; 3]; 4],
        };
        let channels: Vec<_> =
            Axis::ALL.map(|axis| Channel { sensor: Sensor::Acceleration, axis, series: true }).into();
        for values in channel_values(&window, &channels) {
            let missing: Vec<_> = values.iter().map(|value| value.is_nan()).collect();
            assert_eq!(missing, [false, true, false, false]);
        }
    }
}
