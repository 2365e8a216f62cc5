//! Writes tensors into files of bounded size.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use safetensors::tensor::TensorView;
use sensorllm::manifest::FileEntry;
use sensorllm::published::FileTensor;
use sha2::{Digest as _, Sha256};

/// The most bytes of a file, its header included.
const LARGEST_FILE: usize = 64_000_000;

/// Bytes above which a full-precision tensor is cut into pieces of whole rows.
const LARGEST_PIECE: usize = 48_000_000;

/// Bytes of a file that its header and alignment may take.
const HEADER: usize = 1_000_000;

/// Collects tensors, and writes a file whenever the next ones would make it too large.
pub struct ShardWriter {
    folder: PathBuf,
    waiting: Vec<FileTensor>,
    waiting_bytes: usize,
    written: Vec<FileEntry>,
}

impl ShardWriter {
    /// A writer into `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), waiting: Vec::new(), waiting_bytes: 0, written: Vec::new() }
    }

    /// Takes the tensors of one parameter, which stay in one file, except for pieces of a large one.
    ///
    /// # Errors
    /// When a file cannot be written, or a quantised tensor is larger than a file may be.
    pub fn add(&mut self, tensors: Vec<FileTensor>) -> anyhow::Result<()> {
        if let [tensor] = tensors.as_slice()
            && tensor.bytes.len() > LARGEST_PIECE
        {
            for piece in pieces(tensor) {
                self.put(vec![piece])?;
            }
            return Ok(());
        }
        self.put(tensors)
    }

    fn put(&mut self, tensors: Vec<FileTensor>) -> anyhow::Result<()> {
        let bytes = tensors.iter().map(|tensor| tensor.bytes.len()).sum::<usize>();
        anyhow::ensure!(bytes + HEADER <= LARGEST_FILE, "a tensor of {bytes} bytes does not fit one file");
        if self.waiting_bytes + bytes + HEADER > LARGEST_FILE {
            self.flush()?;
        }
        self.waiting_bytes += bytes;
        self.waiting.extend(tensors);
        Ok(())
    }

    /// Writes what is left and describes all files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(mut self) -> anyhow::Result<Vec<FileEntry>> {
        self.flush()?;
        Ok(self.written)
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let name = format!("weights-{:05}.safetensors", self.written.len() + 1);
        let path = self.folder.join(&name);
        let tensors = self.waiting.iter().map(|tensor| {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes)?;
            Ok((tensor.name.clone(), view))
        });
        let tensors = tensors.collect::<anyhow::Result<Vec<_>>>()?;
        safetensors::serialize_to_file(tensors, None, &path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        readable(&path)?;
        self.waiting.clear();
        self.waiting_bytes = 0;
        let (bytes, sha256) = hash(&path)?;
        self.written.push(FileEntry { path: name, bytes, sha256 });
        Ok(())
    }
}

/// Lets others read a file: it is written through a private temporary one, and web servers run as somebody else.
fn readable(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))?;
    }
    let _ = path;
    Ok(())
}

/// A large tensor as tensors of some of its rows each, named `tensor@0`, `tensor@1` and so on.
fn pieces(tensor: &FileTensor) -> Vec<FileTensor> {
    let rows = tensor.shape.first().copied().unwrap_or(1).max(1);
    let row = tensor.bytes.len() / rows;
    let step = (LARGEST_PIECE / row.max(1)).max(1);
    let piece = |(index, bytes): (usize, &[u8])| {
        let mut shape = tensor.shape.clone();
        shape[0] = bytes.len() / row;
        FileTensor {
            name: format!("{}@{index}", tensor.name),
            dtype: tensor.dtype,
            shape,
            bytes: bytes.to_vec(),
            error: None,
        }
    };
    tensor.bytes.chunks(step * row).enumerate().map(piece).collect()
}

/// Size and SHA-256 of a file, read in small portions.
fn hash(path: &Path) -> anyhow::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok((bytes, sha256));
        }
        hash.update(&buffer[..count]);
        bytes += count as u64;
    }
}
