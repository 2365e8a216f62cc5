//! `sensorllm describe`: what a recording's signals do, in a language model's words.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use pollster::block_on;
use sensorllm::answer::AnswerStep;
use sensorllm::describe::messages;
use sensorllm::formats::CsvOptions;
use sensorllm::manifest::MANIFEST_FILE;
use sensorllm::sensor::{Placement, Samples};
use sensorllm::text::ChatOptions;
use sensorllm::{Error, ErrorKind, Options, answer};
use serde::Serialize;

use crate::classify::recording;
use crate::generate::{Clock, SamplingArgs, stream};
use crate::language::LanguageArgs;
use crate::model_folder::{DeviceKind, ModelArgs};
use crate::output;

/// Seconds on either side of the moment that `--at` names.
const AROUND: f64 = 2.5;

/// Says what a recording of a phone's motion sensors shows, or answers a question about it.
///
/// A model made by `sensorllm train` reads the sensors itself, and words facts that an exact extractor found. Any other language
/// model is given the statistics of every channel, computed from the samples. Either way only the wording is the model's.
#[derive(Clone, Debug, clap::Args)]
pub struct DescribeArgs {
    /// Model folder made by `sensorllm train` or `sensorllm convert`; models/default if that exists
    #[arg(long, value_name = "DIR", conflicts_with = "llm")]
    model: Option<PathBuf>,
    /// Folder of a published language model, used as it is, in full precision
    #[arg(long, value_name = "DIR")]
    llm: Option<PathBuf>,
    /// What computes
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
    /// The recording's CSV file or files, or a folder of them; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What to ask
    #[arg(long, value_name = "TEXT", default_value = "")]
    question: String,
    /// Only the five seconds around this moment, in seconds from the recording's start
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["from", "to"])]
    at: Option<f64>,
    /// Only what comes after this many seconds
    #[arg(long, value_name = "SECONDS")]
    from: Option<f64>,
    /// Only what comes before this many seconds
    #[arg(long, value_name = "SECONDS")]
    to: Option<f64>,
    /// Where the phone is carried: pocket, belt, hand or unknown
    #[arg(long, value_name = "PLACE", default_value_t = Placement::Unknown)]
    placement: Placement,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Print JSON when done instead of text as it comes
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    /// What the model was told besides the question.
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
    let samples = stretch(recording::read(&args.files, &CsvOptions::default())?, args)?;
    let folder = args.model.clone().unwrap_or_else(|| PathBuf::from("models/default"));
    if args.llm.is_none() && reads_sensors(&folder) {
        return ask(&samples, args);
    }
    let model = LanguageArgs { model: args.model.clone(), llm: args.llm.clone(), device: args.device };
    let messages = messages(&samples, &args.question)?;
    let model = model.open()?.with_text()?;
    let prompt = model.chat_prompt(&messages, &ChatOptions::default())?;
    let mut generation = model.generate(prompt, &args.sampling.options(), args.sampling.stop())?;
    let mut clock = Clock::start();
    let (text, finish) = stream(&mut generation, &model, &mut clock, !args.json, |_| {})?;
    let prompt = messages.last().map_or("", |message| message.content.as_str());
    finished(prompt, text, finish, &clock, args.json)
}

/// The part of the recording that is asked about.
fn stretch(samples: Samples, args: &DescribeArgs) -> sensorllm::Result<Samples> {
    let (from, to) = match args.at {
        Some(at) => (at - AROUND, at + AROUND),
        None => (args.from.unwrap_or(0.0), args.to.unwrap_or(f64::INFINITY)),
    };
    let start = samples.seconds.first().copied().unwrap_or(0.0);
    let mut kept = Samples::default();
    for (row, seconds) in samples.seconds.iter().enumerate() {
        if (from..=to).contains(&(seconds - start)) {
            kept.push(*seconds, samples.acceleration[row], samples.rotation_rate[row]);
        }
    }
    if kept.is_empty() {
        let length = samples.seconds.last().map_or(0.0, |end| end - start);
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("the recording, {length:.1} s long, has nothing there"),
            "choose times within it",
        ));
    }
    Ok(kept)
}

/// Whether the folder holds a model that reads sensors, as `sensorllm train` makes them.
fn reads_sensors(folder: &Path) -> bool {
    let manifest = std::fs::read(folder.join(MANIFEST_FILE)).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    manifest.get("channels").is_some()
}

/// Lets the model that reads sensors answer.
fn ask(samples: &Samples, args: &DescribeArgs) -> anyhow::Result<()> {
    let model = ModelArgs { model: args.model.clone(), head: None, device: args.device };
    let pipeline = model.load()?;
    let options = Options { head: None, placement: args.placement };
    let question = if args.question.is_empty() { answer::QUESTION } else { &args.question };
    let mut clock = Clock::start();
    let mut answer = block_on(pipeline.ask(samples, question, &options))?;
    let mut all = String::new();
    let mut show = |text: &str| -> anyhow::Result<()> {
        all.push_str(text);
        if !args.json {
            output::print(text)?;
            std::io::stdout().flush()?;
        }
        Ok(())
    };
    let finish = loop {
        match block_on(answer.step(&pipeline))? {
            AnswerStep::Prefill { .. } => {}
            AnswerStep::Token(text) => {
                clock.token();
                show(&text)?;
            }
            AnswerStep::Finished { finish, text } => {
                show(&text)?;
                break finish.name();
            }
        }
    };
    let facts = answer.sheet().render(&answer.sheet().text)?;
    finished(&facts, all, finish, &clock, args.json)
}

fn finished(
    prompt: &str,
    text: String,
    finish: &'static str,
    clock: &Clock,
    json: bool,
) -> anyhow::Result<()> {
    if !json {
        return output::print("\n");
    }
    output::print_json(&Answer {
        prompt,
        text,
        finish,
        tokens_per_second: clock.tokens_per_second(),
        time_to_first_token_ms: clock.first_token_ms(),
    })
}
