//! What an importer says of its data set beforehand: channels, labels, licence.

use std::f64::consts::PI;

/// Standard gravity, m/s²: the factor from g to canonical units.
const G: f64 = 9.80665;

/// A data set as it will be described in `dataset.json` and `channels.csv`.
pub(super) struct Set {
    /// Name of the set.
    pub(super) name: &'static str,
    /// Sampling rate in Hz.
    pub(super) rate_hz: f64,
    /// Whether rows carry their own time stamps.
    pub(super) uneven: bool,
    /// The sensor that is used unless another one is asked for.
    pub(super) placement: &'static str,
    /// What was carried: `phone` or `strapped sensor`.
    pub(super) device: &'static str,
    /// Licence as far as it is stated.
    pub(super) licence: &'static str,
    /// Whether the licence lets weights trained on the set be given away.
    pub(super) weights_may_ship: bool,
    /// Columns of the array.
    pub(super) channels: Vec<Channel>,
    /// Every label with the activity name that all sets share; rows refer to labels by index.
    pub(super) labels: &'static [(&'static str, &'static str)],
    /// Columns of `subjects.csv` after `subject`.
    pub(super) subject_columns: &'static [&'static str],
    /// Columns of `recordings.csv` after `end_row`.
    pub(super) recording_columns: &'static [&'static str],
    /// Recordings with fewer rows are left out.
    pub(super) shortest: usize,
}

/// One column of the array.
#[derive(Clone)]
pub(super) struct Channel {
    /// Name of the column.
    pub(super) name: String,
    /// Unit of the physical values.
    pub(super) unit: &'static str,
    /// Physical value of one integer step, unless the values need a coarser one.
    pub(super) scale: f64,
    /// No sensor of this kind gives a larger value: a file that says so is damaged.
    pub(super) limit: f64,
    /// What is measured: `acceleration`, `gravity`, `user_acceleration`, `rotation_rate`, `magnetic_field`, `attitude`.
    pub(super) quantity: &'static str,
    /// `x`, `y`, `z`, or the angle of an attitude.
    pub(super) axis: &'static str,
    /// Where the sensor was worn.
    pub(super) placement: &'static str,
    /// Factor to m/s² or rad/s with the axis that points up positive; none for other quantities.
    pub(super) to_canonical: Option<f64>,
}

/// The three axes of one sensor, named `PREFIX_x`, `PREFIX_y`, `PREFIX_z`.
pub(super) fn vector(
    prefix: &str,
    quantity: &'static str,
    placement: &'static str,
    unit: &'static str,
    scale: f64,
) -> [Channel; 3] {
    let to_canonical = match unit {
        "g" => Some(G),
        "m/s^2" | "rad/s" => Some(1.0),
        "deg/s" => Some(PI / 180.0),
        _ => None,
    };
    // Far beyond the ranges of body-worn sensors (16 g, 2000 deg/s), and what no reading in the right unit reaches.
    let limit = match unit {
        "g" => 50.0,
        "m/s^2" => 50.0 * G,
        "rad/s" => 100.0,
        _ => 6_000.0,
    };
    ["x", "y", "z"].map(|axis| Channel {
        name: format!("{prefix}_{axis}"),
        unit,
        scale,
        limit,
        quantity,
        axis,
        placement,
        to_canonical,
    })
}

impl Set {
    /// The index of a label by the source's word for it.
    pub(super) fn label(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label.0 == name)
    }
}
