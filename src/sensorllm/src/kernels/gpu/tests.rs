//! Every kernel against its CPU twin on the machine's adapter. Fails where there is none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use burn::tensor::wgpu::WgpuSetup;
use burn::tensor::{Device, Int, Tensor, TensorData};
use half::f16;
use sensorllm_shaders::blocks::{BLOCK, Blocks};
use sensorllm_shaders::{
    argmax as argmax_twin, attention_decode, gather as gather_twin, matmul as matmul_twin,
};
use sensorllm_shaders::{rms_norm as rms_norm_twin, rope_cache, swiglu as swiglu_twin, swiglu_matvec};

use super::features::{Features, computes, matmul_case};
use super::*;

static OPENED: LazyLock<(Device, WgpuSetup)> = LazyLock::new(|| {
    let opened = Device::wgpu_options().tasks_max(TASKS_MAX).init_with_setup_async();
    pollster::block_on(opened).expect("this test needs a WebGPU adapter (Mesa's lavapipe will do)")
});
static DEVICE: LazyLock<Device> = LazyLock::new(|| OPENED.0.clone());

/// What the adapter has and passes the check, found out once.
static FEATURES: LazyLock<Features> = LazyLock::new(|| pollster::block_on(checked(&OPENED.1)));

/// Computes with every variant of the kernels that the adapter can run; one for few neighbours runs on an adapter with many.
fn in_every_variant(test: impl Fn(Features)) {
    let neighbours = [1, 4, 8, 16, 32, 64].into_iter().filter(|count| *count <= FEATURES.subgroup);
    for subgroup in neighbours {
        for f16 in [false, true].into_iter().filter(|f16| !f16 || FEATURES.f16) {
            let features = Features { subgroup, f16 };
            make_use_of(features);
            test(features);
        }
    }
    make_use_of(*FEATURES);
}

/// Tests take turns on the device, so that one of them can count what it is asked to do.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

const FORMATS: [Format; 4] = [Format::Q8, Format::Q4, Format::F16, Format::F32];

/// Numbers between -1 and 1 from a linear congruential generator.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// The bytes of random weights: values and scales.
fn weights(format: Format, rows: usize, columns: usize, numbers: &mut Numbers) -> (Vec<u8>, Vec<u8>) {
    let count = rows * columns;
    let values = match format {
        Format::Q8 | Format::Q4 => {
            (0..count * format.bits() / 8).map(|_| (numbers.next() * 127.9) as i8 as u8).collect()
        }
        Format::F16 => numbers.take(count).iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect(),
        Format::F32 => numbers.take(count).iter().flat_map(|x| x.to_le_bytes()).collect(),
    };
    let blocks = if format.has_scales() { count / BLOCK } else { 0 };
    let largest = if format == Format::Q4 { 8.0 } else { 128.0 };
    let scales = numbers.take(blocks).iter().flat_map(|x| f16::from_f32(x / largest).to_le_bytes()).collect();
    (values, scales)
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &*DEVICE)
}

#[track_caller]
fn assert_close<const D: usize>(y: Tensor<D>, expected: &[f32], tolerance: f32, what: &str) {
    let y = y.into_data().try_to_vec::<f32>().unwrap();
    assert_eq!(y.len(), expected.len(), "{what}");
    for (i, (y, e)) in y.iter().zip(expected).enumerate() {
        assert!((y - e).abs() <= tolerance * (1.0 + e.abs()), "{what}: {y} is not {e} at {i}");
    }
}

#[test]
fn linear_maps_agree_with_their_twins() {
    let _turn = turn();
    in_every_variant(linear_maps_agree);
}

