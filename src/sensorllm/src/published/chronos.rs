//! `config.json` of a published Chronos-T5, Chronos-Bolt or Chronos-2 checkpoint, and what its tensors are called.

use serde::Deserialize;

use super::names::{Line, Names, Part};
use crate::chronos::{EncoderConfig, Family, Scaling, Sums};
use crate::error::{Error, ErrorKind, Result};

/// The fields of `config.json` that matter; those that would change the computation are checked, the rest is ignored.
#[derive(Deserialize)]
struct Published {
    d_model: usize,
    d_kv: usize,
    d_ff: usize,
    num_layers: usize,
    num_heads: usize,
    #[serde(default = "relu")]
    feed_forward_proj: String,
    #[serde(default = "buckets")]
    relative_attention_num_buckets: usize,
    #[serde(default = "distance")]
    relative_attention_max_distance: usize,
    #[serde(default = "epsilon")]
    layer_norm_epsilon: f64,
    vocab_size: usize,
    #[serde(default = "theta")]
    rope_theta: f64,
    chronos_config: Chronos,
}

fn relu() -> String {
    "relu".to_owned()
}

fn buckets() -> usize {
    32
}

fn distance() -> usize {
    128
}

fn epsilon() -> f64 {
    1e-6
}

fn theta() -> f64 {
    10_000.0
}

/// `chronos_config`: first Chronos-T5's fields, then those that Chronos-Bolt and Chronos-2 share, then Chronos-2's.
#[derive(Deserialize)]
struct Chronos {
    context_length: usize,
    tokenizer_class: Option<String>,
    tokenizer_kwargs: Option<Limits>,
    n_tokens: Option<usize>,
    n_special_tokens: Option<usize>,
    use_eos_token: Option<bool>,
    input_patch_size: Option<usize>,
    input_patch_stride: Option<usize>,
    use_reg_token: Option<bool>,
    output_patch_size: Option<usize>,
    use_arcsinh: Option<bool>,
    time_encoding_scale: Option<usize>,
}

#[derive(Deserialize)]
struct Limits {
    low_limit: f64,
    high_limit: f64,
}

/// The encoder's configuration and the names of its tensors.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] when it is no Chronos encoder of a family known here, or is configured to do something that is not
/// supported; [`ErrorKind::Manifest`] when the file cannot be read.
pub fn encoder_config(config: &[u8]) -> Result<(EncoderConfig, Names)> {
    let value: serde_json::Value = serde_json::from_slice(config).map_err(|error| unreadable(&error))?;
    if value.get("chronos_config").is_none() {
        return Err(unsupported("a checkpoint without chronos_config"));
    }
    let published: Published = serde_json::from_value(value).map_err(|error| unreadable(&error))?;
    if published.feed_forward_proj != "relu" {
        return Err(unsupported(&format!(
            "the activation {} (feed_forward_proj)",
            published.feed_forward_proj
        )));
    }
    if published.relative_attention_num_buckets != 32 || published.relative_attention_max_distance != 128 {
        return Err(unsupported("another number of relative distances than 32 up to 128"));
    }
    if (published.layer_norm_epsilon - 1e-6).abs() > 1e-12 {
        return Err(unsupported("another layer_norm_epsilon than 1e-6"));
    }
    let chronos = &published.chronos_config;
    let (family, names) = match (&chronos.tokenizer_class, chronos.input_patch_size) {
        (Some(_), None) => (t5(chronos, published.vocab_size)?, t5_names()),
        (None, Some(patch)) => {
            check_patches(chronos, patch)?;
            match chronos.output_patch_size {
                // Only Chronos-2 encodes the patch to come, and so has a size for it.
                Some(size) if size == patch => {
                    (chronos2(chronos, patch, published.rope_theta), chronos2_names())
                }
                Some(_) => return Err(unsupported("another output_patch_size than input_patch_size")),
                None => (Family::Bolt { patch, minimum_scale: 0.0, sums: Sums::Reference }, bolt_names()),
            }
        }
        _ => return Err(unsupported("a chronos_config of an unknown family")),
    };
    let config = EncoderConfig {
        family,
        d_model: published.d_model,
        d_kv: published.d_kv,
        d_ff: published.d_ff,
        layers: published.num_layers,
        heads: published.num_heads,
        context_length: chronos.context_length,
    };
    Ok((config, names))
}

