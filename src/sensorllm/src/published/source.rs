//! Where published tensors come from, one at a time.

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, ErrorKind, Result};

/// Type and shape of a published tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Type of its numbers.
    pub dtype: Dtype,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Published tensors by name. Reading takes part of one, so that none needs to be in memory as a whole.
pub trait TensorSource {
    /// Names of all tensors.
    fn names(&self) -> Vec<String>;

    /// Type and shape of a tensor; `None` if there is none of this name.
    fn info(&self, name: &str) -> Option<TensorInfo>;

    /// Bytes of the rows (first axis) of a tensor.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Weights`] when there is no such tensor or it cannot be read.
    fn read(&self, name: &str, rows: Range<usize>) -> Result<Vec<u8>>;
}

/// The content of safetensors files in memory.
pub struct MemorySource {
    tensors: BTreeMap<String, (TensorInfo, Vec<u8>)>,
}

impl MemorySource {
    /// The tensors of some files' contents.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Weights`] when one is malformed.
    pub fn new(files: &[Vec<u8>]) -> Result<Self> {
        let mut tensors = BTreeMap::new();
        for file in files {
            let file = SafeTensors::deserialize(file)
                .map_err(|error| source_error(format!("a safetensors file cannot be read: {error}")))?;
            for (name, view) in file.iter() {
                let info = TensorInfo { dtype: view.dtype(), shape: view.shape().to_vec() };
                tensors.insert(name.to_owned(), (info, view.data().to_vec()));
            }
        }
        Ok(Self { tensors })
    }
}

impl TensorSource for MemorySource {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.tensors.get(name).map(|(info, _)| info.clone())
    }

    fn read(&self, name: &str, rows: Range<usize>) -> Result<Vec<u8>> {
        let missing = || source_error(format!("there is no tensor {name}"));
        let (info, bytes) = self.tensors.get(name).ok_or_else(missing)?;
        let row = bytes.len() / info.shape.first().copied().unwrap_or(1).max(1);
        let rows = bytes.get(rows.start * row..rows.end * row);
        rows.map(<[u8]>::to_vec).ok_or_else(|| source_error(format!("tensor {name} has no such rows")))
    }
}

pub(super) fn source_error(message: String) -> Error {
    let hint = "download the checkpoint again, and check that it is of a supported architecture";
    Error::new(ErrorKind::Weights, message, hint)
}
