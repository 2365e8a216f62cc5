//! `channels.csv`: which columns of a subject's array are acceleration and rotation rate, and what they are worth.

use std::path::Path;

use sensorllm::sensor::Placement;

use super::error::{DataError, Result};
use super::tables::{Row, Table};

/// A column of the array times a factor that brings its integers to canonical units and signs.
type Term = (usize, f32);

/// Where the values of one channel come from: columns of the array with their factors, added up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sum(Vec<Term>);

impl Sum {
    /// The channel's value in one row.
    pub(super) fn value(&self, row: &[i16]) -> f32 {
        self.0.iter().map(|&(column, factor)| f32::from(row[column]) * factor).sum()
    }
}

/// How one row of integers becomes a reading of one sensor in canonical units.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// Number of columns the array must have.
    pub(super) columns: usize,
    /// Per axis, the terms whose sum is the acceleration including gravity.
    acceleration: [Vec<Term>; 3],
    /// Per axis, the rotation rate; none without a gyroscope.
    rotation_rate: [Option<Term>; 3],
}

impl Layout {
    /// Acceleration (m/s²) and rotation rate (rad/s, NaN where not measured) of one row.
    pub(super) fn reading(&self, row: &[i16]) -> ([f32; 3], [f32; 3]) {
        let value = |&(column, factor): &Term| f32::from(row[column]) * factor;
        let acceleration = self.acceleration.each_ref().map(|terms| terms.iter().map(value).sum());
        let rotation_rate = self.rotation_rate.each_ref().map(|term| term.as_ref().map_or(f32::NAN, value));
        (acceleration, rotation_rate)
    }

    /// Whether all three axes of the rotation rate are there.
    pub(super) fn has_gyroscope(&self) -> bool {
        self.rotation_rate.iter().all(Option::is_some)
    }
}

/// The sensors of a data set by the name of their place on the body, in the order of `channels.csv`.
pub struct Sensors {
    table: Table,
    /// Per line of the table: the array's column, and the sensor it belongs to.
    channels: Vec<(usize, String)>,
    names: Vec<String>,
}

impl Sensors {
    /// Reads `channels.csv`; a channel that names no placement is at `default_placement`.
    pub(super) fn read(path: &Path, default_placement: &str) -> Result<Self> {
        let table = Table::read(path, &["scale", "quantity", "axis", "to_canonical"])?;
        let mut channels = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for (position, row) in table.rows().enumerate() {
            let column = if row.text("index").is_empty() { position } else { row.parse("index")? };
            let sensor =
                Some(row.text("placement")).filter(|name| !name.is_empty()).unwrap_or(default_placement);
            channels.push((column, sensor.to_owned()));
            if !names.iter().any(|name| name == sensor) {
                names.push(sensor.to_owned());
            }
        }
        let mut columns: Vec<usize> = channels.iter().map(|channel| channel.0).collect();
        columns.sort_unstable();
        if channels.is_empty() || !columns.iter().copied().eq(0..channels.len()) {
            return Err(DataError::content(path, "`index` must count the channels from 0, each once"));
        }
        Ok(Self { table, channels, names })
    }

    /// The sensors' names as `channels.csv` spells them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The sensor that `wanted` means, `None` if there is none such.
    ///
    /// `wanted` is a name in `channels.csv` or a [`Placement`], which picks the first sensor carried there. A set with
    /// one sensor has no choice, and `unknown` says nothing about where: both, like no wish at all, give the sensor
    /// named `default`, or the first.
    pub(super) fn pick(&self, wanted: Option<&str>, default: &str) -> Option<&str> {
        let first = || self.names.iter().find(|name| *name == default).or(self.names.first());
        let found = match wanted {
            None => first(),
            Some(wanted) => {
                let by_name = self.names.iter().find(|name| name.eq_ignore_ascii_case(wanted));
                let placement = wanted.parse::<Placement>().ok();
                by_name.or_else(|| match placement {
                    Some(Placement::Unknown) => first(),
                    Some(_) if self.names.len() == 1 => first(),
                    Some(placement) => self.names.iter().find(|name| placement_of(name) == placement),
                    None => None,
                })
            }
        };
        found.map(String::as_str)
    }