fn t5(chronos: &Chronos, vocabulary: usize) -> Result<Family> {
    let class = chronos.tokenizer_class.as_deref().unwrap_or_default();
    if class != "MeanScaleUniformBins" {
        return Err(unsupported(&format!("the tokenizer {class} (tokenizer_class)")));
    }
    let usual = |limits: &Limits| limits.low_limit == -15.0 && limits.high_limit == 15.0;
    if !chronos.tokenizer_kwargs.as_ref().is_some_and(usual) {
        return Err(unsupported("bins that do not reach from -15 to 15 (tokenizer_kwargs)"));
    }
    if chronos.use_eos_token != Some(true) || chronos.n_tokens != Some(vocabulary) {
        return Err(unsupported("a series without an end token, or another vocabulary than n_tokens"));
    }
    let special_tokens = chronos.n_special_tokens.unwrap_or(2);
    Ok(Family::T5 { scaling: Scaling::Mean, tokens: vocabulary, special_tokens })
}

fn check_patches(chronos: &Chronos, patch: usize) -> Result<()> {
    if patch == 0 || chronos.input_patch_stride.is_some_and(|stride| stride != patch) {
        return Err(unsupported("patches that overlap or are empty (input_patch_size, input_patch_stride)"));
    }
    if chronos.use_reg_token != Some(true) {
        return Err(unsupported("a series without a REG vector (use_reg_token)"));
    }
    Ok(())
}

fn chronos2(chronos: &Chronos, patch: usize, rope_theta: f64) -> Family {
    Family::Chronos2 {
        patch,
        arcsinh: chronos.use_arcsinh.unwrap_or(false),
        time_scale: chronos.time_encoding_scale.unwrap_or(chronos.context_length),
        rope_theta,
    }
}

/// Blocks of the T5 encoder, as Hugging Face's class names them.
fn t5_blocks() -> Vec<Line> {
    use Part::Whole;
    const ATTENTION: &str = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    vec![
        ("encoder.encoder.relative_attention_bias", ATTENTION, Whole),
        ("encoder.encoder.final_norm.weight", "encoder.final_layer_norm.weight", Whole),
        (
            "encoder.encoder.blocks.{}.attention_norm.weight",
            "encoder.block.{}.layer.0.layer_norm.weight",
            Whole,
        ),
        ("encoder.encoder.blocks.{}.q.weight", "encoder.block.{}.layer.0.SelfAttention.q.weight", Whole),
        ("encoder.encoder.blocks.{}.k.weight", "encoder.block.{}.layer.0.SelfAttention.k.weight", Whole),
        ("encoder.encoder.blocks.{}.v.weight", "encoder.block.{}.layer.0.SelfAttention.v.weight", Whole),
        ("encoder.encoder.blocks.{}.o.weight", "encoder.block.{}.layer.0.SelfAttention.o.weight", Whole),
        (
            "encoder.encoder.blocks.{}.feed_forward_norm.weight",
            "encoder.block.{}.layer.1.layer_norm.weight",
            Whole,
        ),
        ("encoder.encoder.blocks.{}.wi.weight", "encoder.block.{}.layer.1.DenseReluDense.wi.weight", Whole),
        ("encoder.encoder.blocks.{}.wo.weight", "encoder.block.{}.layer.1.DenseReluDense.wo.weight", Whole),
    ]
}

fn t5_names() -> Names {
    let mut lines = t5_blocks();
    lines.push(("encoder.input.Tokens", "shared.weight", Part::Whole));
    Names { lines, own: false, unused: &["decoder.", "lm_head.", "encoder.embed_tokens."] }
}

/// The input block of Chronos-Bolt and Chronos-2.
fn patch_block() -> Vec<Line> {
    use Part::{Row, Whole};
    // The token table has two rows: padding and REG.
    const REG: usize = 1;
    vec![
        ("encoder.input.Patches.reg", "shared.weight", Row(REG)),
        ("encoder.input.Patches.embedding.hidden.weight", "input_patch_embedding.hidden_layer.weight", Whole),
        ("encoder.input.Patches.embedding.hidden.bias", "input_patch_embedding.hidden_layer.bias", Whole),
        ("encoder.input.Patches.embedding.output.weight", "input_patch_embedding.output_layer.weight", Whole),
        ("encoder.input.Patches.embedding.output.bias", "input_patch_embedding.output_layer.bias", Whole),
        (
            "encoder.input.Patches.embedding.residual.weight",
            "input_patch_embedding.residual_layer.weight",
            Whole,
        ),
        ("encoder.input.Patches.embedding.residual.bias", "input_patch_embedding.residual_layer.bias", Whole),
    ]
}

fn bolt_names() -> Names {
    let mut lines = t5_blocks();
    lines.extend(patch_block());
    Names {
        lines,
        own: false,
        unused: &["decoder.", "lm_head.", "encoder.embed_tokens.", "output_patch_embedding."],
    }
}