fn linear_maps_agree(features: Features) {
    let mut numbers = Numbers(1);
    for format in FORMATS {
        for (rows, columns) in [(1, 32), (49, 96), (64, 576), (130, 1536)] {
            let (values, scales) = weights(format, rows, columns, &mut numbers);
            let blocks = Blocks { format, values: &values, scales: &scales };
            let w = GpuMatrix::new(format, rows, columns, &values, &scales, &DEVICE);
            for vectors in [1, 3, 17, 64] {
                let x = numbers.take(vectors * columns);
                let bias = numbers.take(rows);
                let residual = numbers.take(vectors * rows);
                let gpu_x = tensor(&x, [vectors, columns]);
                let what = format!("{format:?} {rows} x {columns}, {vectors} vectors, {features:?}");
                let plain = matmul(&gpu_x, &w, None, None);
                assert_close(plain, &matmul_twin::matmul(&x, &blocks, columns, &[], &[]), 2e-5, &what);
                let gpu_bias = tensor(&bias, [rows]);
                let gpu_residual = tensor(&residual, [vectors, rows]);
                let full = matmul(&gpu_x, &w, Some(&gpu_bias), Some(&gpu_residual));
                let expected = matmul_twin::matmul(&x, &blocks, columns, &bias, &residual);
                assert_close(full, &expected, 2e-5, &what);
            }
        }
    }
}

#[test]
fn maps_of_one_input_write_side_by_side() {
    let _turn = turn();
    let mut numbers = Numbers(2);
    let columns = 64;
    for format in FORMATS {
        let bytes: Vec<_> =
            [40, 7, 66].map(|rows| (rows, weights(format, rows, columns, &mut numbers))).into();
        let parts: Vec<GpuMatrix> = bytes
            .iter()
            .map(|(rows, (values, scales))| GpuMatrix::new(format, *rows, columns, values, scales, &DEVICE))
            .collect();
        let values = bytes.iter().flat_map(|(_, (values, _))| values.clone()).collect::<Vec<u8>>();
        let scales = bytes.iter().flat_map(|(_, (_, scales))| scales.clone()).collect::<Vec<u8>>();
        let bias = numbers.take(113);
        let biases = [tensor(&bias[..40], [40]), tensor(&bias[40..47], [7]), tensor(&bias[47..], [66])];
        let pairs: Vec<_> = parts.iter().zip(&biases).map(|(part, bias)| (part, Some(bias))).collect();
        for vectors in [2, 9] {
            let x = numbers.take(vectors * columns);
            let blocks = Blocks { format, values: &values, scales: &scales };
            let expected = matmul_twin::matmul(&x, &blocks, columns, &bias, &[]);
            let x = tensor(&x, [vectors, columns]);
            assert_close(matmul_parts(&x, &pairs), &expected, 2e-5, "side by side");
        }
    }
}

#[test]
fn the_gated_layer_agrees_with_its_twin() {
    let _turn = turn();
    in_every_variant(gated_layers_agree);
    let mut numbers = Numbers(6);
    let (gate, up) = (numbers.take(3 * 70), numbers.take(3 * 70));
    let y = swiglu(&tensor(&gate, [3, 70]), &tensor(&up, [3, 70]));
    assert_close(y, &swiglu_twin::swiglu(&gate, &up), 1e-5, "value by value");
}

fn gated_layers_agree(features: Features) {
    let mut numbers = Numbers(5);
    for format in FORMATS {
        for (rows, columns) in [(1, 32), (50, 576)] {
            let gate = weights(format, rows, columns, &mut numbers);
            let up = weights(format, rows, columns, &mut numbers);
            let blocks = [&gate, &up].map(|(values, scales)| Blocks { format, values, scales });
            let [g, u] = [&gate, &up]
                .map(|(values, scales)| GpuMatrix::new(format, rows, columns, values, scales, &DEVICE));
            for vectors in [1, 3, 17] {
                let x = numbers.take(vectors * columns);
                let expected = swiglu_matvec::swiglu_matvec(&x, &blocks[0], &blocks[1], columns);
                let y = swiglu_matmul(&tensor(&x, [vectors, columns]), &g, &u);
                let what = format!("{format:?} {rows} x {columns}, {vectors} vectors, {features:?}");
                assert_close(y, &expected, 1e-4, &what);
            }
        }
    }
}

