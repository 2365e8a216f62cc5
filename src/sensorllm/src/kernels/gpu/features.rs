//! The optional features of a device that kernels make use of: those it offers, if kernels that use them pass a check on it.
//!
//! The check is made with wgpu alone, before Burn computes anything: there a kernel that the driver refuses is an answer, where
//! Burn would give up the device.

use std::sync::atomic::{AtomicU32, Ordering};

use burn::tensor::wgpu::{WgpuSetup, wgpu};
use cubecl::future::channel;
use half::f16;
use sensorllm_shaders::blocks::{BLOCK, Blocks, Format};
pub(super) use sensorllm_shaders::features::Features;
use sensorllm_shaders::{matmul, matvec, rms_norm, swiglu_matvec};

/// Most neighbours that exchange values: the width of the widest kernel that lets them.
const SUBGROUP_MAX: u32 = 64;

/// What is in use: neighbours in a subgroup, and in the highest bit whether there is f16.
static IN_USE: AtomicU32 = AtomicU32::new(Features::CORE.subgroup);
const F16: u32 = 1 << 31;

/// What kernels make use of.
pub(super) fn features() -> Features {
    let bits = IN_USE.load(Ordering::Relaxed);
    Features { subgroup: bits & !F16, f16: bits & F16 != 0 }
}

/// Lets kernels make use of these features. There is one device in a process or worker.
pub(crate) fn make_use_of(features: Features) {
    IN_USE.store(features.subgroup | if features.f16 { F16 } else { 0 }, Ordering::Relaxed);
}

/// The features of a device that pass the check.
pub(crate) async fn checked(setup: &WgpuSetup) -> Features {
    let offered = offered(setup);
    let mut passed = Features::CORE;
    let subgroups = Features { f16: false, ..offered };
    if subgroups != Features::CORE && all_compute(setup, &subgroup_cases(subgroups)).await {
        passed.subgroup = offered.subgroup;
    }
    let halves = Features { f16: offered.f16, ..Features::CORE };
    if halves != Features::CORE && all_compute(setup, &[matmul_case(halves)]).await {
        passed.f16 = true;
    }
    passed
}

fn offered(setup: &WgpuSetup) -> Features {
    let enabled = setup.device.features();
    // wgpu does not say whether a browser's device has subgroups. Kernels for them are refused by one that has not, which the check
    // finds out.
    let may_have = cfg!(target_family = "wasm") || enabled.contains(wgpu::Features::SUBGROUP);
    let least = setup.adapter.get_info().subgroup_min_size.min(SUBGROUP_MAX);
    Features {
        subgroup: if may_have && least > 1 { 1 << least.ilog2() } else { 1 },
        f16: enabled.contains(wgpu::Features::SHADER_F16),
    }
}

/// A kernel, what it is given and what its CPU twin makes of it.
pub(super) struct Case {
    pub(super) wgsl: String,
    pub(super) groups: [u32; 3],
    /// What is read, in the order of the bindings; the output follows, then the sizes.
    pub(super) buffers: Vec<Vec<u8>>,
    pub(super) sizes: Vec<u32>,
    pub(super) expected: Vec<f32>,
}

