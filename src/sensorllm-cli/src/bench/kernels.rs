//! `sensorllm bench-kernels`: our products with quantised weights against Burn's own product with dense ones.

use std::collections::HashMap;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use pollster::block_on;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use sensorllm::weights::quantise::{quantise_q4, quantise_q8};
use sensorllm::weights::{BLOCK, Linear, LinearConfig, load};
use serde::Serialize;

use super::median;
use crate::model_folder::DeviceKind;
use crate::output;
use crate::table::{Align, Table};

/// Measures single products at the sizes of SmolLM2-135M: quantised weights with this project's kernels, dense ones with Burn's.
#[derive(Clone, Debug, clap::Args)]
pub struct KernelsArgs {
    /// What computes
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
    /// Products to take the median of
    #[arg(long, value_name = "N", default_value_t = 50)]
    runs: usize,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Measurement {
    inputs: usize,
    outputs: usize,
    rows: usize,
    weights: &'static str,
    milliseconds: f64,
    /// Multiply-adds per second, in thousands of millions.
    giga_macs: f64,
    /// Bytes of weights per second, in thousands of millions.
    gigabytes: f64,
}

/// Runs the command.
///
/// # Errors
/// When the device cannot be used.
pub fn run(args: &KernelsArgs) -> anyhow::Result<()> {
    let device = args.device.start()?;
    let mut all = Vec::new();
    for (inputs, outputs) in [(576, 1536), (1536, 576), (576, 12 * 1024)] {
        let dense = LinearConfig::new(inputs, outputs).init(&device);
        let q8 = quantised(&dense, false, &device)?;
        let q4 = quantised(&dense, true, &device)?;
        for rows in [1, 64] {
            let x = Tensor::<2>::random([rows, inputs], Distribution::Normal(0.0, 1.0), &device);
            for (weights, linear, bits) in [("f32, Burn", &dense, 32.0), ("q8", &q8, 8.5), ("q4", &q4, 4.5)] {
                let seconds = time(linear, &x, args.runs)?;
                let macs = (inputs * outputs * rows) as f64;
                all.push(Measurement {
                    inputs,
                    outputs,
                    rows,
                    weights,
                    milliseconds: seconds * 1e3,
                    giga_macs: macs / seconds / 1e9,
                    gigabytes: (inputs * outputs) as f64 * bits / 8.0 / seconds / 1e9,
                });
            }
        }
    }
    if args.json {
        return output::print_json(&all);
    }
    let columns = [
        ("inputs", Align::Right),
        ("outputs", Align::Right),
        ("rows", Align::Right),
        ("weights", Align::Left),
        ("ms", Align::Right),
        ("G multiply-adds/s", Align::Right),
        ("GB/s of weights", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for m in all {
        table.row([
            m.inputs.to_string(),
            m.outputs.to_string(),
            m.rows.to_string(),
            m.weights.to_owned(),
            format!("{:.3}", m.milliseconds),
            format!("{:.1}", m.giga_macs),
            format!("{:.1}", m.gigabytes),
        ]);
    }
    output::print(&table.to_string())
}

/// Median seconds of a product, its result read in part so that a GPU has to finish.
fn time(linear: &Linear, x: &Tensor<2>, runs: usize) -> anyhow::Result<f64> {
    let once = || -> anyhow::Result<f64> {
        let start = Instant::now();
        let y = linear.forward(x.clone());
        block_on(y.narrow(0, 0, 1).narrow(1, 0, 1).into_data_async())?;
        Ok(start.elapsed().as_secs_f64())
    };
    // The first ones compile kernels and fill caches.
    for _ in 0..5 {
        once()?;
    }
    Ok(median((0..runs.max(1)).map(|_| once()).collect::<anyhow::Result<Vec<_>>>()?))
}

/// The layer with its weight in 8 or 4 bits.
fn quantised(dense: &Linear, four_bits: bool, device: &Device) -> anyhow::Result<Linear> {
    let (inputs, outputs) = (dense.d_input(), dense.d_output());
    let rows = dense.clone().weight.val().transpose();
    let weights = block_on(rows.into_data_async())?.try_into_vec::<f32>()?;
    let (dtype, width, values, scales) = if four_bits {
        let (values, scales) = quantise_q4(&weights);
        (Dtype::U8, inputs / 2, values, scales)
    } else {
        let (values, scales) = quantise_q8(&weights);
        (Dtype::I8, inputs, values.into_iter().map(|value| value as u8).collect(), scales)
    };
    let scales: Vec<u8> = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    let tensors = [
        ("layer.weight.values", TensorView::new(dtype, vec![outputs, width], &values)?),
        ("layer.weight.scales", TensorView::new(Dtype::F16, vec![outputs, inputs / BLOCK], &scales)?),
    ];
    let bytes = safetensors::serialize(tensors, None::<HashMap<String, String>>)?;
    let layer = Layer { layer: LinearConfig::new(inputs, outputs).init(device) };
    Ok(load(layer, &bytes, device)?.layer)
}

/// A module around the one layer, so that it has a name in a file.
#[derive(Module, Debug)]
struct Layer {
    layer: Linear,
}

impl sensorllm::weights::Linears for Layer {
    fn linears<'a>(&'a mut self, _path: &str, all: &mut Vec<(String, &'a mut Linear)>) {
        all.push(("layer".to_owned(), &mut self.layer));
    }
}
