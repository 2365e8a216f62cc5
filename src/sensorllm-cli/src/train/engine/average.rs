//! A moving average of a model's weights: steadier than the weights themselves, and what is evaluated and kept.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// Exponentially decaying average of every parameter that is trained. With a decay of 0 there is none, and the weights
/// themselves take its place.
pub struct Average {
    decay: f32,
    steps: usize,
    /// By parameter, flattened, on the model's device without autodiff.
    values: HashMap<ParamId, Tensor<1>>,
}

impl Average {
    /// An average that has seen nothing.
    pub fn new(decay: f32) -> Self {
        Self { decay, steps: 0, values: HashMap::new() }
    }

    /// An average as it was after `steps` updates: the values of `averaged` for the parameters that `module` trains; the
    /// two must share their parameters' identities.
    pub fn resume<M: Module>(decay: f32, steps: usize, module: &M, averaged: &M) -> Self {
        let mut average = Self { decay, steps, values: HashMap::new() };
        if average.active() {
            let trained = super::parameters::trained(module);
            averaged.visit(&mut Collect { average: &mut average, trained: &trained });
        }
        average
    }

    /// Whether there is an average.
    pub fn active(&self) -> bool {
        self.decay > 0.0
    }

    /// Number of updates so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Takes in the present values. Early on the average is short, so that the random start is forgotten soon.
    pub fn update<M: Module>(&mut self, module: &M) {
        self.steps += 1;
        if self.active() {
            let steps = self.steps as f32;
            let decay = self.decay.min(steps / (10.0 + steps));
            module.visit(&mut Update { average: self, decay });
        }
    }

    /// `module` with the average's values, without autodiff.
    pub fn applied<M: Module>(&self, module: &M) -> M {
        module.valid().map(&mut Apply(self))
    }
}

struct Update<'a> {
    average: &'a mut Average,
    decay: f32,
}

impl ModuleVisitor for Update<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let present = param.val();
        if !present.is_require_grad() {
            return;
        }
        let present = flat(present.inner());
        let value = match self.average.values.remove(&param.id) {
            Some(value) => value * self.decay + present * (1.0 - self.decay),
            None => present,
        };
        self.average.values.insert(param.id, value);
    }
}

struct Collect<'a> {
    average: &'a mut Average,
    trained: &'a [ParamId],
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.trained.contains(&param.id) {
            self.average.values.insert(param.id, flat(param.val()));
        }
    }
}

struct Apply<'a>(&'a Average);

impl ModuleMapper for Apply<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.values.get(&param.id) {
            Some(value) => param.map(|old| value.clone().reshape(old.shape())),
            None => param,
        }
    }
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}