    /// Where the readings of one sensor lie.
    pub(super) fn layout(&self, sensor: &str) -> Result<Layout> {
        let mut acceleration: [Vec<Term>; 3] = Default::default();
        let mut rotation_rate = [None; 3];
        for (index, axis) in ["x", "y", "z"].into_iter().enumerate() {
            acceleration[index] = match self.term(sensor, "acceleration", axis)? {
                Some(whole) => vec![whole],
                None => {
                    let gravity = self.term(sensor, "gravity", axis)?;
                    let user = self.term(sensor, "user_acceleration", axis)?;
                    let parts: Vec<Term> = gravity.into_iter().chain(user).collect();
                    if parts.len() != 2 {
                        let message = format!(
                            "the sensor at `{sensor}` has no channel with quantity `acceleration` and axis `{axis}`, \
                             nor both `gravity` and `user_acceleration`"
                        );
                        return Err(DataError::content(self.table.path(), message));
                    }
                    parts
                }
            };
            rotation_rate[index] = self.term(sensor, "rotation_rate", axis)?;
        }
        Ok(Layout { columns: self.channels.len(), acceleration, rotation_rate })
    }

    /// Where the values of a quantity along an axis come from, in `unit`. Acceleration that the set gives in two parts,
    /// gravity and user acceleration, is their sum.
    ///
    /// # Errors
    /// When the set has no such channel, or it cannot be brought to that unit.
    pub(super) fn sum(&self, sensor: &str, quantity: &str, axis: &str, unit: &str) -> Result<Sum> {
        let whole = self.line(sensor, quantity, axis);
        let parts = || ["gravity", "user_acceleration"].map(|part| self.line(sensor, part, axis));
        let lines = match (whole, quantity) {
            (Some(line), _) => vec![line],
            (None, "acceleration") => parts().into_iter().flatten().collect(),
            (None, _) => Vec::new(),
        };
        if lines.is_empty() || (whole.is_none() && lines.len() != 2) {
            let line = |(row, (_, at)): (Row<'_>, &(usize, String))| {
                format!("{at} {} {}", row.text("quantity"), row.text("axis"))
            };
            return Err(DataError::Unknown {
                path: self.table.path().to_owned(),
                what: "channel",
                name: format!("{sensor} {quantity} {axis}"),
                known: self.table.rows().zip(&self.channels).map(line).collect::<Vec<_>>().join(", "),
            });
        }
        let term = |(row, column): (Row<'_>, usize)| {
            let scale = row.parse::<f64>("scale")?;
            let factor = if row.text("unit") == unit && row.text("to_canonical").is_empty() {
                scale
            } else {
                let canonical = match unit {
                    "g" => 9.80665,
                    "m/s^2" | "rad/s" => 1.0,
                    "deg/s" => std::f64::consts::PI / 180.0,
                    _ => {
                        return Err(
                            row.error(format!("`{}` cannot be brought to `{unit}`", row.text("unit")))
                        );
                    }
                };
                scale * row.parse::<f64>("to_canonical")? / canonical
            };
            Ok((column, factor as f32))
        };
        Ok(Sum(lines.into_iter().map(term).collect::<Result<_>>()?))
    }

    /// The first channel of `sensor` with this quantity and axis, and its column.
    fn line(&self, sensor: &str, quantity: &str, axis: &str) -> Option<(Row<'_>, usize)> {
        let mut lines = self.table.rows().zip(&self.channels);
        let wanted = |(row, (_, at)): &(Row<'_>, &(usize, String))| {
            at == sensor && row.text("quantity") == quantity && row.text("axis") == axis
        };
        lines.find(wanted).map(|(row, &(column, _))| (row, column))
    }

    /// The first channel of `sensor` with this quantity and axis. Only channels that are asked for need a factor:
    /// attitude has none.
    fn term(&self, sensor: &str, quantity: &str, axis: &str) -> Result<Option<Term>> {
        let Some((row, column)) = self.line(sensor, quantity, axis) else {
            return Ok(None);
        };
        let factor = row.parse::<f64>("scale")? * row.parse::<f64>("to_canonical")?;
        if !factor.is_finite() || factor == 0.0 {
            return Err(row.error("`scale` times `to_canonical` must be a finite number other than 0"));
        }
        Ok(Some((column, factor as f32)))
    }
}

/// What the model is told about a sensor's place, from the words in its name; `Unknown` for places it has no token for.
pub(super) fn placement_of(name: &str) -> Placement {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let placement = words.find_map(|word| match word {
        "pocket" | "thigh" | "trousers" | "trouser" => Some(Placement::Pocket),
        "belt" | "waist" | "hip" => Some(Placement::Belt),
        "hand" | "wrist" => Some(Placement::Hand),
        "chest" => Some(Placement::Chest),
        "ankle" => Some(Placement::Ankle),
        _ => None,
    });
    placement.unwrap_or(Placement::Unknown)
}
