//! Model folders that are damaged, incomplete or not there.

use std::fs;
use std::path::Path;

use super::support::{copy, csv, failure, model, recording, sensorllm};

/// What classifying with the model in `folder` says.
fn refused(folder: &Path) -> String {
    let folder = folder.to_str().expect("text");
    let mut command = sensorllm(&["classify", "-", "--model", folder]);
    failure(command.write_stdin(csv(&recording("s12", "wlk_7"))))
}

/// The manifest's text, and the path of the weights inside the folder.
fn manifest(folder: &Path) -> (String, String) {
    let text = fs::read_to_string(folder.join("manifest.json")).expect("manifest.json");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let weights = json["weights"]["path"].as_str().expect("weights.path").to_owned();
    (text, weights)
}

#[test]
fn a_wrong_hash() {
    let folder = copy(&model());
    let (text, weights) = manifest(folder.path());
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let hash = json["weights"]["sha256"].as_str().expect("weights.sha256");
    fs::write(folder.path().join("manifest.json"), text.replace(hash, &"0".repeat(64))).expect("written");
    let message = refused(folder.path());
    assert!(message.contains(&weights) && message.contains("SHA-256"), "{message}");
}

#[test]
fn truncated_weights() {
    let folder = copy(&model());
    let path = folder.path().join(manifest(folder.path()).1);
    let bytes = fs::read(&path).expect("weights");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    assert!(refused(folder.path()).contains("bytes"));
}

#[test]
fn truncated_weights_with_a_manifest_to_match() {
    use sha2::Digest as _;
    let folder = copy(&model());
    let (text, weights) = manifest(folder.path());
    let path = folder.path().join(weights);
    let bytes = fs::read(&path).expect("weights");
    let cut = &bytes[..bytes.len() / 2];
    fs::write(&path, cut).expect("written");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let hash: String = sha2::Sha256::digest(cut).iter().map(|byte| format!("{byte:02x}")).collect();
    json["weights"]["bytes"] = cut.len().into();
    json["weights"]["sha256"] = hash.into();
    fs::write(folder.path().join("manifest.json"), json.to_string()).expect("written");
    assert!(refused(folder.path()).contains("weights"));
}

#[test]
fn missing_weights() {
    let folder = copy(&model());
    let weights = manifest(folder.path()).1;
    fs::remove_file(folder.path().join(&weights)).expect("removed");
    assert!(refused(folder.path()).contains(&weights));
}

#[test]
fn a_manifest_that_is_no_json() {
    let folder = copy(&model());
    fs::write(folder.path().join("manifest.json"), "{\"format\": 1,").expect("written");
    assert!(refused(folder.path()).contains("manifest"));
}

#[test]
fn a_folder_without_a_model() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let message = refused(folder.path());
    assert!(message.contains("manifest.json") && message.contains("sensorllm train"), "{message}");
}
