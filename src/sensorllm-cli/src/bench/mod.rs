//! `sensorllm bench`: speed of a language model on this machine.

pub mod kernels;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use pollster::block_on;
use sensorllm::generate::{Generation, GenerationOptions, Step};
use sensorllm::language::{LanguageConfig, LanguageModel};
use sensorllm::sampler::SamplerOptions;
use serde::Serialize;

use crate::language::LanguageArgs;
use crate::output;
use crate::table::{Align, Table};

/// Measures prefill, decode and time to first token of a language model, and the machine's memory bandwidth beside them.
///
/// Medians of `--runs` runs after one to warm up, each with a new prompt. Nothing else should be running.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchArgs {
    #[command(flatten)]
    model: LanguageArgs,
    /// Lengths of the prompts
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [64, 512])]
    prompts: Vec<usize>,
    /// Tokens to decode after the first prompt
    #[arg(long, value_name = "N", default_value_t = 64)]
    tokens: usize,
    /// Runs to take the median of
    #[arg(long, value_name = "N", default_value_t = 3)]
    runs: usize,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    model: PathBuf,
    device: &'static str,
    threads: usize,
    model_bytes: Option<u64>,
    prefill: Vec<Prefill>,
    decode_tokens_per_second: f64,
    time_to_first_token_ms: f64,
    /// Bytes of weights read per second while decoding; all weights are read for each token.
    decode_bytes_per_second: Option<f64>,
    /// What reading memory in a plain loop reaches.
    memory_bytes_per_second: f64,
    peak_memory_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Prefill {
    tokens: usize,
    tokens_per_second: f64,
}

/// Runs the command.
///
/// # Errors
/// When the model cannot be loaded, or a prompt does not fit it.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let opened = args.model.open()?;
    let (config, model) = (&opened.config, &opened.model);
    let mut prefill = Vec::new();
    let mut decode = Vec::new();
    let mut first = Vec::new();
    for run in 0..=args.runs {
        for (index, length) in args.prompts.iter().enumerate() {
            let tokens = if index == 0 { args.tokens } else { 1 };
            let (to_first, decoding) = time(config, model, *length, tokens, run)?;
            // The first run warms up.
            if run == 0 {
                continue;
            }
            prefill.push((*length, *length as f64 / to_first));
            if index == 0 {
                first.push(to_first * 1e3);
                decode.push((args.tokens - 1) as f64 / decoding);
            }
        }
    }
    let folder = args.model.model.as_ref().or(args.model.llm.as_ref()).context("a model is given")?;
    let bytes = weight_bytes(folder);
    // Before the bandwidth is measured, which takes memory of its own.
    let peak_memory_bytes = peak_memory();
    let decode = median(decode);
    let report = Report {
        model: folder.clone(),
        device: args.model.device.name(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        model_bytes: bytes,
        prefill: args
            .prompts
            .iter()
            .map(|length| Prefill {
                tokens: *length,
                tokens_per_second: median(
                    prefill.iter().filter(|(l, _)| l == length).map(|(_, s)| *s).collect(),
                ),
            })
            .collect(),
        decode_tokens_per_second: decode,
        time_to_first_token_ms: median(first),
        decode_bytes_per_second: bytes.map(|bytes| bytes as f64 * decode),
        memory_bytes_per_second: memory_bandwidth(),
        peak_memory_bytes,
    };
    if args.json { output::print_json(&report) } else { output::print(&text(&report)) }
}

/// Seconds to the first token, and from it to the last.
fn time(
    config: &LanguageConfig,
    model: &LanguageModel,
    length: usize,
    tokens: usize,
    run: usize,
) -> anyhow::Result<(f64, f64)> {
    let prompt = (0..length).map(|i| ((i * 7919 + run * 104_729 + 13) % config.vocabulary) as u32).collect();
    let sampler = SamplerOptions { temperature: 0.0, ..SamplerOptions::default() };
    let options = GenerationOptions { max_tokens: tokens, sampler, ignore_stop_ids: true };
    let mut generation = Generation::new(config, prompt, &options)?;
    let start = Instant::now();
    let mut first = None;
    loop {
        match block_on(generation.step(model.decoder()))? {
            Step::Prefill { .. } => {}
            Step::Token(_) => {
                first.get_or_insert_with(|| start.elapsed().as_secs_f64());
            }
            Step::Finished(_) => {
                let first = first.context("a token was asked for")?;
                return Ok((first, start.elapsed().as_secs_f64() - first));
            }
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Bytes of a folder's weight files.
fn weight_bytes(folder: &std::path::Path) -> Option<u64> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let weights = files.filter(|file| file.path().extension().is_some_and(|end| end == "safetensors"));
    Some(weights.filter_map(|file| Some(file.metadata().ok()?.len())).sum())
}

/// Bytes per second that all threads together read from memory: the best of five passes over 256 MiB each.
fn memory_bandwidth() -> f64 {
    const WORDS: usize = 32 << 20;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let buffers: Vec<Vec<u64>> = (0..threads).map(|i| vec![i as u64 + 1; WORDS]).collect();
    let pass = || {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for buffer in &buffers {
                // Eight sums, so that additions do not wait for each other.
                scope.spawn(move || {
                    let mut sums = [0_u64; 8];
                    for words in buffer.as_chunks::<8>().0 {
                        for (sum, word) in sums.iter_mut().zip(words) {
                            *sum = sum.wrapping_add(*word);
                        }
                    }
                    std::hint::black_box(sums)
                });
            }
        });
        (threads * WORDS * size_of::<u64>()) as f64 / start.elapsed().as_secs_f64()
    };
    (0..5).map(|_| pass()).fold(0.0, f64::max)
}

/// The most memory this process has had, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

fn text(report: &Report) -> String {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
    for prefill in &report.prefill {
        table.row([
            format!("prefill of {} tokens, tokens/s", prefill.tokens),
            format!("{:.1}", prefill.tokens_per_second),
        ]);
    }
    table.row(["decode, tokens/s".to_owned(), format!("{:.1}", report.decode_tokens_per_second)]);
    table.row(["time to first token, ms".to_owned(), format!("{:.0}", report.time_to_first_token_ms)]);
    if let Some(rate) = report.decode_bytes_per_second {
        let share = 100.0 * rate / report.memory_bytes_per_second;
        table.row(["weights read while decoding, GB/s".to_owned(), format!("{:.1}", rate / 1e9)]);
        table.row(["share of the memory bandwidth, %".to_owned(), format!("{share:.0}")]);
    }
    table.row(["memory bandwidth, GB/s".to_owned(), format!("{:.1}", report.memory_bytes_per_second / 1e9)]);
    if let Some(bytes) = report.peak_memory_bytes {
        table.row(["peak memory, MB".to_owned(), format!("{:.0}", bytes as f64 / 1e6)]);
    }
    format!("{} on {}, {} threads\n{table}", report.model.display(), report.device, report.threads)
}
