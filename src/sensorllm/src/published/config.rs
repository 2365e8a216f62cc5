//! `config.json` and `generation_config.json` of a published language model.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::language::LanguageConfig;
use crate::llama::{LlamaConfig, RopeScaling};

/// The fields of `config.json` that matter; those that would change the computation are checked, the rest is ignored.
#[derive(Deserialize)]
struct Published {
    model_type: String,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    vocab_size: usize,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    hidden_act: String,
    /// Where it stands before version 5 of the reference implementation; afterwards in `rope_parameters`.
    rope_theta: Option<f64>,
    rope_scaling: Option<Rope>,
    rope_parameters: Option<Rope>,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    eos_token_id: Option<Ids>,
}

#[derive(Deserialize)]
struct Rope {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<usize>,
}

#[derive(Deserialize)]
struct Generation {
    eos_token_id: Option<Ids>,
}

/// One id, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ids {
    One(u32),
    Many(Vec<u32>),
}

impl From<Ids> for Vec<u32> {
    fn from(ids: Ids) -> Self {
        match ids {
            Ids::One(id) => vec![id],
            Ids::Many(ids) => ids,
        }
    }
}

/// The configuration of a published language model of the Llama, Qwen2 or Qwen3 architecture.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] naming the field, when the architecture, or something it is configured to do, is not supported;
/// [`ErrorKind::Manifest`] when the file cannot be read.
pub fn language_config(config: &[u8], generation: Option<&[u8]>) -> Result<LanguageConfig> {
    let unreadable = |file: &str, error: serde_json::Error| {
        let hint = "download the checkpoint again";
        Error::new(ErrorKind::Manifest, format!("{file} cannot be read: {error}"), hint)
    };
    // The architecture first: another one's file lacks other fields.
    #[derive(Deserialize)]
    struct Kind {
        model_type: String,
    }
    let kind: Kind = serde_json::from_slice(config).map_err(|error| unreadable("config.json", error))?;
    if !["llama", "qwen2", "qwen3"].contains(&kind.model_type.as_str()) {
        return Err(unsupported(format!("the architecture {} (model_type)", kind.model_type)));
    }
    let config: Published =
        serde_json::from_slice(config).map_err(|error| unreadable("config.json", error))?;
    let generation: Option<Generation> = generation
        .map(serde_json::from_slice)
        .transpose()
        .map_err(|error| unreadable("generation_config.json", error))?;
    check(&config)?;

    let heads = config.num_attention_heads;
    let rope = config.rope_parameters.as_ref().or(config.rope_scaling.as_ref());
    let theta = config.rope_theta.or(rope.and_then(|rope| rope.rope_theta)).unwrap_or(10_000.0);
    let llm = LlamaConfig {
        d_model: config.hidden_size,
        d_ff: config.intermediate_size,
        layers: config.num_hidden_layers,
        heads,
        kv_heads: config.num_key_value_heads.unwrap_or(heads),
        d_head: config.head_dim.unwrap_or(config.hidden_size / heads.max(1)),
        rope_theta: theta,
        rope_scaling: rope.map_or(Ok(None), scaling)?,
        norm_epsilon: config.rms_norm_eps,
        attention_bias: config.model_type == "qwen2",
        qk_norm: config.model_type == "qwen3",
    };
    llm.check()?;
    let stop_ids = generation.and_then(|generation| generation.eos_token_id).or(config.eos_token_id);
    Ok(LanguageConfig {
        vocabulary: config.vocab_size,
        tied: config.tie_word_embeddings,
        context: config.max_position_embeddings,
        stop_ids: stop_ids.map(Into::into).unwrap_or_default(),
        llm,
    })
}

fn check(config: &Published) -> Result<()> {
    if config.hidden_act != "silu" {
        return Err(unsupported(format!("the activation {} (hidden_act)", config.hidden_act)));
    }
    if config.attention_bias || config.mlp_bias {
        return Err(unsupported("biases of all maps (attention_bias, mlp_bias)".to_owned()));
    }
    if config.use_sliding_window {
        return Err(unsupported("attention to a sliding window (use_sliding_window)".to_owned()));
    }
    Ok(())
}

fn scaling(rope: &Rope) -> Result<Option<RopeScaling>> {
    match rope.rope_type.as_deref() {
        None | Some("default") => Ok(None),
        Some("llama3") => {
            let missing = |field: &str| {
                let message = format!("config.json has the rotary scaling llama3 without {field}");
                Error::new(ErrorKind::Manifest, message, "download the checkpoint again")
            };
            Ok(Some(RopeScaling {
                factor: rope.factor.ok_or_else(|| missing("factor"))?,
                low_frequency_factor: rope.low_freq_factor.ok_or_else(|| missing("low_freq_factor"))?,
                high_frequency_factor: rope.high_freq_factor.ok_or_else(|| missing("high_freq_factor"))?,
                original_context: rope
                    .original_max_position_embeddings
                    .ok_or_else(|| missing("original_max_position_embeddings"))?,
            }))
        }
        Some(other) => Err(unsupported(format!("the rotary scaling {other} (rope_type)"))),
    }
}

fn unsupported(what: String) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{what} is not supported"),
        "use a Llama, Qwen2 or Qwen3 checkpoint such as SmolLM2, TinyLlama, Llama 3.2, Qwen2.5 or Qwen3",
    )
}
