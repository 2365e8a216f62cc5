//! What the engine asks of whatever it trains: the order of an epoch, its batches, the loss of a part, a validation.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// Something a model is fitted to. A stage or a reference model implements it; [`fit`](super::fit) does the rest.
///
/// Everything drawn at random must be drawn from seeds of the epoch and the batch, so that a resumed run draws what the
/// uninterrupted one would have. Parameters that shall stay as they are lose their gradient before the run
/// (`module.no_grad()`); they are left out of checkpoints and come from the model a run is started with. A model must not
/// hold state that changes in the forward pass (running statistics of a batch normalisation): parts are computed on
/// forks, whose changes are lost.
pub trait Task: Sync {
    /// The model, on an autodiff device while it trains.
    type Model: Module + Send + Sync;
    /// A part of a batch: what one thread computes.
    type Part: Send;
    /// The order in which one epoch goes through the data.
    type Order: Sync;

    /// The order of an epoch, counted from 0; always the same for the same epoch.
    fn order(&self, epoch: usize) -> Self::Order;

    /// Number of batches in this order.
    fn batches(&self, order: &Self::Order) -> usize;

    /// A batch in parts, each with its share of the batch; the shares add up to 1. Called on a thread of its own while the
    /// batch before is computed. How many parts there are must not depend on the machine: the sum of their gradients does,
    /// in its last bits. On a GPU one part is best.
    fn batch(&self, order: &Self::Order, epoch: usize, index: usize) -> Vec<(Self::Part, f32)>;

    /// Number of examples (windows, sequences) in a part, for the speed in the log.
    fn examples(&self, part: &Self::Part) -> usize;

    /// The mean loss over a part, on the part's fork of the model.
    fn loss(&self, model: &Self::Model, part: &Self::Part, device: &Device) -> Losses;

    /// Scores a model without autodiff on data that it was not fitted to.
    ///
    /// # Errors
    /// What keeps the model from being scored; it ends the run.
    fn validate(&self, model: &Self::Model, device: &Device) -> Result<Validation>;

    /// What [`Validation::score`] is, for people: the name of an axis.
    fn score_name(&self) -> &'static str {
        "score"
    }

    /// Whether the forward pass draws random numbers, as dropout does. The parts of a batch are then computed one after
    /// another, each from a seed of its own: threads would share the generator in an order that differs from run to run.
    fn draws(&self) -> bool {
        false
    }
}

/// The losses of a part of a batch.
pub struct Losses {
    /// What is minimised: `[1]`, a mean over the part.
    pub total: Tensor<1>,
    /// The terms it is made of, by name, for the log: `[1]` each.
    pub named: Vec<(&'static str, Tensor<1>)>,
}

impl Losses {
    /// A loss of one term.
    pub fn of(total: Tensor<1>) -> Self {
        Self { total, named: Vec::new() }
    }
}

/// How good a model is on validation data.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Higher is better; decides which epoch's model is kept.
    pub score: f64,
    /// Further values for the log, by name.
    pub named: Vec<(String, f64)>,
    /// How often each label was answered for each true label, where the task has labels.
    pub confusion: Option<ConfusionMatrix>,
}

/// How often each label was answered for each true label.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConfusionMatrix {
    /// The labels.
    pub labels: Vec<String>,
    /// `rows[truth][answer]`.
    pub rows: Vec<Vec<u64>>,
}
