//! The CPU kernels on Burn's tensors: takes their values out without copying, and makes tensors of the results.

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape, Tensor};

use super::batch_attention::{self, Bias, Inputs, Sizes, Sum};
use super::{KvBuffer, PackedMatrix, Rotation};

/// Whether a tensor is a plain 32-bit one on the CPU.
pub(crate) fn holds<const D: usize>(x: &Tensor<D>) -> bool {
    values(x).is_some()
}

/// `x · weightᵀ` of some weights; `x: [n, columns]`, outputs `[n, rows]`. The tensor is on the CPU, as the matrices are.
pub(crate) fn matmul_each<const N: usize>(x: &Tensor<2>, weights: [&PackedMatrix; N]) -> [Tensor<2>; N] {
    let [n, _] = x.dims();
    let y = with_values(x, |x| super::matmul_each(weights, x));
    let mut rows = weights.iter().map(|weight| weight.rows());
    y.map(|y| tensor(y, [n, rows.next().unwrap_or(0)]))
}

/// `silu(x · gateᵀ) · (x · upᵀ)`, `[n, rows]`. The tensor is on the CPU, as the matrices are.
pub(crate) fn swiglu_matmul(x: &Tensor<2>, gate: &PackedMatrix, up: &PackedMatrix) -> Tensor<2> {
    let [n, _] = x.dims();
    let [mut y, up_x] = with_values(x, |x| super::matmul_each([gate, up], x));
    super::swiglu(&mut y, &up_x);
    tensor(y, [n, gate.rows()])
}

/// The rows `ids` of a matrix in full precision, `[ids, columns]`.
pub(crate) fn rows_at(weight: &PackedMatrix, ids: &[u32]) -> Tensor<2> {
    let columns = weight.columns();
    let mut y = vec![0.0; ids.len() * columns];
    for (id, row) in ids.iter().zip(y.chunks_exact_mut(columns)) {
        weight.row(*id as usize, row);
    }
    tensor(y, [ids.len(), columns])
}

/// Root-mean-square norm; `None` unless the tensors are plain 32-bit ones on the CPU.
pub(crate) fn rms_norm(x: &Tensor<3>, weight: &Tensor<1>, epsilon: f64) -> Option<Tensor<3>> {
    let y = rms_norm_primitives(&values(x)?, &values(weight)?, epsilon)?;
    Some(Tensor::from_primitive::<Flex>(y))
}

/// The same on contiguous primitives.
pub(crate) fn rms_norm_primitives(x: &FlexTensor, weight: &FlexTensor, epsilon: f64) -> Option<FlexTensor> {
    let values = slice(x)?;
    let mut y = vec![0.0; values.len()];
    super::rms_norm(values, slice(weight)?, epsilon as f32, &mut y);
    Some(primitive_like(y, x))
}

/// `silu(gate) · up`. The tensors are on the CPU.
pub(crate) fn swiglu(gate: Tensor<3>, up: Tensor<3>) -> Tensor<3> {
    let shape = gate.dims();
    let mut y = with_values(&gate, <[f32]>::to_vec);
    with_values(&up, |up| super::swiglu(&mut y, up));
    tensor(y, shape)
}

/// Rotates queries and keys, appends keys and values to the buffer and attends to all it then holds.
///
/// # Shapes
///
/// - q, output: `[1, length, heads · d_head]`; k, v: `[1, length, kv_heads · d_head]`
pub(crate) fn attend(
    q: Tensor<3>,
    k: Tensor<3>,
    v: Tensor<3>,
    buffer: &mut KvBuffer,
    rotation: &Rotation,
    start: usize,
    scale: f32,
) -> Tensor<3> {
    let shape = q.dims();
    let [mut q, mut k] = [known(owned(q)), known(owned(k))];
    let (q, k) = (q.storage_mut(), k.storage_mut());
    let mut y = vec![0.0; q.len()];
    with_values(&v, |v| buffer.attend(q, k, v, rotation, start, scale, &mut y));
    tensor(y, shape)
}

