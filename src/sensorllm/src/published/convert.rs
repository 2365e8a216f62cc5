//! A parameter's published values, and the tensors that a model folder's files hold for it.

use safetensors::Dtype;

use super::names::{Names, Part};
use super::source::{TensorSource, source_error};
use crate::error::Result;
use crate::language::rows_per_part;
use crate::weights::quantise::{dequantise_q4, dequantise_q8, quantise_q4, quantise_q8};
use crate::weights::{BLOCK, Parameter, decode};

/// How a model folder's files hold weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point; computed with in 32.
    F16,
    /// 8 bits in blocks of 32.
    Q8,
    /// 4 bits in blocks of 32 for the layers of encoder and LLM and for token tables, which are nearly all of a model; 8 bits for the
    /// other maps ([`KEPT_AT_8_BITS`]).
    Q4,
}

/// Where the maps begin that [`Target::Q4`] leaves at 8 bits: those that take in a window's numbers and those that give the answer. They are
/// small, and are read once per window instead of once per token. With 4 bits in them as well, the default model loses a third more of its
/// macro-F1.
const KEPT_AT_8_BITS: [&str; 5] = ["encoder.input.", "projector.", "prompt.", "encoder_head.", "llm_head."];

/// A tensor as a file will hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct FileTensor {
    /// Its name in the file.
    pub name: String,
    /// Type of its numbers.
    pub dtype: Dtype,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Root-mean-square error of a quantised weight against the published one, relative to the weight's root mean square.
    pub error: Option<f64>,
}

/// Numbers converted at a time, so that only the result is ever whole in memory.
const CHUNK: usize = 1 << 20;

/// What the files hold for one parameter: one tensor, or values and scales. Weights of linear maps are quantised where their
/// inputs are a multiple of 32; other matrices are f16 then, and vectors f32.
///
/// # Errors
///
/// [`ErrorKind::Weights`](crate::ErrorKind::Weights) when the tensor is absent or holds numbers that are not finite or too large
/// for the target.
pub fn file_tensors(
    parameter: &Parameter,
    names: &Names,
    source: &dyn TensorSource,
    target: Target,
) -> Result<Vec<FileTensor>> {
    let quantised = parameter.linear && parameter.shape[0].is_multiple_of(BLOCK);
    let kept = KEPT_AT_8_BITS.iter().any(|start| parameter.path.starts_with(start));
    let target = if kept && target == Target::Q4 { Target::Q8 } else { target };
    match target {
        Target::Q8 | Target::Q4 if quantised => quantise(parameter, names, source, target),
        Target::F32 => dense(parameter, names, source, Dtype::F32),
        Target::F16 | Target::Q8 | Target::Q4 if parameter.shape.len() > 1 => {
            dense(parameter, names, source, Dtype::F16)
        }
        Target::F16 | Target::Q8 | Target::Q4 => dense(parameter, names, source, Dtype::F32),
    }
}

fn quantise(
    parameter: &Parameter,
    names: &Names,
    source: &dyn TensorSource,
    target: Target,
) -> Result<Vec<FileTensor>> {
    let (columns, rows) = (parameter.shape[0], parameter.shape[1]);
    let (mut values, mut scales) = (Vec::new(), Vec::new());
    let (mut squared_error, mut squared) = (0.0f64, 0.0f64);
    for_rows(parameter, names, source, |_, weights| {
        let (packed, block_scales, restored) = match target {
            Target::Q8 => {
                let (packed, scales) = quantise_q8(weights);
                let restored = dequantise_q8(&packed, &scales);
                (packed.iter().map(|value| *value as u8).collect::<Vec<u8>>(), scales, restored)
            }
            _ => {
                let (packed, scales) = quantise_q4(weights);
                let restored = dequantise_q4(&packed, &scales);
                (packed, scales, restored)
            }
        };
        values.extend(packed);
        scales.extend(block_scales.iter().flat_map(|scale| scale.to_le_bytes()));
        for (weight, restored) in weights.iter().zip(&restored) {
            squared_error += f64::from(weight - restored).powi(2);
            squared += f64::from(*weight).powi(2);
        }
        Ok(())
    })?;
    let (dtype, width) = if target == Target::Q8 { (Dtype::I8, columns) } else { (Dtype::U8, columns / 2) };
    let tensor = |suffix: &str, dtype, width, bytes, error| FileTensor {
        name: format!("{}.{suffix}", parameter.path),
        dtype,
        shape: vec![rows, width],
        bytes,
        error,
    };
    let error = (squared_error / squared.max(f64::MIN_POSITIVE)).sqrt();
    Ok(vec![
        tensor("values", dtype, width, values, Some(error)),
        tensor("scales", Dtype::F16, columns / BLOCK, scales, None),
    ])
}

