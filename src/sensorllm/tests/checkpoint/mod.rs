//! Checkpoints in the form their authors publish them, rebuilt from the cases in `tests/golden/published`.
//!
//! A case holds a `config.json`, the list of its tensors, inputs, and outputs of the reference library; the tensors' values
//! follow from their names ([`formula`]). Tests read a checkpoint as bytes ([`Case::files`]) or from a folder
//! ([`Case::folder`]).

#![allow(dead_code)] // every test program uses another part of this module

mod formula;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde_json::{Value, json};

/// The language models at small sizes, every architecture once from f32 and once from bf16 weights.
pub const SMALL_LANGUAGE_MODELS: [&str; 10] = [
    "smollm2_f32",
    "smollm2_bf16",
    "tinyllama_f32",
    "tinyllama_bf16",
    "llama32_f32",
    "llama32_bf16",
    "qwen2_f32",
    "qwen2_bf16",
    "qwen3_f32",
    "qwen3_bf16",
];

/// SmolLM2-135M at its true size, from bf16 weights (270 MB).
pub const SMOLLM2_135M: &str = "smollm2_135m";

/// Encoders of every family: two small ones and one of a published size.
pub const ENCODERS: [&str; 9] = [
    "chronos_t5_narrow",
    "chronos_t5_small_bf16",
    "chronos_t5_tiny",
    "chronos_bolt_narrow",
    "chronos_bolt_small_f16",
    "chronos_bolt_tiny",
    "chronos_2_narrow",
    "chronos_2_small",
    "chronos_2_base",
];

/// One case: a checkpoint, what it was given, and what the reference library made of it.
#[derive(Deserialize)]
pub struct Case {
    /// Type of the weights in the file: `F32`, `F16` or `BF16`. The reference computed in f32 whatever it is.
    pub dtype: String,
    /// Goes into every tensor's seed.
    pub salt: u32,
    /// Number of weight files; more than one come with an index.
    pub shards: usize,
    /// The published `config.json`.
    pub config: Value,
    /// What the weight files hold.
    pub tensors: Vec<Entry>,
    /// Language models: ids the run starts with.
    #[serde(default)]
    pub prompt: Vec<u32>,
    /// Language models: the most probable id, 64 times in a row.
    #[serde(default)]
    pub greedy: Vec<u32>,
    /// Encoders: what was encoded together.
    #[serde(default)]
    pub batches: Vec<Batch>,
    #[serde(skip)]
    arrays: Vec<u8>,
}

/// One tensor of a weight file.
#[derive(Clone, Deserialize)]
pub struct Entry {
    /// Its published name.
    pub name: String,
    pub shape: Vec<usize>,
    pub centre: f64,
    pub width: f64,
    /// The tensor whose values it repeats, where a file holds a shared table more than once.
    pub values_of: Option<String>,
    /// The first 16 hexadecimal digits of the SHA-256 of its bytes.
    pub sha256: String,
}

/// Series encoded in one call of the reference's `embed`.
#[derive(Deserialize)]
pub struct Batch {
    pub name: String,
    /// Names of series. Only Chronos-2 relates the series of a group to each other.
    pub groups: Vec<Vec<String>>,
    /// Shape of what `embed` returned for all series together: series, positions, width.
    pub shape: [usize; 3],
}

/// What the reference made of a [`Batch`].
pub struct Embedding {
    /// Which values of the flattened vectors were kept.
    pub indices: Vec<usize>,
    /// Those values.
    pub values: Vec<f32>,
    /// One per series; 0 for Chronos-T5, which has none.
    pub location: Vec<f32>,
    /// One per series.
    pub scale: Vec<f32>,
    /// Per series and position whether attention may look there.
    pub attended: Vec<bool>,
}

impl Case {
    /// Reads a case.
    pub fn open(name: &str) -> Self {
        let mut case: Self = serde_json::from_slice(&read(&format!("{name}.json"))).unwrap();
        case.arrays = read(&format!("{name}.safetensors"));
        case
    }