/// Attention of whole sequences, as [`attend`](crate::attention::attend) defines it; `None` unless the tensors are plain 32-bit ones
/// on the CPU.
pub(crate) fn attend_all(
    q: &Tensor<4>,
    k: &Tensor<4>,
    v: &Tensor<4>,
    bias: &Tensor<4>,
    scale: f32,
) -> Option<Tensor<3>> {
    let [q, k, v, bias] = [values(q)?, values(k)?, values(v)?, values(bias)?];
    let (y, _) = attend_primitives([&q, &k, &v, &bias], scale)?;
    Some(Tensor::from_primitive::<Flex>(y))
}

/// The same on contiguous primitives, with what the gradient needs.
pub(crate) fn attend_primitives(
    [q, k, v, bias]: [&FlexTensor; 4],
    scale: f32,
) -> Option<(FlexTensor, Vec<Sum>)> {
    let sizes = attention_sizes(q, k)?;
    let mut sums = vec![Sum::default(); sizes.batch * sizes.heads * sizes.queries];
    let mut y = vec![0.0; sizes.batch * sizes.heads * sizes.queries * sizes.d_head];
    let bias = Bias::new(slice(bias)?, dims(bias)?, &sizes)?;
    let inputs = Inputs { q: slice(q)?, k: slice(k)?, v: slice(v)?, bias, scale };
    batch_attention::forward(&sizes, inputs, &mut y, &mut sums);
    Some((primitive(y, [sizes.batch, sizes.queries, sizes.heads * sizes.d_head]), sums))
}

/// The loss by queries, keys, values and, if wanted, bias, from the loss by [`attend_primitives`]' result.
#[cfg(feature = "training")]
pub(crate) fn attention_gradients(
    inputs: [&FlexTensor; 4],
    scale: f32,
    sums: &[Sum],
    dy: FlexTensor,
    with_bias: bool,
) -> [Option<FlexTensor>; 4] {
    let [q, k, v, bias] = inputs;
    let of_inputs = || {
        let dy = contiguous(dy)?;
        let sizes = attention_sizes(q, k)?;
        let of_bias = Bias::new(slice(bias)?, dims(bias)?, &sizes)?;
        let inputs = Inputs { q: slice(q)?, k: slice(k)?, v: slice(v)?, bias: of_bias, scale };
        let found = batch_attention::backward(&sizes, inputs, sums, slice(&dy)?, with_bias);
        let like = |values: Vec<f32>, input| Some(primitive(values, dims(input)?));
        let of_bias = found.bias.and_then(|values| like(values, bias));
        Some([like(found.q, q), like(found.k, k), like(found.v, v), of_bias])
    };
    of_inputs().unwrap_or_else(|| unreachable!("the inputs are those attention was computed from"))
}

/// The loss by `x` and by the weight, from the loss by [`rms_norm_primitives`]' result.
#[cfg(feature = "training")]
pub(crate) fn rms_norm_gradients(
    x: &FlexTensor,
    weight: &FlexTensor,
    epsilon: f64,
    dy: FlexTensor,
) -> [FlexTensor; 2] {
    let dy = known(contiguous(dy));
    let [x_values, weights, dy] = [x, weight, &dy].map(|x| slice(x).unwrap_or_default());
    let (mut dx, mut dw) = (vec![0.0; x_values.len()], vec![0.0; weights.len()]);
    super::rms_norm_gradient(x_values, weights, epsilon as f32, dy, &mut dx, &mut dw);
    [primitive_like(dx, x), primitive_like(dw, weight)]
}

/// `silu(gate) · up` on contiguous primitives.
#[cfg(feature = "training")]
pub(crate) fn swiglu_primitives(gate: &FlexTensor, up: &FlexTensor) -> Option<FlexTensor> {
    let mut y = slice(gate)?.to_vec();
    super::swiglu(&mut y, slice(up)?);
    Some(primitive_like(y, gate))
}

