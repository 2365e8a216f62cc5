//! Tests of loading.

use super::*;
use crate::weights::{Linear, LinearConfig, Precision, save};

fn layer() -> Linear {
    LinearConfig::new(3, 2).with_bias(true).init(&Device::flex())
}

#[test]
fn what_was_saved_is_loaded() {
    let saved = layer();
    let bytes = save(&saved, Precision::F32).unwrap();
    let loaded = load(layer(), &bytes, &Device::flex()).unwrap();
    assert_eq!(saved.weight.val().into_data(), loaded.weight.val().into_data());
}

#[test]
fn a_wrong_file_is_named() {
    let device = Device::flex();
    let bytes = save(&layer(), Precision::F16).unwrap();

    let truncated = load(layer(), &bytes[..bytes.len() - 4], &device).unwrap_err();
    assert_eq!(truncated.kind(), ErrorKind::Weights);

    let other_shape = load(LinearConfig::new(2, 2).with_bias(true).init(&device), &bytes, &device);
    assert!(other_shape.unwrap_err().message().contains("shape"));

    let surplus = load(LinearConfig::new(3, 2).init(&device), &bytes, &device).unwrap_err();
    assert!(surplus.message().contains("bias"), "{surplus}");

    let missing = save(&LinearConfig::new(3, 2).init(&device), Precision::F32).unwrap();
    let missing = load(layer(), &missing, &device).unwrap_err();
    assert!(missing.message().contains("no tensor bias"), "{missing}");
}
