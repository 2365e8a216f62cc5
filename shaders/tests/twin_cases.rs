//! Cases for each kernel with the answers of its CPU twin, written as JSON for the browser tests, which run the kernels on them.
//!
//! A case is `{"name", "features", "wgsl", "groups": [x, y, z], "buffers": [words], "info": words, "expected": [{"binding", "words"}],
//! "tolerance"}`. Buffers are in the order of the bindings and the uniform follows them; words are the 32-bit patterns that the
//! buffers hold. `features` are the optional features of WebGPU that the kernel needs. `tolerance` is what a float may be off by, times 1 + |expected|; 0 for whole numbers.

use std::fs;
use std::path::Path;

use half::f16;
use sensorllm_shaders::blocks::{BLOCK, Blocks, Format};
use sensorllm_shaders::features::Features;
use sensorllm_shaders::rope_cache::Heads;
use sensorllm_shaders::{argmax, attention_decode, attention_prefill, gather, matmul, matvec, rms_norm};
use sensorllm_shaders::{rope_cache, swiglu, swiglu_matvec};

const FORMATS: [Format; 4] = [Format::Q8, Format::Q4, Format::F16, Format::F32];

/// Variants for optional features, and how they are named: four neighbours are the fewest that a subgroup has.
const VARIANTS: [(&str, Features); 3] = [
    ("", Features::CORE),
    (" with subgroups", Features { subgroup: 4, f16: false }),
    (" with f16", Features { subgroup: 1, f16: true }),
];

/// Numbers in ±1 from a linear congruential generator.
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

/// A linear map's weights as bytes.
struct Weights {
    format: Format,
    values: Vec<u8>,
    scales: Vec<u8>,
}

impl Weights {
    fn new(format: Format, rows: usize, columns: usize, numbers: &mut Numbers) -> Self {
        let count = rows * columns;
        let half = |x: f32| f16::from_f32(x).to_le_bytes();
        let values = match format {
            Format::Q8 | Format::Q4 => {
                let bytes = count * format.bits() / 8;
                (0..bytes).map(|_| (numbers.next() * 127.9) as i8 as u8).collect()
            }
            Format::F16 => numbers.take(count).into_iter().flat_map(half).collect(),
            Format::F32 => numbers.take(count).into_iter().flat_map(f32::to_le_bytes).collect(),
        };
        let blocks = if format.has_scales() { count / BLOCK } else { 0 };
        let largest = if format == Format::Q4 { 8.0 } else { 128.0 };
        let scales = numbers.take(blocks).into_iter().flat_map(|x| half(x / largest)).collect();
        Self { format, values, scales }
    }

    fn blocks(&self) -> Blocks<'_> {
        Blocks { format: self.format, values: &self.values, scales: &self.scales }
    }
}

/// The bit patterns of floats.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Bytes as little-endian words, the last filled up; one word where there are none, because a binding needs some.
fn words(bytes: &[u8]) -> Vec<u32> {
    let word = |bytes: &[u8]| (0..).zip(bytes).fold(0, |word, (i, byte)| word | u32::from(*byte) << (8 * i));
    if bytes.is_empty() { vec![0] } else { bytes.chunks(4).map(word).collect() }
}

struct Case {
    name: String,
    features: Features,
    wgsl: String,
    groups: [usize; 3],
    buffers: Vec<Vec<u32>>,
    info: Vec<u32>,
    /// Bindings and what they hold afterwards.
    expected: Vec<(usize, Vec<u32>)>,
    tolerance: f32,
}

impl Case {
    fn json(&self) -> String {
        let list = |words: &[u32]| words.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let buffers: Vec<_> = self.buffers.iter().map(|buffer| format!("[{}]", list(buffer))).collect();
        let expected = |(binding, words): &(usize, Vec<u32>)| {
            format!("{{\"binding\":{binding},\"words\":[{}]}}", list(words))
        };
        let is_with = |has: bool, name| if has { format!("\"{name}\"") } else { String::new() };
        let Features { subgroup, f16 } = self.features;
        format!(
            "{{\"name\":{},\"features\":[{}],\"wgsl\":{},\"groups\":{:?},\"buffers\":[{}],\"info\":[{}],\"expected\":[{}],\"tolerance\":{:e}}}",
            quoted(&self.name),
            is_with(subgroup > 1, "subgroups") + &is_with(f16, "shader-f16"),
            quoted(&self.wgsl),
            self.groups,
            buffers.join(","),
            list(&self.info),
            self.expected.iter().map(expected).collect::<Vec<_>>().join(","),
            self.tolerance,
        )
    }
}