/// The loss by gate and up, from the loss by [`swiglu_primitives`]' result.
#[cfg(feature = "training")]
pub(crate) fn swiglu_gradients(mut gate: FlexTensor, mut up: FlexTensor, dy: FlexTensor) -> [FlexTensor; 2] {
    let dy = known(contiguous(dy));
    super::swiglu_gradient(gate.storage_mut(), up.storage_mut(), slice(&dy).unwrap_or_default());
    [gate, up]
}

/// Exact GELU of a contiguous primitive.
#[cfg(feature = "training")]
pub(crate) fn gelu_primitive(x: &FlexTensor) -> Option<FlexTensor> {
    let mut y = slice(x)?.to_vec();
    super::gelu(&mut y);
    Some(primitive_like(y, x))
}

/// The loss by `x`, from the loss by [`gelu_primitive`]'s result.
#[cfg(feature = "training")]
pub(crate) fn gelu_gradient(mut x: FlexTensor, dy: FlexTensor) -> FlexTensor {
    let dy = known(contiguous(dy));
    super::gelu_gradient(x.storage_mut(), slice(&dy).unwrap_or_default());
    x
}

/// A contiguous primitive turned by the angles of its places, as [`rotate`](super::rotate) says; `None` if they do not fit.
#[cfg(feature = "training")]
pub(crate) fn rotate_primitive(
    mut x: FlexTensor,
    cos: &FlexTensor,
    sin: &FlexTensor,
    direction: f32,
) -> Option<FlexTensor> {
    let ([.., places, width], [.., of_places, of_width]) = (dims(&x)?, dims(cos)?);
    if (places, width) != (of_places, of_width) {
        return None;
    }
    super::rotate(x.storage_mut(), slice(cos)?, slice(sin)?, width, direction);
    Some(x)
}

fn attention_sizes(q: &FlexTensor, k: &FlexTensor) -> Option<Sizes> {
    let ([batch, heads, queries, d_head], [_, kv_heads, keys, _]) = (dims(q)?, dims(k)?);
    Some(Sizes { batch, heads, kv_heads, queries, keys, d_head })
}

fn dims(x: &FlexTensor) -> Option<[usize; 4]> {
    x.layout().shape().as_slice().try_into().ok()
}

/// The contiguous values of a tensor on the CPU; `None` on other devices, when it is being differentiated or not 32-bit.
fn values<const D: usize>(x: &Tensor<D>) -> Option<FlexTensor> {
    owned(x.clone())
}

/// As [`values`], to be overwritten: a copy only if they belong to other tensors, too.
fn owned<const D: usize>(x: Tensor<D>) -> Option<FlexTensor> {
    contiguous(x.try_into_primitive::<Flex>().ok()?)
}

fn known(x: Option<FlexTensor>) -> FlexTensor {
    x.unwrap_or_else(|| unreachable!("the tensor is on the CPU"))
}

/// The tensor with its values one after the other, as [`slice`] takes them; `None` when they are not 32-bit floats.
pub(crate) fn contiguous(x: FlexTensor) -> Option<FlexTensor> {
    if x.dtype() != DType::F32 {
        return None;
    }
    let whole = x.is_contiguous()
        && x.layout().start_offset() == 0
        && x.bytes().len() == x.layout().num_elements() * size_of::<f32>();
    Some(if whole { x } else { x.to_contiguous() })
}

fn slice(x: &FlexTensor) -> Option<&[f32]> {
    let count = x.layout().num_elements();
    x.as_slice::<f32>().map(|values| &values[..count.min(values.len())])
}

/// Calls `f` with the tensor's values; only for tensors that are known to be on the CPU.
fn with_values<const D: usize, T>(x: &Tensor<D>, f: impl FnOnce(&[f32]) -> T) -> T {
    f(slice(&known(values(x))).unwrap_or_default())
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(primitive(values, shape))
}

fn primitive_like(values: Vec<f32>, like: &FlexTensor) -> FlexTensor {
    let layout = Layout::contiguous(like.layout().shape().clone());
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

fn primitive<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape));
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}