/// Inputs of a case: numbers that repeat after 251.
fn numbers(count: usize, first: usize) -> Vec<f32> {
    (first..first + count).map(|i| (i * 97 % 251) as f32 / 125.0 - 1.0).collect()
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Weights of a row longer than the lanes that share it have blocks, and more rows than a workgroup takes.
const ROWS: usize = 20;
const COLUMNS: usize = 18 * BLOCK;

/// Values and scales of weights in q8, which the model that ships has.
fn weights(first: usize) -> (Vec<u8>, Vec<u8>) {
    let values = (0..ROWS * COLUMNS).map(|i| ((first + i) * 89 % 253) as u8).collect();
    let scale = |i: usize| f16::from_f32((i % 7 + 1) as f32 / 512.0).to_le_bytes();
    (values, (0..ROWS * COLUMNS / BLOCK).flat_map(scale).collect())
}

fn linear(wgsl: String, groups: [u32; 3], vectors: usize) -> Case {
    let (x, (values, scales)) = (numbers(vectors * COLUMNS, 0), weights(0));
    let w = Blocks { format: Format::Q8, values: &values, scales: &scales };
    let expected = matmul::matmul(&x, &w, COLUMNS, &[], &[]);
    Case {
        wgsl,
        groups,
        // Neither a bias nor a residual.
        buffers: vec![bytes(&x), values, scales, vec![0; 4], vec![0; 4]],
        sizes: [ROWS, COLUMNS / BLOCK, ROWS, 0, 0, 0, vectors].map(|size| size as u32).into(),
        expected,
    }
}

pub(super) fn matmul_case(features: Features) -> Case {
    linear(matmul::wgsl(Format::Q8, features), [1, 1, 1], 9)
}

fn subgroup_cases(features: Features) -> [Case; 3] {
    let groups = [ROWS.div_ceil(matvec::TILE) as u32, 1, 2];
    let map = linear(matvec::wgsl(Format::Q8, features), groups, 2);

    let (x, (gate, gate_scales), (up, up_scales)) = (numbers(COLUMNS, 3), weights(5), weights(11));
    let [g, u] = [(&gate, &gate_scales), (&up, &up_scales)].map(|(values, scales)| Blocks {
        format: Format::Q8,
        values,
        scales,
    });
    let gated = Case {
        wgsl: swiglu_matvec::wgsl(Format::Q8, features),
        groups: [ROWS.div_ceil(swiglu_matvec::TILE) as u32, 1, 1],
        expected: swiglu_matvec::swiglu_matvec(&x, &g, &u, COLUMNS),
        buffers: vec![bytes(&x), gate, gate_scales, up, up_scales],
        sizes: vec![ROWS as u32, (COLUMNS / BLOCK) as u32],
    };

    let (x, weight, epsilon) = (numbers(2 * COLUMNS, 7), numbers(COLUMNS, 1), 1e-5_f32);
    let norm = Case {
        wgsl: rms_norm::wgsl(features),
        groups: [2, 1, 1],
        expected: rms_norm::rms_norm(&x, &weight, epsilon),
        buffers: vec![bytes(&x), bytes(&weight)],
        sizes: vec![2, COLUMNS as u32, epsilon.to_bits()],
    };
    [map, gated, norm]
}

async fn all_compute(setup: &WgpuSetup, cases: &[Case]) -> bool {
    for case in cases {
        if !computes(setup, case).await {
            return false;
        }
    }
    true
}

/// Whether a kernel is accepted and gives what its twin gives.
pub(super) async fn computes(setup: &WgpuSetup, case: &Case) -> bool {
    let scopes = [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation]
        .map(|filter| setup.device.push_error_scope(filter));
    let (module, pipeline) = compile(setup, &case.wgsl);
    let mut is_refused = false;
    // The last scope opened is the first to close.
    for scope in scopes.into_iter().rev() {
        is_refused |= scope.pop().await.is_some();
    }
    drop(module);
    if is_refused {
        return false;
    }
    let Some(y) = run(setup, &pipeline, case).await else { return false };
    let is_close = |(y, e): (&f32, &f32)| (y - e).abs() <= 1e-4 * (1.0 + e.abs());
    y.len() == case.expected.len() && y.iter().zip(&case.expected).all(is_close)
}

fn compile(setup: &WgpuSetup, wgsl: &str) -> (wgpu::ShaderModule, wgpu::ComputePipeline) {
    let source = wgpu::ShaderSource::Wgsl(wgsl.into());
    let module = setup.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let pipeline = setup.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    (module, pipeline)
}

/// The output of a kernel, or nothing when it cannot be read.
async fn run(setup: &WgpuSetup, pipeline: &wgpu::ComputePipeline, case: &Case) -> Option<Vec<f32>> {
    let WgpuSetup { device, queue, .. } = setup;
    let upload = |bytes: &[u8], usage| {
        let size = (bytes.len() as u64).next_multiple_of(16);
        let usage = usage | wgpu::BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        let buffer = device.create_buffer(&descriptor);
        queue.write_buffer(&buffer, 0, bytes);
        buffer
    };
    let output = bytes(&vec![f32::NAN; case.expected.len()]);
    let mut buffers: Vec<_> =
        case.buffers.iter().map(|bytes| upload(bytes, wgpu::BufferUsages::STORAGE)).collect();
    buffers.push(upload(&output, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC));
    let sizes: Vec<u8> = case.sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
    buffers.push(upload(&sizes, wgpu::BufferUsages::UNIFORM));
    let copy = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: output.len() as u64,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let entries: Vec<_> = (0..)
        .zip(&buffers)
        .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
        .collect();
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &group, &[]);
        let [x, y, z] = case.groups;
        pass.dispatch_workgroups(x, y, z);
    }
    let written = &buffers[case.buffers.len()];
    encoder.copy_buffer_to_buffer(written, 0, &copy, 0, output.len() as u64);
    queue.submit([encoder.finish()]);

    let (done, is_mapped) = channel::bounded(1);
    copy.slice(..).map_async(wgpu::MapMode::Read, move |result| {
        // Nobody waits any more where the receiver is gone.
        let _ = done.try_send(result.is_ok());
    });
    // A browser answers by itself; elsewhere somebody has to ask.
    #[cfg(not(target_family = "wasm"))]
    device.poll(wgpu::PollType::wait_indefinitely()).ok()?;
    if !is_mapped.recv().await.unwrap_or(false) {
        return None;
    }
    let range = copy.slice(..).get_mapped_range().ok()?;
    let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    Some(range.chunks_exact(4).map(number).collect())
}
