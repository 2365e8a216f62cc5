//! `sensorllm generate`: continues a prompt.

use std::io::Write as _;
use std::time::{Duration, Instant};

use pollster::block_on;
use sensorllm::generate::{Generation, GenerationOptions, Step};
use sensorllm::sampler::SamplerOptions;
use sensorllm::text::{ChatOptions, Message};
use sensorllm::text_model::{TextGeneration, TextModel, TextStep};
use serde::Serialize;

use crate::language::LanguageArgs;
use crate::output;

/// Continues a prompt with a language model, token by token.
#[derive(Clone, Debug, clap::Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    model: LanguageArgs,
    /// The prompt
    #[arg(long, value_name = "TEXT", required_unless_present = "ids", conflicts_with = "ids")]
    prompt: Option<String>,
    /// The prompt as token ids, separated by commas; needs no tokenizer
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    ids: Option<Vec<u32>>,
    /// Treats the prompt as a question to a chat model
    #[arg(long, conflicts_with = "ids")]
    chat: bool,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Adds the logits of the prompt's last position to the JSON
    #[arg(long, requires = "json")]
    logits: bool,
    /// Print JSON when done instead of text as it comes
    #[arg(long)]
    json: bool,
}

/// How tokens are chosen, and when to end.
#[derive(Clone, Debug, clap::Args)]
pub struct SamplingArgs {
    /// The most new tokens
    #[arg(long, value_name = "N", default_value_t = 128)]
    max_tokens: usize,
    /// Always take the likeliest token
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p"])]
    greedy: bool,
    /// Flattens (above 1) or sharpens (below 1) the distribution
    #[arg(long, value_name = "T", default_value_t = 0.7)]
    temperature: f32,
    /// Choose among the K likeliest tokens only; 0 for all
    #[arg(long, value_name = "K", default_value_t = 0)]
    top_k: usize,
    /// Choose among the likeliest tokens that together have this probability
    #[arg(long, value_name = "P", default_value_t = 1.0)]
    top_p: f32,
    /// Makes tokens that came before less likely (above 1)
    #[arg(long, value_name = "R", default_value_t = 1.0)]
    repetition_penalty: f32,
    /// Seed of the random choice
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Ends before this text; may be given more than once
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    /// Goes on when the model says it has finished
    #[arg(long)]
    ignore_eos: bool,
}

impl SamplingArgs {
    /// The options of the library.
    pub fn options(&self) -> GenerationOptions {
        let sampler = SamplerOptions {
            temperature: if self.greedy { 0.0 } else { self.temperature },
            top_k: self.top_k,
            top_p: self.top_p,
            repetition_penalty: self.repetition_penalty,
            seed: self.seed,
        };
        GenerationOptions { max_tokens: self.max_tokens, sampler, ignore_stop_ids: self.ignore_eos }
    }

    /// Texts to end before.
    pub fn stop(&self) -> &[String] {
        &self.stop
    }
}

/// The JSON output.
#[derive(Serialize)]
struct Answer<'a> {
    prompt_ids: &'a [u32],
    ids: &'a [u32],
    text: Option<String>,
    finish: &'static str,
    tokens_per_second: Option<f64>,
    time_to_first_token_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<Vec<f32>>,
}

/// Times of a generation's tokens.
pub struct Clock {
    start: Instant,
    first: Option<Duration>,
    last: Duration,
    tokens: usize,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { start: Instant::now(), first: None, last: Duration::ZERO, tokens: 0 }
    }

    /// A token has come.
    pub fn token(&mut self) {
        self.last = self.start.elapsed();
        self.first.get_or_insert(self.last);
        self.tokens += 1;
    }

    /// Decoded tokens per second, the first not counted; `None` with fewer than two.
    pub fn tokens_per_second(&self) -> Option<f64> {
        let decoding = self.last.checked_sub(self.first?)?.as_secs_f64();
        (self.tokens > 1 && decoding > 0.0).then(|| (self.tokens - 1) as f64 / decoding)
    }

    /// Milliseconds from the start to the first token, or to now.
    pub fn first_token_ms(&self) -> f64 {
        self.first.unwrap_or_else(|| self.start.elapsed()).as_secs_f64() * 1e3
    }
}