/// A string in JSON.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{escaped}\"")
}

/// All cases; the same every time.
fn cases() -> Vec<Case> {
    let mut numbers = Numbers(1);
    let mut cases = Vec::new();
    for variant in VARIANTS {
        for format in FORMATS {
            linear_maps(format, variant, &mut numbers, &mut cases);
            cases.push(gated_map(format, variant, &mut numbers));
        }
        let sizes = [(1, 576), (5, 30)];
        cases.extend(sizes.map(|(rows, width)| normalisation(rows, width, variant, &mut numbers)));
    }
    // Not every kernel makes use of every feature.
    let core: Vec<String> =
        cases.iter().filter(|case| case.features == Features::CORE).map(|case| case.wgsl.clone()).collect();
    cases.retain(|case| case.features == Features::CORE || !core.contains(&case.wgsl));
    for case in cases.iter_mut().filter(|case| case.features.subgroup > 1) {
        case.wgsl.insert_str(0, Features::ENABLE_SUBGROUPS);
    }
    cases.extend(FORMATS.map(|format| embeddings(format, &mut numbers)));
    cases.extend([value_by_value(&mut numbers), greedy_choice(&mut numbers)]);
    attention(Heads { heads: 9, kv_heads: 3, d_head: 64, capacity: 150 }, false, &mut numbers, &mut cases);
    attention(Heads { heads: 3, kv_heads: 1, d_head: 80, capacity: 140 }, true, &mut numbers, &mut cases);
    cases
}

#[test]
fn every_kernel_has_a_case_for_the_browser() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = cases();
    for entry in fs::read_dir(here).expect("the folder of the kernels") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "wgsl") {
            let kernel = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let named = |case: &Case| case.name.split(' ').next() == Some(&kernel);
            assert!(cases.iter().any(named), "no case for {kernel}.wgsl");
        }
    }
    let results = here.join("../tests/results");
    fs::create_dir_all(&results).expect("a folder for results");
    let json = cases.iter().map(Case::json).collect::<Vec<_>>().join(",\n");
    fs::write(results.join("kernels.json"), format!("[{json}]")).expect("the cases are written");
}

/// The two kernels for linear maps: with bias and residual, writing beside another map's output.
fn linear_maps(
    format: Format,
    (variant, features): (&str, Features),
    numbers: &mut Numbers,
    cases: &mut Vec<Case>,
) {
    let (rows, columns) = (70, 160);
    let weights = Weights::new(format, rows, columns, numbers);
    for (name, vectors) in [("matvec", 3), ("matmul", 17)] {
        let (x, bias) = (numbers.take(vectors * columns), numbers.take(rows));
        let (stride, offset) = (rows + 5, 5);
        // The residual lies as the output does; its first columns belong to the other map.
        let residual = numbers.take(vectors * stride);
        let inner: Vec<f32> = residual.chunks(stride).flat_map(|row| row[offset..].to_vec()).collect();
        let y = if name == "matvec" {
            matvec::matvec(&x, &weights.blocks(), columns, &bias, &inner)
        } else {
            matmul::matmul(&x, &weights.blocks(), columns, &bias, &inner)
        };
        let expected: Vec<f32> = y.chunks(rows).flat_map(|row| [&[0.0; 5], row].concat()).collect();
        let (wgsl, groups) = if name == "matvec" {
            (matvec::wgsl(format, features), [rows.div_ceil(matvec::TILE), 1, vectors])
        } else {
            let down = vectors.div_ceil(matmul::TILE_VECTORS);
            (matmul::wgsl(format, features), [rows.div_ceil(matmul::TILE_ROWS), down, 1])
        };
        cases.push(Case {
            name: format!("{name} {format:?}{variant}"),
            features,
            wgsl,
            groups,
            buffers: vec![
                bits(&x),
                words(&weights.values),
                words(&weights.scales),
                bits(&bias),
                bits(&residual),
                vec![0; vectors * stride],
            ],
            info: [rows, columns / BLOCK, stride, offset, 1, 1, vectors].map(|size| size as u32).into(),
            expected: vec![(5, bits(&expected))],
            tolerance: 2e-5,
        });
    }
}