#[test]
fn embeddings_come_from_the_part_that_holds_them() {
    let _turn = turn();
    let mut numbers = Numbers(6);
    let ids: Vec<u32> = vec![0, 16, 5, 6, 999, 10, 5];
    let gpu_ids = on_gpu(&ids.iter().map(|id| *id as i32).collect::<Vec<_>>());
    for format in FORMATS {
        let width = 96;
        let parts = [6, 11].map(|rows| (rows, weights(format, rows, width, &mut numbers)));
        let [values, scales] = [0, 1].map(|which| {
            parts
                .iter()
                .flat_map(|(_, p)| if which == 0 { p.0.clone() } else { p.1.clone() })
                .collect::<Vec<u8>>()
        });
        let expected = gather_twin::gather(&Blocks { format, values: &values, scales: &scales }, width, &ids);
        let whole = GpuMatrix::new(format, 17, width, &values, &scales, &DEVICE);
        assert_close(gather(&[whole], &gpu_ids, 7), &expected, 1e-6, "whole");
        let parts = parts.map(|(rows, (v, s))| GpuMatrix::new(format, rows, width, &v, &s, &DEVICE));
        assert_close(gather(&parts, &gpu_ids, 7), &expected, 1e-6, "in parts");
    }
}

#[test]
fn normalisation_agrees_with_its_twin() {
    let _turn = turn();
    in_every_variant(|features| {
        let mut numbers = Numbers(7);
        for (rows, width) in [(1, 576), (5, 30), (70_000, 2)] {
            let (x, weight) = (numbers.take(rows * width), numbers.take(width));
            let y = rms_norm(&tensor(&x, [rows, 1, width]), &tensor(&weight, [width]), 1e-5);
            let y = y.expect("on WebGPU");
            assert_eq!(y.dims(), [rows, 1, width]);
            let what = format!("{rows} x {width}, {features:?}");
            assert_close(y, &rms_norm_twin::rms_norm(&x, &weight, 1e-5), 1e-5, &what);
        }
    });
    let cpu = Tensor::<2>::zeros([1, 4], &Device::flex());
    assert!(rms_norm(&cpu, &Tensor::ones([4], &Device::flex()), 1e-5).is_none());
}

/// A sequence in passes of the given lengths, with the twins' cache beside the GPU's.
fn attention_agrees(sizes: Heads, has_norm: bool, passes: &[usize]) {
    let mut numbers = Numbers(8);
    let Heads { heads, kv_heads, d_head, capacity } = sizes;
    let (width, room) = ((heads + 2 * kv_heads) * d_head, kv_heads * capacity * d_head);
    let angles = numbers.take(capacity * d_head / 2);
    let cos: Vec<f32> = angles.iter().map(|angle| (angle * 3.0).cos()).collect();
    let sin: Vec<f32> = angles.iter().map(|angle| (angle * 3.0).sin()).collect();
    let interleaved: Vec<f32> = cos.iter().zip(&sin).flat_map(|(cos, sin)| [*cos, *sin]).collect();
    let rotation = GpuRotation::new(&cos, &sin, &DEVICE);
    let cache = GpuKvCache::new(sizes, &DEVICE).expect("the kernels take these heads");
    let (mut keys, mut values) = (vec![0.0; room], vec![0.0; room]);
    let factors = if has_norm { numbers.take(2 * d_head) } else { Vec::new() };
    let norm = has_norm.then(|| {
        QkNorm::new(&tensor(&factors[..d_head], [d_head]), &tensor(&factors[d_head..], [d_head]), 1e-6)
    });
    let mut start = 0;
    for vectors in passes {
        let mut qkv: Vec<f32> = numbers.take(vectors * width).iter().map(|x| x * 3.0).collect();
        let step = Step::new(start, &DEVICE);
        let y = attend(tensor(&qkv, [*vectors, width]), norm.as_ref(), &cache, &rotation, &step, 0.2);
        rope_cache::rope_cache(&mut qkv, &factors, 1e-6, &interleaved, start, sizes, &mut keys, &mut values);
        let expected = attention_decode::attention_decode(&qkv, width, &keys, &values, start, sizes, 0.2);
        assert_eq!(y.dims(), [*vectors, heads * d_head]);
        assert_close(y, &expected, 1e-4, &format!("{sizes:?}, {vectors} from {start}"));
        start += vectors;
    }
}

#[test]
fn attention_agrees_with_its_twins() {
    let _turn = turn();
    let sizes = Heads { heads: 9, kv_heads: 3, d_head: 64, capacity: 400 };
    attention_agrees(sizes, false, &[17, 1, 1, 64, 3, 200, 1, 1]);
    attention_agrees(Heads { heads: 4, kv_heads: 2, d_head: 128, capacity: 90 }, true, &[64, 1, 5, 3]);
    attention_agrees(Heads { heads: 3, kv_heads: 1, d_head: 80, capacity: 300 }, true, &[9, 1, 270, 2]);
    attention_agrees(Heads { heads: 2, kv_heads: 2, d_head: 4, capacity: 70 }, false, &[1, 1, 66]);
}

