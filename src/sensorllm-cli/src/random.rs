//! `sensorllm random`: a checkpoint with random weights at a published shape, for benchmarks and tests where none can be downloaded.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use half::bf16;
use rand::Rng as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use sensorllm::checkpoint::Checkpoint;
use sensorllm::published::{Part, encoder_config, language_config, llama};
use sensorllm::{device, weights::parameters};
use serde_json::{Value, json};

use crate::output;

/// Writes a checkpoint folder in published form, with random weights in bf16 and a made-up tokenizer.
///
/// Speed and memory do not depend on the values of weights, so it stands in for the published model in benchmarks and tests. What it
/// writes is noise.
#[derive(Clone, Debug, clap::Args)]
pub struct RandomArgs {
    /// The published model whose shape it has
    #[arg(long, value_enum, default_value_t = Shape::Smollm2_135m)]
    like: Shape,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seed of the weights
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// Shapes of published models, from their `config.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// Far smaller than any published one; for tests
    Tiny,
    /// SmolLM2-135M
    #[value(name = "smollm2-135m")]
    Smollm2_135m,
    /// SmolLM2-360M
    #[value(name = "smollm2-360m")]
    Smollm2_360m,
    /// TinyLlama-1.1B
    #[value(name = "tinyllama-1.1b")]
    TinyLlama,
    /// Llama-3.2-1B
    #[value(name = "llama-3.2-1b")]
    Llama32_1b,
    /// Llama-3.2-3B
    #[value(name = "llama-3.2-3b")]
    Llama32_3b,
    /// Qwen2.5-0.5B
    #[value(name = "qwen2.5-0.5b")]
    Qwen25,
    /// Qwen3-0.6B
    #[value(name = "qwen3-0.6b")]
    Qwen3,
    /// Chronos-T5 tiny
    #[value(name = "chronos-t5-tiny")]
    ChronosT5,
    /// Chronos-Bolt tiny
    #[value(name = "chronos-bolt-tiny")]
    ChronosBolt,
}

impl Shape {
    fn is_encoder(self) -> bool {
        matches!(self, Self::ChronosT5 | Self::ChronosBolt)
    }

    /// Its `config.json`.
    fn config(self) -> Value {
        if self.is_encoder() { self.encoder_config() } else { self.language_config() }
    }

    fn encoder_config(self) -> Value {
        let chronos = if self == Self::ChronosT5 {
            json!({
                "tokenizer_class": "MeanScaleUniformBins", "tokenizer_kwargs": { "low_limit": -15.0, "high_limit": 15.0 },
                "n_tokens": 4096, "n_special_tokens": 2, "use_eos_token": true, "context_length": 512
            })
        } else {
            json!({
                "input_patch_size": 16, "input_patch_stride": 16, "use_reg_token": true, "context_length": 2048
            })
        };
        json!({
            "model_type": "t5", "d_model": 256, "d_kv": 64, "d_ff": 1024, "num_layers": 4, "num_heads": 4,
            "vocab_size": if self == Self::ChronosT5 { 4096 } else { 2 }, "feed_forward_proj": "relu",
            "chronos_config": chronos
        })
    }

    fn language_config(self) -> Value {
        // Model type, width, feed-forward width, layers, heads, key and value heads, width of a head, vocabulary, tied, context, theta, epsilon.
        let (kind, d, ff, layers, heads, kv, head, vocabulary, tied, context, theta, epsilon) = match self {
            Self::Tiny => ("llama", 64, 160, 2, 4, 2, 16, 512, true, 1024, 1e4, 1e-5),
            Self::Smollm2_135m => ("llama", 576, 1536, 30, 9, 3, 64, 49_152, true, 8192, 1e5, 1e-5),
            Self::Smollm2_360m => ("llama", 960, 2560, 32, 15, 5, 64, 49_152, true, 8192, 1e5, 1e-5),
            Self::TinyLlama => ("llama", 2048, 5632, 22, 32, 4, 64, 32_000, false, 2048, 1e4, 1e-5),
            Self::Llama32_1b => ("llama", 2048, 8192, 16, 32, 8, 64, 128_256, true, 131_072, 5e5, 1e-5),
            Self::Llama32_3b => ("llama", 3072, 8192, 28, 24, 8, 128, 128_256, true, 131_072, 5e5, 1e-5),
            Self::Qwen25 => ("qwen2", 896, 4864, 24, 14, 2, 64, 151_936, true, 32_768, 1e6, 1e-6),
            Self::Qwen3 | Self::ChronosT5 | Self::ChronosBolt => {
                ("qwen3", 1024, 3072, 28, 16, 8, 128, 151_936, true, 40_960, 1e6, 1e-6)
            }
        };
        let scaling = matches!(self, Self::Llama32_1b | Self::Llama32_3b).then(|| {
            json!({
                "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192
            })
        });
        json!({
            "model_type": kind, "hidden_size": d, "intermediate_size": ff, "num_hidden_layers": layers,
            "num_attention_heads": heads, "num_key_value_heads": kv, "head_dim": head, "vocab_size": vocabulary,
            "tie_word_embeddings": tied, "max_position_embeddings": context, "rope_theta": theta,
            "rope_scaling": scaling, "rms_norm_eps": epsilon, "hidden_act": "silu", "eos_token_id": 0
        })
    }
}