fn gated_map(format: Format, (variant, features): (&str, Features), numbers: &mut Numbers) -> Case {
    let (rows, columns, vectors) = (50, 96, 3);
    let [gate, up] = [0, 1].map(|_| Weights::new(format, rows, columns, numbers));
    let x = numbers.take(vectors * columns);
    let expected = swiglu_matvec::swiglu_matvec(&x, &gate.blocks(), &up.blocks(), columns);
    Case {
        name: format!("swiglu_matvec {format:?}{variant}"),
        features,
        wgsl: swiglu_matvec::wgsl(format, features),
        groups: [rows.div_ceil(swiglu_matvec::TILE), 1, vectors],
        buffers: vec![
            bits(&x),
            words(&gate.values),
            words(&gate.scales),
            words(&up.values),
            words(&up.scales),
            vec![0; vectors * rows],
        ],
        info: vec![rows as u32, (columns / BLOCK) as u32],
        expected: vec![(5, bits(&expected))],
        tolerance: 1e-4,
    }
}

fn embeddings(format: Format, numbers: &mut Numbers) -> Case {
    let (rows, width) = (11, 96);
    let table = Weights::new(format, rows, width, numbers);
    // One id is beyond the last row.
    let ids = [0, 10, 5, 6, 999, 5];
    let expected = gather::gather(&table.blocks(), width, &ids);
    Case {
        name: format!("gather {format:?}"),
        features: Features::CORE,
        wgsl: gather::wgsl(format),
        groups: [(ids.len() * width / 4).div_ceil(gather::WORKGROUP as usize), 1, 1],
        buffers: vec![
            ids.to_vec(),
            words(&table.values),
            words(&table.scales),
            vec![f32::NAN.to_bits(); ids.len() * width],
        ],
        info: [rows, width / BLOCK, 0, ids.len(), 1].map(|size| size as u32).into(),
        expected: vec![(3, bits(&expected))],
        tolerance: 1e-6,
    }
}

fn value_by_value(numbers: &mut Numbers) -> Case {
    let (gate, up) = (numbers.take(210), numbers.take(210));
    let gate: Vec<f32> = gate.iter().map(|x| x * 20.0).collect();
    Case {
        name: "swiglu".to_owned(),
        features: Features::CORE,
        wgsl: swiglu::WGSL.to_owned(),
        groups: [gate.len().div_ceil(swiglu::WORKGROUP as usize), 1, 1],
        buffers: vec![bits(&gate), bits(&up), vec![0; gate.len()]],
        info: vec![gate.len() as u32],
        expected: vec![(2, bits(&swiglu::swiglu(&gate, &up)))],
        tolerance: 1e-5,
    }
}

fn greedy_choice(numbers: &mut Numbers) -> Case {
    let (rows, width) = (3, 1000);
    let mut x = numbers.take(rows * width);
    x[width / 2] = f32::NAN;
    // The largest twice.
    x[width / 3] = 1.5;
    x[width - 1] = 1.5;
    Case {
        name: "argmax".to_owned(),
        features: Features::CORE,
        wgsl: argmax::WGSL.to_owned(),
        groups: [rows, 1, 1],
        buffers: vec![bits(&x), vec![7; rows + 1]],
        info: vec![width as u32, 1],
        expected: vec![(1, [vec![7], argmax::argmax(&x, width)].concat())],
        tolerance: 0.0,
    }
}

fn normalisation(
    rows: usize,
    width: usize,
    (variant, features): (&str, Features),
    numbers: &mut Numbers,
) -> Case {
    let (x, weight) = (numbers.take(rows * width), numbers.take(width));
    Case {
        name: format!("rms_norm {rows} x {width}{variant}"),
        features,
        wgsl: rms_norm::wgsl(features),
        groups: [rows, 1, 1],
        buffers: vec![bits(&x), bits(&weight), vec![0; rows * width]],
        info: vec![rows as u32, width as u32, 1e-5_f32.to_bits()],
        expected: vec![(2, bits(&rms_norm::rms_norm(&x, &weight, 1e-5)))],
        tolerance: 1e-5,
    }
}

