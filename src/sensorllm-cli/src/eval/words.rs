//! `sensorllm eval-words`: how much of what a model writes about people it has never met is true.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use pollster::block_on;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sensorllm::answer::AnswerStep;
use sensorllm::sensor::{Samples, Window, WindowConfig};
use sensorllm::trend::{self, Activity, Facts};
use sensorllm::{Error, ErrorKind, Manifest, Options, Pipeline};
use serde::Serialize;

use crate::data::{Dataset, labelled_windows};
use crate::model_folder::ModelArgs;
use crate::table::{Align, Table};
use crate::text_metrics::TextScores;
use crate::{output, progress};

/// How much of what a model writes about a labelled data set is true.
///
/// Windows are drawn evenly from the subjects, each with a question of a kind and wording drawn at random. The question goes through
/// everything it would go through in an app: it is recognised, the facts are extracted, the classifier names the activity, the model
/// words an answer. The answer is then read back, and every statement held against the exact facts and the labelled activity; `still`
/// is true of sitting, standing and lying. BLEU and ROUGE compare it with one of the many right wordings.
#[derive(Clone, Debug, clap::Args)]
pub struct WordsArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder of the data set
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Only these subjects, separated by commas; all if not given
    #[arg(long, value_delimiter = ',', value_name = "A,B,C")]
    subjects: Option<Vec<String>>,
    /// Seconds asked about at a time, at least those of a window; a window if not given
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Number of questions
    #[arg(long, value_name = "N", default_value_t = 300)]
    questions: usize,
    /// What draws windows, questions and wordings
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print this many questions with their answers
    #[arg(long, value_name = "N", default_value_t = 0)]
    show: usize,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// The outcome. The names of the fields are the names in the JSON output.
#[derive(Serialize)]
struct Report {
    model: String,
    data: String,
    subjects: Vec<String>,
    /// Seconds asked about at a time.
    seconds: f64,
    questions: usize,
    /// Statements that could be read in all answers.
    stated: usize,
    /// Share of them that is true.
    truth: f64,
    /// Statements about a sensor or channel that was not measured.
    about_absent_channel: usize,
    /// Answers in which nothing was stated, questions that sensors cannot answer left out.
    without_statement: usize,
    bleu_1: f64,
    rouge_1: f64,
    rouge_l: f64,
    /// Statements and true ones by kind of question.
    families: BTreeMap<String, (usize, usize)>,
}

/// A window to ask about, and what was done in it.
struct Shown {
    window: Window,
    activity: String,
}

/// Runs the command.
///
/// # Errors
/// When the model has no words, or the data cannot be read.
pub fn run(args: &WordsArgs) -> anyhow::Result<()> {
    let pipeline = args.model.load()?;
    pipeline.words()?;
    let set = Dataset::open(&args.data)?;
    let subjects = args.subjects.clone().unwrap_or_else(|| set.subjects());
    let windows = windows(args, &pipeline, &set, &subjects)?;
    let every = windows.len().div_ceil(args.questions.max(1)).max(1);
    let asked: Vec<&Shown> = windows.iter().step_by(every).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
    let options = Options { head: args.model.head, placement: set.placement };

    let mut report = Report {
        model: pipeline.manifest().name.clone(),
        data: set.name.clone(),
        subjects,
        seconds: asked.first().map_or(0.0, |shown| shown.window.end_seconds - shown.window.start_seconds),
        questions: asked.len(),
        stated: 0,
        truth: 0.0,
        about_absent_channel: 0,
        without_statement: 0,
        bleu_1: 0.0,
        rouge_1: 0.0,
        rouge_l: 0.0,
        families: BTreeMap::new(),
    };
    let mut right = 0;
    let mut scores = Vec::new();
    let bar = progress::bar(asked.len(), "asking");
    for (number, shown) in asked.into_iter().enumerate() {
        let samples = samples(&shown.window, pipeline.manifest().window.rate_hz);
        // Facts that questions are drawn from; what the answer is held against comes below.
        let truth = facts(pipeline.manifest(), shown, 1.0, &shown.activity);
        let exchange = trend::random_exchange(&truth, rng.random());
        let (text, given) = answer(&pipeline, &samples, &exchange.question, &options)?;
        let truth = held_against(pipeline.manifest(), shown, &given);
        let checked = trend::check(&trend::parse(&text), &truth);
        let reference = trend::exchange_about(&truth, &exchange.asked, rng.random()).rendered()?;
        scores.push(TextScores::of(&text, &reference));
        right += checked.right;
        report.stated += checked.stated;
        report.about_absent_channel += checked.about_absent_channel;
        let family = exchange.family();
        report.without_statement += usize::from(checked.stated == 0 && family != trend::Family::OffTopic);
        let counts = report.families.entry(family.name().to_owned()).or_default();
        *counts = (counts.0 + checked.stated, counts.1 + checked.right);
        if number < args.show {
            output::print(&format!("{} ({})\n  {text}\n", exchange.question, shown.activity))?;
            for wrong in &checked.wrong {
                output::print(&format!("  not true: {wrong:?}\n"))?;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    report.truth = right as f64 / report.stated.max(1) as f64;
    let mean = TextScores::mean(&scores);
    (report.bleu_1, report.rouge_1, report.rouge_l) = (mean.bleu_1, mean.rouge_1, mean.rouge_l);
    if args.json { output::print_json(&report) } else { output::print(&report.tables()) }
}

/// All labelled windows of the subjects.
fn windows(
    args: &WordsArgs,
    pipeline: &Pipeline,
    set: &Dataset,
    subjects: &[String],
) -> anyhow::Result<Vec<Shown>> {
    let window = pipeline.manifest().window;
    let length = args.seconds.map_or(window.length, |seconds| (seconds * f64::from(window.rate_hz)) as usize);
    if length < window.length {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "{length} rows at {} Hz are less than the model's window of {}",
                window.rate_hz, window.length
            ),
            "ask for more `--seconds`",
        )
        .into());
    }
    let stretch = WindowConfig { length, hop: window.hop.max(length / 2), ..window };
    let mut all = Vec::new();
    for subject in subjects {
        for recording in set.recordings(subject)? {
            let found = labelled_windows(&recording, &stretch).with_context(|| {
                format!("{}: recording {} of {subject}", args.data.display(), recording.name)
            })?;
            for (window, segment) in found.windows {
                let activity = recording.segments[segment].activity.clone();
                if pipeline.manifest().label(&activity).is_some() {
                    all.push(Shown { window, activity });
                }
            }
        }
    }
    if all.is_empty() {
        return Err(Error::new(
            ErrorKind::TooFewSamples,
            format!("{} has no window to ask about", set.name),
            "a window must lie inside one segment whose activity is one of the model's labels",
        )
        .into());
    }
    Ok(all)
}