#[test]
fn heads_the_kernels_cannot_take_are_refused() {
    let _turn = turn();
    for (heads, kv_heads, d_head) in [(4, 2, 6), (4, 3, 64), (4, 2, 132), (4, 0, 64), (4, 2, 0)] {
        assert!(GpuKvCache::new(Heads { heads, kv_heads, d_head, capacity: 8 }, &DEVICE).is_none());
    }
}

#[test]
fn the_greedy_choice_agrees_with_its_twin() {
    let _turn = turn();
    let mut numbers = Numbers(9);
    for (rows, width) in [(1, 1), (3, 255), (2, 49_152), (1, 70_001)] {
        let mut x = numbers.take(rows * width);
        x[width / 2] = f32::NAN;
        // The largest twice.
        x[width / 3] = 1.5;
        x[width - 1] = 1.5;
        let expected: Vec<i32> = argmax_twin::argmax(&x, width).iter().map(|id| *id as i32).collect();
        let x = tensor(&x, [rows, width]);
        let y = argmax(&x).into_data().try_to_vec::<i32>().unwrap();
        assert_eq!(y, expected, "{rows} x {width}");
        let part = on_gpu(&vec![-1; rows + 3]);
        argmax_into(&x, &part, 2);
        let part = part.into_data().try_to_vec::<i32>().unwrap();
        assert_eq!(part, [&[-1, -1], &expected[..], &[-1]].concat(), "{rows} x {width}, a part");
    }
}

#[test]
fn features_that_fail_the_check_are_not_used() {
    let _turn = turn();
    let setup = &OPENED.1;
    let name = setup.adapter.get_info().name;
    println!("{name}: {:?}", *FEATURES);
    // Mesa's software adapter has subgroups as wide as its vectors: where a width is asked for, it has to be tested.
    if let (true, Ok(bits)) = (name.contains("llvmpipe"), std::env::var("LP_NATIVE_VECTOR_WIDTH")) {
        assert_eq!(FEATURES.subgroup, bits.parse::<u32>().unwrap() / 32);
    }
    let check = |case| pollster::block_on(computes(setup, &case));
    assert!(check(matmul_case(Features::CORE)));
    let mut wrong = matmul_case(Features::CORE);
    wrong.expected[7] += 0.01;
    assert!(!check(wrong), "a kernel that computes something else");
    let mut refused = matmul_case(Features::CORE);
    refused.wgsl = refused.wgsl.replace("fn store(", "fn stow(");
    assert!(!check(refused), "a kernel that is not valid");
    // The device still computes.
    assert!(check(matmul_case(Features::CORE)));
}

/// Counts what wgpu says it was asked to do.
struct Counter {
    submits: AtomicUsize,
    writes: AtomicUsize,
    dispatches: AtomicUsize,
}

static COUNTER: Counter =
    Counter { submits: AtomicUsize::new(0), writes: AtomicUsize::new(0), dispatches: AtomicUsize::new(0) };

impl Counter {
    fn take(&self) -> [usize; 3] {
        [&self.submits, &self.writes, &self.dispatches].map(|count| count.swap(0, Ordering::SeqCst))
    }
}

