//! Reads tensors from a checkpoint folder's safetensors files, some rows at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context as _;
use safetensors::tensor::Metadata;
use sensorllm::published::{TensorInfo, TensorSource};
use sensorllm::{Error, ErrorKind};
use serde::Deserialize;

use super::optional;

/// The longest header that is believed; the format's own limit.
const LONGEST_HEADER: u64 = 100_000_000;

/// The tensors of a checkpoint folder.
pub struct FolderSource {
    files: Vec<OpenFile>,
    tensors: BTreeMap<String, Place>,
}

struct OpenFile {
    path: PathBuf,
    file: Mutex<File>,
}

struct Place {
    file: usize,
    start: u64,
    bytes: u64,
    info: TensorInfo,
}

/// `model.safetensors.index.json`.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl FolderSource {
    /// Opens the files of a folder and reads their headers.
    ///
    /// # Errors
    /// When there are none, one is missing, cut off or malformed, or the index names a tensor that its file does not have.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let index = optional(folder, "model.safetensors.index.json")?;
        let index: Option<Index> = index
            .map(|json| serde_json::from_slice(&json))
            .transpose()
            .context("model.safetensors.index.json cannot be read")?;
        let names: BTreeSet<String> = match &index {
            Some(index) => index.weight_map.values().cloned().collect(),
            None => BTreeSet::from(["model.safetensors".to_owned()]),
        };
        let mut source = Self { files: Vec::new(), tensors: BTreeMap::new() };
        for name in names {
            if Path::new(&name).components().count() != 1 {
                return Err(damaged(format!("the index names a file outside of the folder: {name}")).into());
            }
            source.add(folder.join(name))?;
        }
        let missing = index.iter().flat_map(|index| index.weight_map.iter());
        if let Some((tensor, file)) =
            missing.into_iter().find(|(tensor, _)| !source.tensors.contains_key(*tensor))
        {
            return Err(damaged(format!("{file} has no tensor {tensor}, which the index says it has")).into());
        }
        Ok(source)
    }

    fn add(&mut self, path: PathBuf) -> anyhow::Result<()> {
        let shown = path.display().to_string();
        let mut file =
            File::open(&path).map_err(|error| damaged(format!("{shown} cannot be opened: {error}")))?;
        let length = file.metadata()?.len();
        let mut prefix = [0; 8];
        let cut_off = |_| damaged(format!("{shown} is cut off in its header"));
        file.read_exact(&mut prefix).map_err(cut_off)?;
        let header_length = u64::from_le_bytes(prefix);
        if header_length > LONGEST_HEADER.min(length.saturating_sub(8)) {
            return Err(
                damaged(format!("{shown} is no safetensors file, or is cut off in its header")).into()
            );
        }
        let mut header = vec![0; header_length as usize];
        file.read_exact(&mut header).map_err(cut_off)?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| damaged(format!("the header of {shown} cannot be read: {error}")))?;
        for (name, tensor) in metadata.tensors() {
            let (start, end) = tensor.data_offsets;
            let (start, end) = (8 + header_length + start as u64, 8 + header_length + end as u64);
            if end > length {
                return Err(damaged(format!(
                    "{shown} is cut off: tensor {name} ends at byte {end} of {length}"
                ))
                .into());
            }
            let info = TensorInfo { dtype: tensor.dtype, shape: tensor.shape.clone() };
            let place = Place { file: self.files.len(), start, bytes: end - start, info };
            if self.tensors.insert(name.clone(), place).is_some() {
                return Err(damaged(format!("tensor {name} is in two files")).into());
            }
        }
        self.files.push(OpenFile { path, file: Mutex::new(file) });
        Ok(())
    }
}

impl TensorSource for FolderSource {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.tensors.get(name).map(|place| place.info.clone())
    }

    fn read(&self, name: &str, rows: Range<usize>) -> sensorllm::Result<Vec<u8>> {
        let place = self.tensors.get(name).ok_or_else(|| damaged(format!("there is no tensor {name}")))?;
        let row = place.bytes / place.info.shape.first().copied().unwrap_or(1).max(1) as u64;
        let (start, end) = (rows.start as u64 * row, rows.end as u64 * row);
        if start > end || end > place.bytes {
            return Err(damaged(format!("tensor {name} has no rows {rows:?}")));
        }
        let open = &self.files[place.file];
        let mut bytes = vec![0; (end - start) as usize];
        let mut file = open.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let read = file.seek(SeekFrom::Start(place.start + start)).and_then(|_| file.read_exact(&mut bytes));
        match read {
            Ok(()) => Ok(bytes),
            Err(error) => Err(damaged(format!("{} cannot be read: {error}", open.path.display()))),
        }
    }
}

fn damaged(message: String) -> Error {
    Error::new(ErrorKind::Weights, message, "download the checkpoint again, with all of its files")
}
