//! `sensorllm describe`: what a recording's signals do, in a language model's words.

use std::path::PathBuf;

use sensorllm::describe::{QUESTION, messages};
use sensorllm::formats::CsvOptions;
use sensorllm::text::ChatOptions;
use serde::Serialize;

use crate::classify::recording;
use crate::generate::{Clock, SamplingArgs, stream};
use crate::language::LanguageArgs;
use crate::output;

/// Lets a language model say what a recording of a phone's motion sensors shows, or answer a question about it.
///
/// The model is given the statistics of every channel, computed from the samples; only the wording is its own.
#[derive(Clone, Debug, clap::Args)]
pub struct DescribeArgs {
    #[command(flatten)]
    model: LanguageArgs,
    /// The recording's CSV file or files, or a folder of them; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What to ask
    #[arg(long, value_name = "TEXT", default_value = QUESTION)]
    question: String,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Print JSON when done instead of text as it comes
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    prompt: &'a str,
    text: String,
    finish: &'static str,
    tokens_per_second: Option<f64>,
    time_to_first_token_ms: f64,
}

/// Runs the command.
///
/// # Errors
/// When the model cannot be loaded or the recording cannot be read.
pub fn run(args: &DescribeArgs) -> anyhow::Result<()> {
    let samples = recording::read(&args.files, &CsvOptions::default())?;
    let messages = messages(&samples, &args.question)?;
    let model = args.model.open()?.with_text()?;
    let prompt = model.chat_prompt(&messages, &ChatOptions::default())?;
    let mut generation = model.generate(prompt, &args.sampling.options(), args.sampling.stop())?;
    let mut clock = Clock::start();
    let (text, finish) = stream(&mut generation, &model, &mut clock, !args.json, |_| {})?;
    if !args.json {
        return output::print("\n");
    }
    output::print_json(&Answer {
        prompt: messages.last().map_or("", |message| &message.content),
        text,
        finish,
        tokens_per_second: clock.tokens_per_second(),
        time_to_first_token_ms: clock.first_token_ms(),
    })
}
