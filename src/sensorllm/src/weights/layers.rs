//! The two layers every stage is made of: a linear map and root-mean-square normalisation.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::init::{constant, normal};
use super::linears::Linears;
use super::quantised::{BLOCK, QuantisedFormat, QuantisedMatrix, QuantisedParts};
use crate::kernels;

/// Configuration of a [`Linear`] layer.
#[derive(Config, Debug)]
pub struct LinearConfig {
    /// Size of the input's last axis.
    pub d_input: usize,
    /// Size of the output's last axis.
    pub d_output: usize,
    /// Whether a bias is added.
    #[config(default = false)]
    pub bias: bool,
}

impl LinearConfig {
    /// A layer with random weights of deviation `1/√d_input` and zero bias.
    pub fn init(&self, device: &Device) -> Linear {
        self.init_with(1.0 / (self.d_input as f64).sqrt(), device)
    }

    /// A layer with random weights of the given deviation and zero bias.
    pub fn init_with(&self, deviation: f64, device: &Device) -> Linear {
        Linear {
            weight: normal([self.d_input, self.d_output], deviation, device),
            bias: self.bias.then(|| constant([self.d_output], 0.0, device)),
            quantised: None,
        }
    }
}

/// A linear map of the last axis: `y = x · weight + bias`.
#[derive(Module, Debug)]
pub struct Linear {
    /// Weight, `[d_input, d_output]`. Never computed with, nor allocated, where the weight is quantised.
    pub weight: Param<Tensor<2>>,
    /// Bias, `[d_output]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The weight in 8 or 4 bits, if the model's file holds it so.
    #[module(skip)]
    quantised: Option<QuantisedMatrix>,
}

impl Linear {
    /// Applies the map.
    ///
    /// All leading axes are folded into one, so that the product is a single large matrix product on every device.
    ///
    /// # Shapes
    ///
    /// - input: `[..., d_input]`
    /// - output: `[..., d_output]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut shape: [usize; D] = x.dims();
        let d_input = shape[D - 1];
        let rows = shape.iter().product::<usize>() / d_input.max(1);
        shape[D - 1] = self.d_output();

        let x = x.reshape([rows, d_input]);
        let mut y = match &self.quantised {
            Some(weight) => weight.matmul(x),
            None => x.matmul(self.weight.val()),
        };
        if let Some(bias) = &self.bias {
            y = y + bias.val().unsqueeze();
        }
        y.reshape(shape)
    }

    /// [`forward`](Self::forward) of maps with the same input, which is read once where the weights allow it.
    pub fn forward_each<const N: usize, const D: usize>(maps: [&Self; N], x: &Tensor<D>) -> [Tensor<D>; N] {
        let mut shape: [usize; D] = x.dims();
        let rows = shape[..D - 1].iter().product();
        let quantised: Option<Vec<_>> = maps.iter().map(|map| map.quantised()).collect();
        let quantised = quantised.and_then(|maps| <[&QuantisedMatrix; N]>::try_from(maps).ok());
        let each = quantised.and_then(|quantised| {
            QuantisedMatrix::matmul_each(quantised, &x.clone().reshape([rows, shape[D - 1]]))
        });
        let Some(each) = each else { return maps.map(|map| map.forward(x.clone())) };
        let mut maps = maps.iter();
        each.map(|mut y| {
            if let Some(bias) = maps.next().and_then(|map| map.bias.as_ref()) {
                y = y + bias.val().unsqueeze();
            }
            shape[D - 1] = y.dims()[1];
            y.reshape(shape)
        })
    }

    /// `residual + self.forward(x)`, in one kernel where there is one.
    ///
    /// # Shapes
    ///
    /// - residual, output: `[..., d_output]`; x: `[..., d_input]`
    pub fn add_to<const D: usize>(&self, residual: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        match (&self.quantised, &self.bias) {
            (Some(weight), None) => {
                let shape: [usize; D] = residual.dims();
                let rows = shape.iter().product::<usize>() / shape[D - 1].max(1);
                let residual = residual.reshape([rows, shape[D - 1]]);
                weight.matmul_add(x.reshape([rows, self.d_input()]), residual).reshape(shape)
            }
            _ => residual + self.forward(x),
        }
    }

    /// What each of the outputs `ids` weighs the inputs with: the vectors of these tokens, where the map is a token table.
    ///
    /// # Shapes
    ///
    /// - output: `[ids, d_input]`
    pub fn output_vectors(&self, ids: &[u32]) -> Tensor<2> {
        match &self.quantised {
            Some(weight) => weight.rows_at(ids),
            None => {
                let weight = self.weight.val();
                let ids: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
                let count = ids.len();
                let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [count]), &weight.device());
                weight.select(1, ids).transpose()
            }
        }
    }

    /// Size of the output's last axis.
    pub fn d_output(&self) -> usize {
        self.weight.lazy_shape()[1]
    }

    /// Size of the input's last axis.
    pub fn d_input(&self) -> usize {
        self.weight.lazy_shape()[0]
    }

    /// The weight in 8 or 4 bits, if it is quantised.
    pub fn quantised(&self) -> Option<&QuantisedMatrix> {
        self.quantised.as_ref()
    }

    /// Computes with `weight` in place of the dense one from now on.
    pub(super) fn quantise_to(&mut self, weight: QuantisedMatrix) {
        self.quantised = Some(weight);
    }

    /// Computes with some weight of this format from now on, where there can be one: of use only to time it.
    pub(crate) fn quantise_to_anything(&mut self, format: QuantisedFormat, device: &Device) {
        let (rows, columns) = (self.d_output(), self.d_input());
        if !columns.is_multiple_of(BLOCK) {
            return;
        }
        let values: Vec<u8> =
            (0..format.bytes(rows * columns)).map(|index| (index * 89 % 251) as u8).collect();
        let scale = half::f16::from_f32(0.01 / (columns as f32).sqrt()).to_le_bytes();
        let scales = scale.repeat(rows * columns / BLOCK);
        let parts = QuantisedParts { format, rows, columns, values: &values, scales: &scales };
        self.quantised = QuantisedMatrix::new(parts, device);
    }
}