    /// The files of the checkpoint, by name.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![("config.json".to_owned(), serde_json::to_vec_pretty(&self.config).unwrap())];
        let count = self.tensors.len();
        let mut map = serde_json::Map::new();
        for shard in 0..self.shards {
            let name = match self.shards {
                1 => "model.safetensors".to_owned(),
                shards => format!("model-{:05}-of-{shards:05}.safetensors", shard + 1),
            };
            let entries = self
                .tensors
                .iter()
                .enumerate()
                .filter(|(i, _)| i * self.shards / count == shard)
                .map(|(_, e)| e);
            map.extend(entries.clone().map(|entry| (entry.name.clone(), json!(name))));
            files.push((name, self.safetensors(entries)));
        }
        if self.shards > 1 {
            let values: usize = self.tensors.iter().map(|entry| entry.shape.iter().product::<usize>()).sum();
            let index =
                json!({ "metadata": { "total_size": values * self.dtype_and_size().1 }, "weight_map": map });
            files.push((
                "model.safetensors.index.json".to_owned(),
                serde_json::to_vec_pretty(&index).unwrap(),
            ));
        }
        files
    }

    /// Writes the checkpoint to a new folder, which is removed with the returned value.
    pub fn folder(&self) -> Folder {
        let folder = Folder::new();
        for (name, bytes) in self.files() {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    /// The bytes of one tensor as they stand in the weight file.
    pub fn bytes(&self, entry: &Entry) -> Vec<u8> {
        let name = entry.values_of.as_ref().unwrap_or(&entry.name);
        let count = entry.shape.iter().product();
        let values = formula::values(self.salt, name, count, entry.centre as f32, entry.width as f32);
        match self.dtype_and_size().0 {
            Dtype::F32 => values.flat_map(f32::to_le_bytes).collect(),
            Dtype::F16 => values.flat_map(|x| f16::from_f32(x).to_le_bytes()).collect(),
            _ => values.flat_map(|x| bf16::from_f32(x).to_le_bytes()).collect(),
        }
    }

    /// An array of floating-point numbers among the outputs, with its shape.
    pub fn floats(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        floats(&self.arrays, name)
    }

    /// An array of integers among the outputs; `None` when there is none of that name.
    pub fn integers(&self, name: &str) -> Option<Vec<usize>> {
        let file = SafeTensors::deserialize(&self.arrays).unwrap();
        let view = file.tensor(name).ok()?;
        Some(match view.dtype() {
            Dtype::U8 => view.data().iter().map(|b| usize::from(*b)).collect(),
            Dtype::I32 => {
                view.data().as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b) as usize).collect()
            }
            other => panic!("{name} is {other:?}"),
        })
    }

    /// What the reference made of a batch.
    pub fn embedding(&self, batch: &Batch) -> Embedding {
        let array = |end: &str| format!("{}.{end}", batch.name);
        let values = self.floats(&array("values")).1;
        Embedding {
            indices: self.integers(&array("indices")).unwrap_or_else(|| (0..values.len()).collect()),
            values,
            location: self.floats(&array("location")).1,
            scale: self.floats(&array("scale")).1,
            attended: self.integers(&array("attended")).unwrap().iter().map(|a| *a == 1).collect(),
        }
    }

    fn dtype_and_size(&self) -> (Dtype, usize) {
        match self.dtype.as_str() {
            "F32" => (Dtype::F32, 4),
            "F16" => (Dtype::F16, 2),
            "BF16" => (Dtype::BF16, 2),
            other => panic!("type {other}"),
        }
    }

    fn safetensors<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Vec<u8> {
        let (dtype, _) = self.dtype_and_size();
        let tensors: Vec<_> = entries.map(|entry| (entry, self.bytes(entry))).collect();
        let views = tensors.iter().map(|(entry, bytes)| {
            (entry.name.as_str(), TensorView::new(dtype, entry.shape.clone(), bytes).unwrap())
        });
        let format = [("format".to_owned(), "pt".to_owned())].into();
        safetensors::serialize(views, Some(format)).unwrap()
    }
}

impl Batch {
    /// The series of all groups, one after the other.
    pub fn series(&self) -> Vec<Vec<f32>> {
        self.groups.iter().flatten().map(|name| series(name)).collect()
    }

    /// Number of series in each group.
    pub fn group_sizes(&self) -> Vec<usize> {
        self.groups.iter().map(Vec::len).collect()
    }
}

/// An input series by its name.
pub fn series(name: &str) -> Vec<f32> {
    array("series.safetensors", name)
}

/// The floating-point numbers of an array in a file beside the cases.
pub fn array(file: &str, name: &str) -> Vec<f32> {
    floats(&read(file), name).1
}

/// A folder of its own among the temporary files, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Creates an empty folder.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sensorllm-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A failure to clean up must not hide the failure of a test.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn read(file: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/golden/published/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn floats(file: &[u8], name: &str) -> (Vec<usize>, Vec<f32>) {
    let file = SafeTensors::deserialize(file).unwrap();
    let view = file.tensor(name).unwrap();
    assert_eq!(view.dtype(), Dtype::F32, "{name}");
    let values = view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    (view.shape().to_vec(), values)
}
