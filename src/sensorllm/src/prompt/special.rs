//! Special tokens composed of learned parts.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::config::{PromptConfig, StatisticsForm};
use crate::sensor::{Axis, Channel, Placement, Sensor};
use crate::weights::normal;

/// What a special token marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A channel begins.
    Start = 0,
    /// A channel's statistics.
    Statistics = 1,
    /// A channel ends.
    End = 2,
    /// The prompt ends: the answer is read here.
    Answer = 3,
}

const ROLES: usize = 4;

/// The characters that written statistics consist of, in the order of their tokens.
pub const CHARACTERS: &str = "0123456789+-.";

/// Tables of the parts special tokens are summed from.
#[derive(Module, Debug)]
pub struct SpecialTokens {
    /// `[4, d_model]`, a row per [`Role`].
    role: Param<Tensor<2>>,
    /// `[placements, d_model]`
    placement: Param<Tensor<2>>,
    /// `[axes, d_model]`
    axis: Param<Tensor<2>>,
    /// `[sensors, d_model]`
    sensor: Param<Tensor<2>>,
    /// `[characters, d_model]`, where statistics are written out.
    characters: Option<Param<Tensor<2>>>,
}

impl SpecialTokens {
    /// Tables with random values.
    pub fn new(d_model: usize, config: &PromptConfig, device: &Device) -> Self {
        let table = |rows| normal([rows, d_model], 0.3, device);
        Self {
            role: table(ROLES),
            placement: table(Placement::ALL.len()),
            axis: table(Axis::ALL.len()),
            sensor: table(Sensor::ALL.len()),
            characters: (config.statistics == StatisticsForm::Text).then(|| table(CHARACTERS.len())),
        }
    }

    /// The part of a channel's tokens that its axis and sensor give, `[1, channels, d_model]`.
    pub(super) fn channels(&self, channels: &[Channel]) -> Tensor<3> {
        let axis = channels.iter().map(|channel| channel.axis as i32).collect();
        let sensor = channels.iter().map(|channel| channel.sensor as i32).collect();
        (rows(&self.axis, axis) + rows(&self.sensor, sensor)).unsqueeze()
    }

    /// The part that each window's placement gives, `[batch, 1, d_model]`.
    pub(super) fn placements(&self, placements: &[Placement]) -> Tensor<3> {
        rows(&self.placement, placements.iter().map(|placement| *placement as i32).collect()).unsqueeze_dim(1)
    }

    /// Vectors of written characters, `[characters, d_model]`; `None` where nothing is written.
    pub(super) fn written(&self, characters: &[i32]) -> Option<Tensor<2>> {
        self.characters.as_ref().map(|table| rows(table, characters.to_vec()))
    }

    /// The part that a token's role gives, `[1, 1, d_model]`.
    pub(super) fn role(&self, role: Role) -> Tensor<3> {
        rows(&self.role, vec![role as i32]).unsqueeze()
    }
}

/// The rows of a table at `indices`, `[indices, d_model]`.
fn rows(table: &Param<Tensor<2>>, indices: Vec<i32>) -> Tensor<2> {
    let table = table.val();
    let count = indices.len();
    let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [count]), &table.device());
    table.select(0, indices)
}
