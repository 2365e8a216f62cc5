//! Which of a model's parameters are trained.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// The parameters of a model on an autodiff device that get gradients, in the order of a visit. Parameters that were not
/// initialised yet are now, one after another, so that threads do not race for the random numbers.
pub fn trained<M: Module>(module: &M) -> Vec<ParamId> {
    let mut trained = Trained(Vec::new());
    module.visit(&mut trained);
    trained.0
}

struct Trained(Vec<ParamId>);

impl ModuleVisitor for Trained {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.val().is_require_grad() {
            self.0.push(param.id);
        }
    }
}