/// Runs the command.
///
/// # Errors
/// When the folder cannot be written.
pub fn run(args: &RandomArgs) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let write = |name: &str, value: &Value| std::fs::write(args.out.join(name), value.to_string());
    let config = args.like.config();
    write("config.json", &config)?;
    let config = config.to_string();
    let device = device::cpu();
    let (names, mut module) = if args.like.is_encoder() {
        let (config, names) = encoder_config(config.as_bytes())?;
        (names, Checkpoint::new(Some(&config), None, &device))
    } else {
        let config = language_config(config.as_bytes(), None)?;
        write("tokenizer.json", &tokenizer(config.vocabulary))?;
        write("tokenizer_config.json", &json!({ "chat_template": CHAT, "eos_token": END }))?;
        (llama(), Checkpoint::new(None, Some(&config), &device))
    };

    // A deviation of 1/√inputs keeps activations near one.
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let mut tensors = BTreeMap::<String, (Vec<usize>, Vec<u8>)>::new();
    for parameter in parameters(&mut module) {
        let place = names.place(&parameter.path)?;
        let mut shape = parameter.shape.clone();
        let (centre, width) = if parameter.linear {
            shape.reverse();
            (0.0, (12.0 / parameter.shape[0] as f32).sqrt())
        } else {
            (if shape.len() == 1 && parameter.path.ends_with("norm.weight") { 1.0 } else { 0.0 }, 1.0)
        };
        if let Part::Row(row) = place.part {
            shape = vec![row + 1, shape[0]];
        }
        let values = (0..shape.iter().product())
            .flat_map(|_| bf16::from_f32(centre + width * (random.random::<f32>() - 0.5)).to_le_bytes());
        // The parts of a token table are one tensor in published form.
        let (whole, bytes) = tensors.entry(place.name).or_insert_with(|| {
            let mut whole = shape.clone();
            whole[0] = 0;
            (whole, Vec::new())
        });
        whole[0] += shape[0];
        bytes.extend(values);
    }
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        Ok((name.as_str(), TensorView::new(Dtype::BF16, shape.clone(), bytes)?))
    });
    let views = views.collect::<anyhow::Result<Vec<_>>>()?;
    safetensors::serialize_to_file(views, None, &args.out.join("model.safetensors"))?;
    output::print(&format!("{} is ready\n", args.out.display()))
}

const END: &str = "<|end|>";

const CHAT: &str = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

/// A byte-level tokenizer whose ids cover the vocabulary: the end token, all bytes, and made-up words.
fn tokenizer(vocabulary: usize) -> Value {
    let mut tokens = serde_json::Map::new();
    tokens.insert(END.to_owned(), json!(0));
    // The characters that byte-level tokenizers write bytes as: printable ones stand for themselves, the others follow 255.
    let printable = |byte: &u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let mut next = 255;
    for byte in 0..256_u32 {
        let code = if printable(&byte) {
            byte
        } else {
            next += 1;
            next
        };
        let character = char::from_u32(code).unwrap_or('?').to_string();
        tokens.insert(character, json!(tokens.len()));
    }
    while tokens.len() < vocabulary {
        // `Ġ` is how byte-level tokenizers write a space.
        tokens.insert(format!("Ġw{}", tokens.len()), json!(tokens.len()));
    }
    json!({
        "version": "1.0",
        "added_tokens": [{
            "id": 0, "content": END, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true
        }],
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": { "type": "BPE", "vocab": tokens, "merges": [] }
    })
}
