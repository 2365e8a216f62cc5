//! `config.json` of a published Chronos-T5 or Chronos-Bolt checkpoint, and what its tensors are called.

use serde::Deserialize;

use super::names::{Line, Names, Part};
use crate::chronos::{EncoderConfig, Family, Scaling};
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

/// `chronos_config`: the first half is Chronos-T5's, the second Chronos-Bolt's.
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
        (None, Some(patch)) => (bolt(chronos, patch)?, bolt_names()),
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

fn bolt(chronos: &Chronos, patch: usize) -> Result<Family> {
    if chronos.input_patch_stride.is_some_and(|stride| stride != patch) {
        return Err(unsupported("patches that overlap (input_patch_stride)"));
    }
    if chronos.use_reg_token != Some(true) {
        return Err(unsupported("a series without a REG vector (use_reg_token)"));
    }
    Ok(Family::Bolt { patch, minimum_scale: 0.0 })
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

fn bolt_names() -> Names {
    use Part::{Row, Whole};
    // The token table of Chronos-Bolt has two rows: padding and REG.
    const REG: usize = 1;
    let mut lines = t5_blocks();
    lines.extend([
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
    ]);
    Names {
        lines,
        own: false,
        unused: &["decoder.", "lm_head.", "encoder.embed_tokens.", "output_patch_embedding."],
    }
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
