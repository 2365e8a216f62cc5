//! The rebuilt checkpoints hold exactly the weights the reference libraries computed with.

mod checkpoint;

use checkpoint::{Case, ENCODERS, SMALL_LANGUAGE_MODELS, SMOLLM2_135M};
use sha2::{Digest, Sha256};

#[test]
fn every_tensor_has_the_bytes_the_reference_had() {
    for name in SMALL_LANGUAGE_MODELS.iter().chain(&ENCODERS).chain(&[SMOLLM2_135M]) {
        let case = Case::open(name);
        for entry in &case.tensors {
            let digest = Sha256::digest(case.bytes(entry));
            let start: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(start, entry.sha256, "{} of {name}", entry.name);
        }
    }
}

#[test]
fn a_checkpoint_is_a_folder_as_published() {
    let case = Case::open("tinyllama_f32");
    let folder = case.folder();
    let mut files: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "config.json",
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json",
        ]
    );
}
