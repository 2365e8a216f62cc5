//! What a filter can answer: labels, their groups, and when a member may be named in place of its group.

use crate::manifest::Label;

/// The answers of a model, in two levels: units (a label without a group, or a group) and the labels that each is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    names: Vec<String>,
    units: Vec<Unit>,
    member_share: Option<f64>,
}

/// A label without a group, or a group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unit {
    pub name: String,
    /// Indices of its labels.
    pub members: Vec<usize>,
}

impl Labels {
    /// The labels of a model. A member is named in place of its group if it has at least `member_share` of the group's probability;
    /// never with `None`.
    pub fn new(labels: &[Label], member_share: Option<f32>) -> Self {
        let mut units: Vec<Unit> = Vec::new();
        for (index, label) in labels.iter().enumerate() {
            let name = label.group.as_ref().unwrap_or(&label.name);
            match units.iter_mut().find(|unit| label.group.is_some() && unit.name == *name) {
                Some(unit) => unit.members.push(index),
                None => units.push(Unit { name: name.clone(), members: vec![index] }),
            }
        }
        let names = labels.iter().map(|label| label.name.clone()).collect();
        Self { names, units, member_share: member_share.map(f64::from) }
    }

    /// Number of labels.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    pub(super) fn units(&self) -> &[Unit] {
        &self.units
    }

    pub(super) fn name(&self, label: usize) -> &str {
        &self.names[label]
    }

    /// Whether the unit is a group of labels, which may be told apart or not.
    pub(super) fn is_group(&self, unit: usize) -> bool {
        let Unit { name, members } = &self.units[unit];
        members.len() > 1 || members.iter().any(|label| self.names[*label] != *name)
    }

    /// The least share of its group's probability with which a label is named.
    pub(super) fn member_share(&self) -> Option<f64> {
        self.member_share
    }
}