fn dense(
    parameter: &Parameter,
    names: &Names,
    source: &dyn TensorSource,
    dtype: Dtype,
) -> Result<Vec<FileTensor>> {
    let width = if dtype == Dtype::F16 { 2 } else { 4 };
    let mut bytes = vec![0; parameter.shape.iter().product::<usize>() * width];
    for_values(parameter, names, source, |index, value| {
        let place = &mut bytes[index * width..][..width];
        if dtype == Dtype::F16 {
            let half = half::f16::from_f32(value);
            if !half.is_finite() {
                return Err(source_error(format!("{value} in {} is too large for f16", parameter.path)));
            }
            place.copy_from_slice(&half.to_le_bytes());
        } else {
            place.copy_from_slice(&value.to_le_bytes());
        }
        Ok(())
    })?;
    Ok(vec![FileTensor {
        name: parameter.path.clone(),
        dtype,
        shape: parameter.shape.clone(),
        bytes,
        error: None,
    }])
}

/// A parameter's values in our layout: weights of linear maps are transposed, `[inputs, outputs]`.
pub(super) fn values(parameter: &Parameter, names: &Names, source: &dyn TensorSource) -> Result<Vec<f32>> {
    let mut all = vec![0.0; parameter.shape.iter().product()];
    for_values(parameter, names, source, |index, value| {
        all[index] = value;
        Ok(())
    })?;
    Ok(all)
}

/// Calls `f` with every value of a parameter and its index in our layout.
fn for_values(
    parameter: &Parameter,
    names: &Names,
    source: &dyn TensorSource,
    mut f: impl FnMut(usize, f32) -> Result<()>,
) -> Result<()> {
    if !parameter.linear {
        let row = parameter.shape.iter().skip(1).product::<usize>();
        return for_rows(parameter, names, source, |first, values| {
            values.iter().enumerate().try_for_each(|(i, value)| f(first * row + i, *value))
        });
    }
    let (inputs, outputs) = (parameter.shape[0], parameter.shape[1]);
    for_rows(parameter, names, source, |first, weights| {
        weights.chunks_exact(inputs).enumerate().try_for_each(|(row, weights)| {
            let place = |input: usize| input * outputs + first + row;
            weights.iter().enumerate().try_for_each(|(input, weight)| f(place(input), *weight))
        })
    })
}

/// Calls `f` with runs of a parameter's published rows, and the first one's number within the parameter.
fn for_rows(
    parameter: &Parameter,
    names: &Names,
    source: &dyn TensorSource,
    mut f: impl FnMut(usize, &[f32]) -> Result<()>,
) -> Result<()> {
    let place = names.place(&parameter.path)?;
    let info =
        source.info(&place.name).ok_or_else(|| source_error(format!("there is no tensor {}", place.name)))?;
    let (start, count) = match place.part {
        Part::Whole if parameter.linear => (0, parameter.shape[1]),
        Part::Whole => (0, parameter.shape.first().copied().unwrap_or(1)),
        Part::Rows => (place.number * rows_per_part(parameter.shape[0]), parameter.shape[1]),
        Part::Row(row) => (row, 1),
    };
    let width = info.shape.iter().skip(1).product::<usize>().max(1);
    let step = (CHUNK / width).max(1);
    for first in (0..count).step_by(step) {
        let last = (first + step).min(count);
        let bytes = source.read(&place.name, start + first..start + last)?;
        f(first, &decode(&place.name, info.dtype, &bytes)?)?;
    }
    Ok(())
}
