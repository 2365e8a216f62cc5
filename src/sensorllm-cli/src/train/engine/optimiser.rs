//! AdamW over a whole model.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{
    AdamW, AdamWConfig, AdamWState, LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink,
    StateSource,
};
use burn::tensor::{Device, Tensor};

use super::settings::FitSettings;

/// AdamW as the settings say, with gradients clipped by their norm.
pub fn adamw(settings: &FitSettings) -> ModuleOptimizer {
    let adamw = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(settings.weight_decay).build();
    let clipping = GradientClippingConfig::Norm(settings.gradient_norm).init();
    ModuleOptimizer::from(ReadOnCpu(adamw)).with_grad_clipping(clipping)
}

/// AdamW whose state is read from disk onto the CPU. Burn would read it onto its default device, which in a build with GPU
/// support is a GPU that need not be there; the first step moves the state to where its parameter is.
#[derive(Clone)]
struct ReadOnCpu(AdamW);

#[derive(Clone)]
struct State<const D: usize>(AdamWState<D>);

impl Optimizer for ReadOnCpu {
    type State<const D: usize> = State<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<State<D>>,
    ) -> (Tensor<D>, Option<State<D>>) {
        let (tensor, state) = self.0.step(rate, tensor, gradient, state.map(|state| state.0));
        (tensor, state.map(State))
    }

    fn to_device<const D: usize>(state: State<D>, device: &Device) -> State<D> {
        State(AdamW::to_device(state.0, device))
    }
}

impl<const D: usize> RecordState for State<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.0.state_flatten(prefix, out);
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, _default: &Device) -> Option<Self> {
        AdamWState::state_unflatten(prefix, source, &Device::flex()).map(Self)
    }
}
