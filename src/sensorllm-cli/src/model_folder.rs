//! A model folder on disk, loaded onto a device; the options that every command with a model shares.

use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use burn::tensor::Device;
use sensorllm::manifest::MANIFEST_FILE;
use sensorllm::{Error, ErrorKind, Head, Pipeline};

/// The model folder used when none is named.
const DEFAULT_FOLDER: &str = "models/default";

/// Which model computes, where, and with which classifier.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelArgs {
    /// Model folder, with its manifest.json; models/default if that exists
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Classifier that answers: `encoder` (on the encoder's vectors) or `llm` (on the language model's last position);
    /// the manifest's choice if not given
    #[arg(long, value_name = "encoder|llm")]
    pub head: Option<Head>,
    /// What computes
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    pub device: DeviceKind,
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DeviceKind {
    /// The CPU
    Cpu,
    /// The GPU, through Vulkan, Metal or DirectX 12 (needs a build with `--features webgpu`)
    Wgpu,
}

impl DeviceKind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
        }
    }

    /// Starts the device.
    ///
    /// # Errors
    /// `Device` when there is no GPU, or this build cannot use one.
    pub fn start(self) -> sensorllm::Result<Device> {
        match self {
            Self::Cpu => Ok(sensorllm::device::cpu()),
            #[cfg(feature = "webgpu")]
            Self::Wgpu => pollster::block_on(sensorllm::device::webgpu()),
            #[cfg(not(feature = "webgpu"))]
            Self::Wgpu => Err(Error::new(
                ErrorKind::Device,
                "this build of sensorllm has no GPU support",
                "build it with `--features webgpu`, or use `--device cpu`",
            )),
        }
    }
}

impl ModelArgs {
    /// Loads the model onto the device.
    ///
    /// # Errors
    /// Those of [`Pipeline::load`] and [`DeviceKind::start`], and when there is no model folder.
    pub fn load(&self) -> anyhow::Result<Pipeline> {
        let folder = self.folder()?;
        let device = self.device.start()?;
        load(&folder, &device)
    }

    /// The model's folder.
    ///
    /// # Errors
    /// `Manifest` when there is none.
    pub fn folder(&self) -> sensorllm::Result<PathBuf> {
        let folder = self.model.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FOLDER));
        if folder.join(MANIFEST_FILE).is_file() {
            return Ok(folder);
        }
        Err(Error::new(
            ErrorKind::Manifest,
            format!("{} is no model folder: it has no {MANIFEST_FILE}", folder.display()),
            "name a folder that `sensorllm train` made with `--model DIR`",
        ))
    }
}

/// Loads the model in `folder` onto `device`.
///
/// # Errors
/// Those of [`Pipeline::load`], naming the folder.
pub fn load(folder: &Path, device: &Device) -> anyhow::Result<Pipeline> {
    let path = folder.join(MANIFEST_FILE);
    let manifest = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let pipeline = Pipeline::load(&manifest, |file| read_inside(folder, file), device);
    pipeline.with_context(|| format!("cannot load the model in {}", folder.display()))
}

/// A file inside the folder; `None` when it is absent or the path leads out of the folder.
pub fn read_inside(folder: &Path, file: &str) -> Option<Vec<u8>> {
    let file = Path::new(file);
    let inside = file.components().all(|component| matches!(component, Component::Normal(_)));
    if inside { std::fs::read(folder.join(file)).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_outside_of_the_folder_are_not_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let model = folder.path().join("model");
        std::fs::create_dir(&model).expect("created");
        std::fs::write(folder.path().join("secret"), "s").expect("written");
        std::fs::write(model.join("weights"), "w").expect("written");
        assert_eq!(read_inside(&model, "weights"), Some(b"w".to_vec()));
        assert_eq!(read_inside(&model, "../secret"), None);
        assert_eq!(read_inside(&model, &folder.path().join("secret").to_string_lossy()), None);
        assert_eq!(read_inside(&model, "absent"), None);
    }

    #[test]
    fn a_folder_without_a_manifest_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let args = ModelArgs { model: Some(folder.path().to_owned()), head: None, device: DeviceKind::Cpu };
        let error = args.folder().expect_err("no manifest");
        assert_eq!(error.code(), "manifest");
        assert!(error.message().contains(&folder.path().display().to_string()), "{error}");
    }
}
