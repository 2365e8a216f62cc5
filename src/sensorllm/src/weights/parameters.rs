//! Lists what a model's file has to hold: every parameter's path and shape, without allocating any.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::linears::Linears;

/// A parameter of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its path in the module tree, which is its name in files.
    pub path: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether it is the weight of a linear map, `[inputs, outputs]`, which may be quantised.
    pub linear: bool,
}

/// The parameters of `module` in the order of its tree. Those not yet used are not allocated by this.
pub fn parameters<M: Module + Linears>(module: &mut M) -> Vec<Parameter> {
    let mut linears = Vec::new();
    module.linears("", &mut linears);
    let linears = linears.into_iter().map(|(path, _)| format!("{path}.weight")).collect();
    let mut lister = Lister { linears, path: Vec::new(), parameters: Vec::new() };
    module.visit(&mut lister);
    lister.parameters
}

struct Lister {
    linears: HashSet<String>,
    path: Vec<String>,
    parameters: Vec<Parameter>,
}

impl ModuleVisitor for Lister {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let linear = self.linears.contains(&path);
        self.parameters.push(Parameter { path, shape: param.lazy_shape().to_vec(), linear });
    }
}