impl log::Log for Counter {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.target().starts_with("wgpu_core")
    }

    fn log(&self, record: &log::Record) {
        let text = record.args().to_string();
        let counts = [
            ("Queue::submit returned", &self.submits),
            ("Queue::write_buffer", &self.writes),
            ("ComputePass::dispatch", &self.dispatches),
        ];
        for (name, count) in counts {
            if text.starts_with(name) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    fn flush(&self) {}
}

/// A small model in the shape of a published one: as many blocks, and as many kernels in each.
struct Decoder {
    table: GpuMatrix,
    blocks: Vec<(GpuMatrix, GpuMatrix, GpuMatrix, GpuMatrix, GpuMatrix, GpuKvCache)>,
    norm: Tensor<1>,
    rotation: GpuRotation,
}

impl Decoder {
    fn new(layers: usize) -> Self {
        let mut numbers = Numbers(10);
        let mut matrix = |rows, columns| {
            let (values, scales) = weights(Format::Q4, rows, columns, &mut numbers);
            GpuMatrix::q4(rows, columns, &values, &scales, &DEVICE)
        };
        let cache = || {
            let sizes = Heads { heads: 2, kv_heads: 1, d_head: 32, capacity: 16 };
            GpuKvCache::new(sizes, &DEVICE).expect("the kernels take these heads")
        };
        let blocks = (0..layers)
            .map(|_| {
                let (qkv, o) = (matrix(128, 64), matrix(64, 64));
                (qkv, o, matrix(96, 64), matrix(96, 64), matrix(64, 96), cache())
            })
            .collect();
        let rotation = GpuRotation::new(&[0.8; 256], &[0.6; 256], &DEVICE);
        Self { table: matrix(100, 64), blocks, norm: tensor(&[1.0; 64], [64]), rotation }
    }

    /// Logits of the tokens at `start` and on.
    fn forward(&self, ids: &[i32], start: usize) -> Tensor<2> {
        let step = Step::new(start, &DEVICE);
        self.forward_at(&on_gpu(ids), ids.len(), &step)
    }

    /// The same of the first `count` of ids that are on the GPU already.
    fn forward_at(&self, ids: &Tensor<1, Int>, count: usize, step: &Step) -> Tensor<2> {
        let norm = |x: &Tensor<2>| rms_norm(x, &self.norm, 1e-5).expect("on WebGPU");
        let mut x = gather(std::slice::from_ref(&self.table), ids, count);
        for (qkv, o, gate, up, down, cache) in &self.blocks {
            let y = attend(matmul(&norm(&x), qkv, None, None), None, cache, &self.rotation, step, 0.2);
            x = matmul(&y, o, None, Some(&x));
            x = matmul(&swiglu_matmul(&norm(&x), gate, up), down, None, Some(&x));
        }
        matmul(&norm(&x), &self.table, None, None)
    }
}

fn on_gpu(ids: &[i32]) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(ids.to_vec(), [ids.len()]), &*DEVICE)
}

#[test]
fn a_token_takes_one_command_buffer_and_eight_kernels_per_block() {
    let _turn = turn();
    let layers = 30;
    let decoder = Decoder::new(layers);
    let mut token = 7;
    log::set_logger(&COUNTER).expect("no other logger");
    log::set_max_level(log::LevelFilter::Trace);
    let mut counts = Vec::new();
    for pair in 0..5 {
        COUNTER.take();
        // As `Decoder::likeliest_two` does it: both tokens' kernels, then both are read.
        let steps = [0, 1].map(|i| Step::new(2 * pair + i, &DEVICE));
        let chosen = Tensor::empty([2], &*DEVICE);
        argmax_into(&decoder.forward_at(&on_gpu(&[token]), 1, &steps[0]), &chosen, 0);
        argmax_into(&decoder.forward_at(&chosen, 1, &steps[1]), &chosen, 1);
        token = chosen.into_data().try_into_vec::<i32>().unwrap()[1];
        counts.push(COUNTER.take());
    }
    log::set_max_level(log::LevelFilter::Off);
    // The first tokens write the uniforms of sizes; then only the token and two positions are written. For two tokens there are two
    // command buffers: one with all kernels, and one in which CubeCL copies to the host what is read.
    for [submits, writes, dispatches] in &counts[2..] {
        assert_eq!(
            [*submits, *dispatches],
            [2, 2 * (layers * 8 + 4)],
            "submissions and kernels for two tokens: {counts:?}"
        );
        assert!(*writes <= 3, "{counts:?}");
    }
}

#[test]
fn prefill_and_token_by_token_agree() {
    let _turn = turn();
    let ids = [3, 99, 4, 4, 50, 0, 12, 31];
    let decoder = Decoder::new(2);
    let whole = decoder.forward(&ids, 0).into_data().try_to_vec::<f32>().unwrap();
    let decoder = Decoder::new(2);
    for (position, id) in ids.iter().enumerate() {
        let logits = decoder.forward(&[*id], position);
        assert_close(logits, &whole[position * 100..][..100], 1e-4, &format!("position {position}"));
    }
}
