//! Attention that is being differentiated, on the CPU.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;

use super::cpu::batch_attention::Sum;
use super::cpu::tensors;

type Differentiated = Autodiff<Flex, NoCheckpointing>;

/// [`attend`](super::attend) with its gradient; `None` unless the tensors are 32-bit ones on the CPU that are being differentiated.
pub(super) fn attend(
    q: &Tensor<4>,
    k: &Tensor<4>,
    v: &Tensor<4>,
    bias: &Tensor<4>,
    scale: f32,
) -> Option<Tensor<3>> {
    let [q, k, v, bias] = [q, k, v, bias].map(|x| x.clone().try_into_primitive::<Differentiated>().ok());
    let inputs = [q?, k?, v?, bias?];
    let nodes = inputs.each_ref().map(|input| input.node());
    let [q, k, v, bias] = inputs.map(|input| tensors::contiguous(input.into_primitive()));
    let inputs = [q?, k?, v?, bias?];
    let (y, sums) = tensors::attend_primitives(inputs.each_ref(), scale)?;
    let y = match Attention.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(State { inputs, scale, sums }, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    };
    Some(Tensor::from_primitive::<Differentiated>(y))
}

#[derive(Debug)]
struct Attention;

/// What the gradient is computed from.
#[derive(Clone, Debug)]
struct State {
    /// Queries, keys, values and bias.
    inputs: [FlexTensor; 4],
    scale: f32,
    sums: Vec<Sum>,
}

impl Backward<Flex, 4> for Attention {
    type State = State;

    fn backward(self, ops: Ops<State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<Flex>(&ops.node);
        let State { inputs, scale, sums } = ops.state;
        let [.., with_bias] = ops.parents.each_ref().map(Option::is_some);
        let found = tensors::attention_gradients(inputs.each_ref(), scale, &sums, dy, with_bias);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Tensor, TensorData, Tolerance, activation::softmax};

    use super::*;
    use crate::attention::HIDDEN;

    /// What [`attend`] computes, in Burn's operations.
    fn plain(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, bias: Tensor<4>, scale: f32) -> Tensor<3> {
        let [batch, heads, queries, d_head] = q.dims();
        let group = heads / k.dims()[1];
        let repeated = |x: Tensor<4>| {
            let [batch, kv_heads, keys, _] = x.dims();
            let x = x.unsqueeze_dim::<5>(2).expand([batch, kv_heads, group, keys, d_head]);
            x.reshape([batch, heads, keys, d_head])
        };
        let scores = q.mul_scalar(scale).matmul(repeated(k).swap_dims(2, 3)) + bias;
        let y = softmax(scores, 3).matmul(repeated(v));
        y.swap_dims(1, 2).reshape([batch, queries, heads * d_head])
    }

    /// Result, and gradients of all inputs that have one.
    fn run(
        inputs: &[Tensor<4>; 4],
        scale: f32,
        f: impl Fn(Tensor<4>, Tensor<4>, Tensor<4>, Tensor<4>, f32) -> Tensor<3>,
    ) -> Vec<TensorData> {
        let [q, k, v, bias] = inputs.clone();
        let y = f(q, k, v, bias, scale);
        // A loss in which every number counts differently.
        let weights = Tensor::<1>::from_data(
            TensorData::new(
                (0..y.shape().num_elements()).map(|i| (i as f32).sin()).collect(),
                [y.shape().num_elements()],
            ),
            &y.device(),
        );
        let gradients = (y.clone() * weights.reshape(y.dims())).sum().backward();
        let mut all = vec![y.into_data()];
        all.extend(
            inputs.iter().filter_map(|input| input.grad(&gradients)).map(|gradient| gradient.into_data()),
        );
        all
    }

    fn compare(shapes: [[usize; 4]; 4], hide: impl Fn(usize, usize) -> bool, tracked_bias: bool) {
        let device = Device::flex().autodiff();
        let random = |shape| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.5), &device);
        let [q, k, v, _] = shapes.map(|shape| random(shape).require_grad());
        let bias = random(shapes[3]);
        let [_, _, queries, keys] = shapes[3];
        let hidden = (0..queries * keys).map(|i| if hide(i / keys, i % keys) { HIDDEN } else { 0.0 });
        let hidden = Tensor::from_data(TensorData::new(hidden.collect(), [1, 1, queries, keys]), &device);
        let bias = bias + hidden;
        let bias = if tracked_bias { bias.require_grad() } else { bias };
        let inputs = [q, k, v, bias];
        let ours = run(&inputs, 0.3, |q, k, v, bias, scale| attend(&q, &k, &v, &bias, scale).unwrap());
        let expected = run(&inputs, 0.3, plain);
        assert_eq!(ours.len(), if tracked_bias { 5 } else { 4 });
        for (ours, expected) in ours.iter().zip(&expected) {
            ours.assert_approx_eq::<f32>(expected, Tolerance::absolute(2e-5).set_relative(2e-5));
        }
    }

    #[test]
    fn grouped_causal_attention_and_its_gradient() {
        for length in [1, 5, 32, 47, 130] {
            compare(
                [[3, 4, length, 6], [3, 2, length, 6], [3, 2, length, 6], [1, 1, length, length]],
                |q, k| k > q,
                false,
            );
        }
    }

    #[test]
    fn the_last_query_alone() {
        compare([[5, 4, 1, 16], [5, 2, 70, 16], [5, 2, 70, 16], [5, 1, 1, 70]], |_, k| k % 7 == 3, false);
    }

    #[test]
    fn learned_biases_have_a_gradient() {
        compare([[4, 3, 9, 20], [4, 3, 9, 20], [4, 3, 9, 20], [1, 3, 9, 9]], |_, k| k == 8, true);
        compare([[4, 3, 9, 20], [4, 3, 9, 20], [4, 3, 9, 20], [4, 3, 9, 9]], |q, k| q == 2 && k > 4, true);
    }

    #[test]
    fn a_query_that_may_look_at_nothing_looks_at_all_alike() {
        compare([[2, 2, 40, 8], [2, 2, 21, 8], [2, 2, 21, 8], [1, 1, 40, 21]], |q, _| q == 35, false);
    }

    #[test]
    fn nothing_is_recorded_that_needs_no_gradient() {
        let device = Device::flex().autodiff();
        let x = Tensor::<4>::ones([1, 1, 3, 4], &device);
        let y = attend(&x, &x, &x, &Tensor::zeros([1, 1, 3, 3], &device), 1.0).unwrap();
        assert!(!y.is_require_grad());
        y.into_data()
            .assert_approx_eq::<f32>(&TensorData::from([[[1.0_f32; 4]; 3]]), Tolerance::absolute(1e-6));
    }
}
