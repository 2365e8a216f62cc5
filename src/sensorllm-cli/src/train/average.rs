//! A moving average of a model's weights: steadier than the weights themselves, and what is evaluated and kept.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

/// Exponentially decaying average of every parameter.
pub struct Average {
    decay: f32,
    steps: usize,
    values: HashMap<ParamId, Vec<f32>>,
}

impl Average {
    /// An average that has seen nothing.
    pub fn new(decay: f32) -> Self {
        Self { decay, steps: 0, values: HashMap::new() }
    }

    /// An average as it was after `steps` updates: the values of `averaged` for the parameters of `module`, which has the
    /// same layout.
    pub fn resume<M: Module>(decay: f32, steps: usize, module: &M, averaged: &M) -> Self {
        let mut ids = Ids(Vec::new());
        module.visit(&mut ids);
        let mut values = Values(Vec::new());
        averaged.visit(&mut values);
        Self { decay, steps, values: ids.0.into_iter().zip(values.0).collect() }
    }

    /// Number of updates so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Takes in the present values. Early on the average is short, so that the random start is forgotten soon.
    pub fn update<M: Module>(&mut self, module: &M) {
        self.steps += 1;
        let steps = self.steps as f32;
        let decay = self.decay.min(steps / (10.0 + steps));
        module.visit(&mut Update { average: self, decay });
    }

    /// `module` with the average's values, on a device without autodiff.
    pub fn applied<M: Module>(&self, module: &M, device: &Device) -> M {
        module.clone().valid().map(&mut Apply { average: self, device })
    }
}

struct Update<'a> {
    average: &'a mut Average,
    decay: f32,
}

impl ModuleVisitor for Update<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = param.val().into_data();
        let present = data.iter::<f32>();
        match self.average.values.get_mut(&param.id) {
            Some(values) => {
                for (value, present) in values.iter_mut().zip(present) {
                    *value = self.decay * *value + (1.0 - self.decay) * present;
                }
            }
            None => {
                self.average.values.insert(param.id, present.collect());
            }
        }
    }
}

/// The identities of all parameters, in the order of a visit.
struct Ids(Vec<ParamId>);

impl ModuleVisitor for Ids {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.id);
    }
}

/// The values of all parameters, in the order of a visit.
struct Values(Vec<Vec<f32>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into_data().iter::<f32>().collect());
    }
}

struct Apply<'a> {
    average: &'a Average,
    device: &'a Device,
}

impl ModuleMapper for Apply<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.average.values.get(&param.id) {
            Some(values) => {
                let data = TensorData::new(values.clone(), param.lazy_shape());
                Param::initialized(param.id, Tensor::from_data(data, self.device))
            }
            None => param,
        }
    }
}