/// Chronos-2: time attention, group attention and feed-forward layer of a block are its layers 0, 1 and 2.
fn chronos2_names() -> Names {
    use Part::Whole;
    let mut lines = patch_block();
    lines.extend([
        ("encoder.encoder.final_norm.weight", "encoder.final_layer_norm.weight", Whole),
        (
            "encoder.encoder.blocks.{}.attention_norm.weight",
            "encoder.block.{}.layer.0.layer_norm.weight",
            Whole,
        ),
        ("encoder.encoder.blocks.{}.q.weight", "encoder.block.{}.layer.0.self_attention.q.weight", Whole),
        ("encoder.encoder.blocks.{}.k.weight", "encoder.block.{}.layer.0.self_attention.k.weight", Whole),
        ("encoder.encoder.blocks.{}.v.weight", "encoder.block.{}.layer.0.self_attention.v.weight", Whole),
        ("encoder.encoder.blocks.{}.o.weight", "encoder.block.{}.layer.0.self_attention.o.weight", Whole),
        ("encoder.encoder.blocks.{}.group.norm.weight", "encoder.block.{}.layer.1.layer_norm.weight", Whole),
        (
            "encoder.encoder.blocks.{}.group.q.weight",
            "encoder.block.{}.layer.1.self_attention.q.weight",
            Whole,
        ),
        (
            "encoder.encoder.blocks.{}.group.k.weight",
            "encoder.block.{}.layer.1.self_attention.k.weight",
            Whole,
        ),
        (
            "encoder.encoder.blocks.{}.group.v.weight",
            "encoder.block.{}.layer.1.self_attention.v.weight",
            Whole,
        ),
        (
            "encoder.encoder.blocks.{}.group.o.weight",
            "encoder.block.{}.layer.1.self_attention.o.weight",
            Whole,
        ),
        (
            "encoder.encoder.blocks.{}.feed_forward_norm.weight",
            "encoder.block.{}.layer.2.layer_norm.weight",
            Whole,
        ),
        ("encoder.encoder.blocks.{}.wi.weight", "encoder.block.{}.layer.2.mlp.wi.weight", Whole),
        ("encoder.encoder.blocks.{}.wo.weight", "encoder.block.{}.layer.2.mlp.wo.weight", Whole),
    ]);
    Names { lines, own: false, unused: &["output_patch_embedding."] }
}

fn unreadable(error: &serde_json::Error) -> Error {
    let message = format!("config.json cannot be read: {error}");
    Error::new(ErrorKind::Manifest, message, "download the checkpoint again")
}

fn unsupported(what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{what} is not supported"),
        "use a Chronos-T5, Chronos-Bolt or Chronos-2 checkpoint as published",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn chronos2_json() -> Value {
        json!({
            "architectures": ["Chronos2Model"], "d_ff": 2048, "d_kv": 64, "d_model": 512, "feed_forward_proj": "relu",
            "layer_norm_epsilon": 1e-6, "num_heads": 8, "num_layers": 6, "rope_theta": 10000.0, "vocab_size": 2,
            "chronos_config": {
                "context_length": 8192, "input_patch_size": 16, "input_patch_stride": 16, "output_patch_size": 16,
                "time_encoding_scale": 8192, "use_arcsinh": true, "use_reg_token": true,
            },
        })
    }

    fn parse(config: &Value) -> Result<EncoderConfig> {
        encoder_config(config.to_string().as_bytes()).map(|(config, _)| config)
    }

    #[test]
    fn chronos_2_is_told_from_chronos_bolt() {
        let mut published = chronos2_json();
        let family = Family::Chronos2 { patch: 16, arcsinh: true, time_scale: 8192, rope_theta: 10_000.0 };
        assert_eq!(parse(&published).unwrap().family, family);
        published["chronos_config"].as_object_mut().unwrap().remove("output_patch_size");
        let family = Family::Bolt { patch: 16, minimum_scale: 0.0, sums: Sums::Reference };
        assert_eq!(parse(&published).unwrap().family, family);
    }

    #[test]
    fn times_are_divided_by_the_context_unless_the_configuration_says_otherwise() {
        let mut published = chronos2_json();
        published["chronos_config"]["context_length"] = json!(2048);
        let time_scale = |published: &Value| match parse(published).unwrap().family {
            Family::Chronos2 { time_scale, .. } => time_scale,
            other => panic!("{other:?}"),
        };
        assert_eq!(time_scale(&published), 8192);
        published["chronos_config"].as_object_mut().unwrap().remove("time_encoding_scale");
        assert_eq!(time_scale(&published), 2048);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (field, value) in [
            ("input_patch_stride", json!(8)),
            ("use_reg_token", json!(false)),
            ("output_patch_size", json!(32)),
            ("input_patch_size", json!(0)),
        ] {
            let mut published = chronos2_json();
            published["chronos_config"][field] = value;
            let error = parse(&published).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(field), "{error}");
        }
    }
}