impl Linears for Linear {
    fn linears<'a>(&'a mut self, path: &str, all: &mut Vec<(String, &'a mut Linear)>) {
        all.push((path.to_owned(), self));
    }
}

/// Configuration of [`RmsNorm`].
#[derive(Config, Debug)]
pub struct RmsNormConfig {
    /// Size of the normalised axis.
    pub d_model: usize,
    /// Added to the mean square before the root.
    #[config(default = 1e-6)]
    pub epsilon: f64,
}

impl RmsNormConfig {
    /// A layer whose weights are one.
    pub fn init(&self, device: &Device) -> RmsNorm {
        RmsNorm { weight: constant([self.d_model], 1.0, device), epsilon: self.epsilon }
    }
}

/// Root-mean-square normalisation of the last axis: `y = x / √(mean(x²) + ε) · weight`.
#[derive(Module, Debug)]
pub struct RmsNorm {
    /// Scale, `[d_model]`.
    pub weight: Param<Tensor<1>>,
    /// Added to the mean square before the root.
    #[module(skip)]
    pub epsilon: f64,
}

impl RmsNorm {
    /// Normalises the last axis.
    ///
    /// # Shapes
    ///
    /// - input and output: `[batch, length, d_model]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        if let Some(y) = kernels::rms_norm(&x, &self.weight.val(), self.epsilon) {
            return y;
        }
        let mean_square = x.clone().powi_scalar(2).mean_dim(2);
        let scale = (mean_square + self.epsilon).sqrt().recip();
        x * scale * self.weight.val().unsqueeze()
    }
}

#[cfg(test)]
mod tests {
    use super::super::quantised::{QuantisedFormat, QuantisedParts};
    use super::*;
    use burn::tensor::Tolerance;

    #[test]
    fn maps_with_one_input_give_what_each_gives() {
        let device = Device::flex();
        let x = Tensor::<3>::random([2, 3, 32], burn::tensor::Distribution::Default, &device);
        let dense = [5, 7].map(|rows| {
            let mut map = LinearConfig::new(32, rows).with_bias(rows == 5).init(&device);
            map.bias = map.bias.map(|_| constant([rows], 0.25, &device));
            map
        });
        let mut quantised = dense.clone();
        for map in &mut quantised {
            let rows = map.d_output();
            let (values, scales) = (vec![3; rows * 32], 0.5_f32);
            let scales: Vec<u8> = (0..rows).flat_map(|_| half::f16::from_f32(scales).to_le_bytes()).collect();
            let format = QuantisedFormat::Q8;
            let parts = QuantisedParts { format, rows, columns: 32, values: &values, scales: &scales };
            map.quantise_to(QuantisedMatrix::new(parts, &device).expect("the CPU has kernels"));
        }
        for [a, b] in [dense, quantised] {
            let together = Linear::forward_each([&a, &b], &x);
            for (together, map) in together.into_iter().zip([a, b]) {
                let alone = map.forward(x.clone());
                assert_eq!(together.dims(), alone.dims());
                together.into_data().assert_approx_eq::<f32>(&alone.into_data(), Tolerance::absolute(1e-6));
            }
        }
    }

    #[test]
    fn linear_folds_leading_axes() {
        let device = Device::flex();
        let layer = Linear {
            weight: Param::from_data(TensorData::from([[1.0f32, 0.0, 2.0], [0.0, 1.0, -1.0]]), &device),
            bias: Some(Param::from_data(TensorData::from([0.5f32, 0.0, 0.0]), &device)),
            quantised: None,
        };
        let x = Tensor::<3>::from_data([[[1.0f32, 2.0]], [[3.0, 4.0]]], &device);
        let expected = TensorData::from([[[1.5f32, 2.0, 0.0]], [[3.5, 4.0, 2.0]]]);
        layer.forward(x).into_data().assert_approx_eq::<f32>(&expected, Tolerance::default());
    }

    #[test]
    fn rms_norm_has_unit_mean_square() {
        let device = Device::flex();
        let x = Tensor::<3>::from_data([[[3.0f32, -4.0, 12.0, 0.0]]], &device);
        let y = RmsNormConfig::new(4).init(&device).forward(x);
        let mean_square = y.powi_scalar(2).mean().into_scalar::<f32>();
        assert!((mean_square - 1.0).abs() < 1e-5, "{mean_square}");
    }
}