/// A window as a recording of its own.
fn samples(window: &Window, rate_hz: f32) -> Samples {
    let mut samples = Samples::default();
    for (row, (acceleration, rotation_rate)) in
        window.acceleration.iter().zip(&window.rotation_rate).enumerate()
    {
        samples.push(row as f64 / f64::from(rate_hz), *acceleration, *rotation_rate);
    }
    samples
}

/// The facts of a window in which `label` is done.
fn facts(manifest: &Manifest, shown: &Shown, confidence: f64, label: &str) -> Facts {
    let seconds = shown.window.end_seconds - shown.window.start_seconds;
    let activity = Activity { label: label.to_owned(), confidence, start: 0.0, end: seconds };
    Facts::of(&shown.window, manifest.window.rate_hz, &[activity])
}

/// What is true: the labelled activity, or its group if that was given; the confidence is the classifier's.
fn held_against(manifest: &Manifest, shown: &Shown, given: &Facts) -> Facts {
    let (label, confidence) =
        given.activities.first().map_or(("", 0.0), |given| (given.label.as_str(), given.confidence));
    let group = manifest.label(&shown.activity).and_then(|index| manifest.labels[index].group.as_deref());
    let label = if group == Some(label) { label } else { &shown.activity };
    facts(manifest, shown, confidence, label)
}

/// The model's answer, and the facts it was given.
fn answer(
    pipeline: &Pipeline,
    samples: &Samples,
    question: &str,
    options: &Options,
) -> anyhow::Result<(String, Facts)> {
    let mut answer = block_on(pipeline.ask(samples, question, options))?;
    let mut text = String::new();
    loop {
        match block_on(answer.step(pipeline))? {
            AnswerStep::Prefill { .. } => {}
            AnswerStep::Token(piece) => text.push_str(&piece),
            AnswerStep::Finished { text: piece, .. } => {
                text.push_str(&piece);
                return Ok((text, answer.facts().clone()));
            }
        }
    }
}

impl Report {
    fn tables(&self) -> String {
        let mut facts = Table::new(&[("", Align::Left), ("", Align::Left)]);
        let mut fact = |name: &str, value: String| facts.row([name.to_owned(), value]);
        fact("model", self.model.clone());
        fact("data", format!("{} ({})", self.data, self.subjects.join(", ")));
        fact("questions", format!("{}, each about {:.2} s", self.questions, self.seconds));
        fact("true statements", format!("{:.4} of {}", self.truth, self.stated));
        fact("about an absent channel", self.about_absent_channel.to_string());
        fact("answers without a statement", self.without_statement.to_string());
        fact("BLEU-1", format!("{:.3}", self.bleu_1));
        fact("ROUGE-1", format!("{:.3}", self.rouge_1));
        fact("ROUGE-L", format!("{:.3}", self.rouge_l));
        let mut families =
            Table::new(&[("question", Align::Left), ("statements", Align::Right), ("true", Align::Right)]);
        for (name, (stated, right)) in &self.families {
            let share = *right as f64 / (*stated).max(1) as f64;
            families.row([name.clone(), stated.to_string(), format!("{share:.3}")]);
        }
        format!("{facts}\n{families}")
    }
}
