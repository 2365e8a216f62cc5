//! Results and gradients against those of Burn's operations.

use burn::tensor::activation::{self, silu, softmax};
use burn::tensor::{Device, Distribution, Tensor, TensorData, Tolerance};

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

/// A loss in which every number counts differently.
fn weighted<const D: usize>(y: &Tensor<D>) -> Tensor<1> {
    let count = y.shape().num_elements();
    let weights = (0..count).map(|i| (i as f32).sin()).collect();
    let weights = Tensor::<1>::from_data(TensorData::new(weights, [count]), &y.device());
    (y.clone() * weights.reshape(y.dims())).sum()
}

/// Result, and gradients of all inputs that have one.
fn run(
    inputs: &[Tensor<4>; 4],
    scale: f32,
    f: impl Fn(Tensor<4>, Tensor<4>, Tensor<4>, Tensor<4>, f32) -> Tensor<3>,
) -> Vec<TensorData> {
    let [q, k, v, bias] = inputs.clone();
    let y = f(q, k, v, bias, scale);
    let gradients = weighted(&y).backward();
    let mut all = vec![y.into_data()];
    all.extend(inputs.iter().filter_map(|input| input.grad(&gradients)).map(|gradient| gradient.into_data()));
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
    alike(&ours, &expected);
}

fn alike(ours: &[TensorData], expected: &[TensorData]) {
    assert_eq!(ours.len(), expected.len());
    for (ours, expected) in ours.iter().zip(expected) {
        ours.assert_approx_eq::<f32>(expected, Tolerance::absolute(2e-5).set_relative(2e-5));
    }
}

/// Result and both gradients of an operation on two tensors.
fn of_two<const D: usize, const E: usize>(
    a: &Tensor<D>,
    b: &Tensor<E>,
    f: impl Fn(&Tensor<D>, &Tensor<E>) -> Tensor<D>,
) -> [TensorData; 3] {
    let y = f(a, b);
    let gradients = weighted(&y).backward();
    [y.into_data(), a.grad(&gradients).unwrap().into_data(), b.grad(&gradients).unwrap().into_data()]
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
    y.into_data().assert_approx_eq::<f32>(&TensorData::from([[[1.0_f32; 4]; 3]]), Tolerance::absolute(1e-6));
}

#[test]
fn gated_activation_and_its_gradient() {
    let device = Device::flex().autodiff();
    for shape in [[1, 1, 1], [2, 3, 5], [3, 20, 64]] {
        let [gate, up] =
            [3.0, 1.0].map(|by| Tensor::<3>::random(shape, Distribution::Normal(0.0, by), &device));
        let (gate, up) = (gate.require_grad(), up.require_grad());
        let ours = of_two(&gate, &up, |gate, up| swiglu(gate, up).unwrap());
        alike(&ours, &of_two(&gate, &up, |gate, up| silu(gate.clone()) * up.clone()));
    }
}

#[test]
fn gelu_and_its_gradient() {
    let device = Device::flex().autodiff();
    for shape in [[1, 1, 1], [2, 3, 5], [3, 20, 64]] {
        let x = Tensor::<3>::random(shape, Distribution::Normal(0.0, 3.0), &device).require_grad();
        let results = |y: Tensor<3>| {
            let gradients = weighted(&y).backward();
            [y.into_data(), x.grad(&gradients).unwrap().into_data()]
        };
        alike(&results(gelu(&x).unwrap()), &results(activation::gelu(x.clone())));
    }
}

#[test]
fn normalisation_and_its_gradient() {
    let device = Device::flex().autodiff();
    for shape in [[1, 1, 1], [2, 3, 5], [3, 20, 37], [4, 9, 64]] {
        let x = Tensor::<3>::random(shape, Distribution::Normal(0.0, 2.0), &device).require_grad();
        let weight = Tensor::<1>::random([shape[2]], Distribution::Normal(1.0, 0.5), &device).require_grad();
        let ours = of_two(&x, &weight, |x, weight| rms_norm(x, weight, 1e-5).unwrap());
        let expected = of_two(&x, &weight, |x, weight| {
            let scale = (x.clone().powi_scalar(2).mean_dim(2) + 1e-5).sqrt().recip();
            x.clone() * scale * weight.clone().unsqueeze()
        });
        alike(&ours, &expected);
    }
}

#[test]
fn rotation_and_its_gradient() {
    let device = Device::flex().autodiff();
    for [batch, heads, length, d_head] in [[1, 1, 1, 2], [2, 3, 7, 6], [2, 2, 40, 32]] {
        // Heads are split off a wider tensor: what is turned is not contiguous.
        let wide = [batch, length, heads * d_head];
        let wide = Tensor::<3>::random(wide, Distribution::Normal(0.0, 1.0), &device).require_grad();
        let split = || wide.clone().reshape([batch, length, heads, d_head]).swap_dims(1, 2);
        let angles = Tensor::<4>::random([1, 1, length, d_head / 2], Distribution::Default, &device);
        let table = |half: Tensor<4>| Tensor::cat(vec![half.clone(), half], 3);
        let (cos, sin) = (table(angles.clone().cos()), table(angles.sin()));
        let results = |y: Tensor<4>| {
            let gradients = weighted(&y).backward();
            [y.into_data(), wide.grad(&gradients).unwrap().into_data()]
        };
        let ours = results(rotate(&split(), &cos, &sin).unwrap());
        let x = split();
        let [first, second] = [0, d_head / 2].map(|from| x.clone().narrow(3, from, d_head / 2));
        let expected = x * cos + Tensor::cat(vec![second.neg(), first], 3) * sin;
        alike(&ours, &results(expected));
    }
}

#[test]
fn gradients_that_nobody_asks_for_are_left_out() {
    let device = Device::flex().autodiff();
    let x = Tensor::<3>::ones([2, 3, 4], &device);
    let weight = Tensor::<1>::ones([4], &device);
    assert!(!rms_norm(&x, &weight, 1e-5).unwrap().is_require_grad());
    let tracked = x.clone().require_grad();
    let gradients =
        (rms_norm(&tracked, &weight, 1e-5).unwrap() + swiglu(&tracked, &x).unwrap()).sum().backward();
    assert!(tracked.grad(&gradients).is_some());
    assert!(weight.grad(&gradients).is_none() && x.grad(&gradients).is_none());
}