/// A few and many vectors that follow a cache which is full up to them: first they are turned and stored, then they attend.
fn attention(sizes: Heads, has_norms: bool, numbers: &mut Numbers, cases: &mut Vec<Case>) {
    let Heads { heads, kv_heads, d_head, capacity } = sizes;
    let (width, room) = ((heads + 2 * kv_heads) * d_head, kv_heads * capacity * d_head);
    let angles = numbers.take(capacity * d_head / 2);
    let rotation: Vec<f32> = angles.iter().flat_map(|a| [(a * 3.0).cos(), (a * 3.0).sin()]).collect();
    let norms = if has_norms { numbers.take(2 * d_head) } else { Vec::new() };
    let (epsilon, scale, start) = (1e-6, 0.2, 100);
    for (name, vectors) in [("attention_decode", 3), ("attention_prefill", 19)] {
        let qkv: Vec<f32> = numbers.take(vectors * width).iter().map(|x| x * 3.0).collect();
        let (keys, values) = (numbers.take(room), numbers.take(room));
        let (mut turned, mut new_keys, mut new_values) = (qkv.clone(), keys.clone(), values.clone());
        rope_cache::rope_cache(
            &mut turned,
            &norms,
            epsilon,
            &rotation,
            start,
            sizes,
            &mut new_keys,
            &mut new_values,
        );
        let shape = [heads, kv_heads, d_head, capacity].map(|size| size as u32);
        // Keys and values stay in `qkv` as they came, whatever the twin does with its copy.
        let queries = |vectors: &[f32]| -> Vec<f32> {
            vectors.chunks(width).flat_map(|vector| vector[..heads * d_head].to_vec()).collect()
        };
        let mut afterwards = qkv.clone();
        for (vector, turned) in afterwards.chunks_mut(width).zip(queries(&turned).chunks(heads * d_head)) {
            vector[..heads * d_head].copy_from_slice(turned);
        }
        cases.push(Case {
            name: format!("rope_cache before {name} of {d_head}"),
            features: Features::CORE,
            wgsl: rope_cache::WGSL.to_owned(),
            groups: [heads + 2 * kv_heads, vectors, 1],
            buffers: vec![
                bits(&qkv),
                if has_norms { bits(&norms) } else { vec![0] },
                bits(&rotation),
                vec![start as u32],
                bits(&keys),
                bits(&values),
            ],
            info: [shape.to_vec(), vec![u32::from(has_norms), epsilon.to_bits()]].concat(),
            expected: vec![(0, bits(&afterwards)), (4, bits(&new_keys)), (5, bits(&new_values))],
            tolerance: 1e-5,
        });
        let (wgsl, groups, expected) = if name == "attention_decode" {
            let y = attention_decode::attention_decode(
                &turned,
                width,
                &new_keys,
                &new_values,
                start,
                sizes,
                scale,
            );
            (attention_decode::WGSL, vectors, y)
        } else {
            let y = attention_prefill::attention_prefill(
                &turned,
                width,
                &new_keys,
                &new_values,
                start,
                sizes,
                scale,
            );
            (attention_prefill::WGSL, vectors.div_ceil(attention_prefill::QUERIES), y)
        };
        cases.push(Case {
            name: format!("{name} of {d_head}"),
            features: Features::CORE,
            wgsl: wgsl.to_owned(),
            groups: [heads, groups, 1],
            buffers: vec![
                bits(&turned),
                bits(&new_keys),
                bits(&new_values),
                vec![start as u32],
                vec![0; vectors * heads * d_head],
            ],
            info: [heads, kv_heads, d_head / 4, capacity, width / 4]
                .map(|size| size as u32)
                .into_iter()
                .chain([scale.to_bits(), vectors as u32])
                .collect(),
            expected: vec![(4, bits(&expected))],
            tolerance: 1e-4,
        });
    }
}