/// Runs the command.
///
/// # Errors
/// When the model cannot be loaded, or the prompt does not fit it.
pub fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let opened = args.model.open()?;
    match (&args.ids, &args.prompt) {
        (Some(ids), _) if opened.tokenizer.is_none() => {
            let generation = Generation::new(&opened.config, ids.clone(), &args.sampling.options())?;
            without_text(generation, &opened.model, args)
        }
        (ids, prompt) => {
            let model = opened.with_text()?;
            let prompt = match (ids, prompt) {
                (Some(ids), _) => ids.clone(),
                (None, Some(prompt)) if args.chat => {
                    model.chat_prompt(&[Message::new("user", prompt)], &ChatOptions::default())?
                }
                (None, prompt) => model.prompt(prompt.as_deref().unwrap_or_default())?,
            };
            let generation = model.generate(prompt, &args.sampling.options(), args.sampling.stop())?;
            with_text(generation, &model, args)
        }
    }
}

fn with_text(mut generation: TextGeneration, model: &TextModel, args: &GenerateArgs) -> anyhow::Result<()> {
    let mut logits = None;
    let mut clock = Clock::start();
    let (all, finish) = stream(&mut generation, model, &mut clock, !args.json, |generation| {
        if args.logits {
            logits.get_or_insert_with(|| generation.generation().logits().to_vec());
        }
    })?;
    if !args.json {
        return output::print("\n");
    }
    output::print_json(&Answer {
        prompt_ids: generation.generation().prompt(),
        ids: generation.generation().tokens(),
        text: Some(all),
        finish,
        tokens_per_second: clock.tokens_per_second(),
        time_to_first_token_ms: clock.first_token_ms(),
        logits,
    })
}

/// Runs a generation to its end, printing text as it comes if asked to; returns all text and why it ended.
///
/// # Errors
/// Those of [`TextGeneration::step`].
pub fn stream(
    generation: &mut TextGeneration,
    model: &TextModel,
    clock: &mut Clock,
    print: bool,
    mut at_token: impl FnMut(&TextGeneration),
) -> anyhow::Result<(String, &'static str)> {
    let mut all = String::new();
    let mut show = |text: &str| -> anyhow::Result<()> {
        all.push_str(text);
        if print {
            output::print(text)?;
            std::io::stdout().flush()?;
        }
        Ok(())
    };
    let finish = loop {
        match block_on(generation.step(model))? {
            TextStep::Prefill { .. } => {}
            TextStep::Token { text, .. } => {
                clock.token();
                at_token(generation);
                show(&text)?;
            }
            TextStep::Finished { finish, text } => {
                show(&text)?;
                break finish.name();
            }
        }
    };
    Ok((all, finish))
}

fn without_text(
    mut generation: Generation,
    model: &sensorllm::language::LanguageModel,
    args: &GenerateArgs,
) -> anyhow::Result<()> {
    let mut logits = None;
    let mut clock = Clock::start();
    let finish = loop {
        match block_on(generation.step(model.decoder()))? {
            Step::Prefill { .. } => {}
            Step::Token(id) => {
                clock.token();
                if args.logits {
                    logits.get_or_insert_with(|| generation.logits().to_vec());
                }
                if !args.json {
                    output::print(&format!("{id} "))?;
                    std::io::stdout().flush()?;
                }
            }
            Step::Finished(finish) => break finish.name(),
        }
    };
    if !args.json {
        return output::print("\n");
    }
    output::print_json(&Answer {
        prompt_ids: generation.prompt(),
        ids: generation.tokens(),
        text: None,
        finish,
        tokens_per_second: clock.tokens_per_second(),
        time_to_first_token_ms: clock.first_token_ms(),
        logits,
    })
}
