//! Questions and answers about windows of the data sets, drawn for the stages that learn words, and the truth of what is written.

use anyhow::{Context as _, Result};
use burn::tensor::Device;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sensorllm::Manifest;
use sensorllm::generate::{Generation, GenerationOptions, Step};
use sensorllm::input::InputStage;
use sensorllm::model::SensorLlm;
use sensorllm::sampler::SamplerOptions;
use sensorllm::sensor::{Channel, Placement, Window};
use sensorllm::trend::{self, Activity, Exchange, Facts, Family};
use sensorllm::words::{Tokens, Words};

use super::align::{Asked, asked};
use super::augment::vary;
use super::batches::stream;
use super::config::TrainConfig;
use super::examples::{Example, Recordings, Splitted};
use super::stages::WordsSettings;

/// The most tokens of an answer; the trend language's longest are far shorter.
const ANSWER_TOKENS: usize = 200;

/// Keeps the random numbers of the tokenizer's texts apart from those of stages.
const TEXTS: u64 = 0x746f_6b65_6e69_7a65;

/// Share of questions that are about one channel; the others are about all.
const ABOUT_ONE_CHANNEL: f64 = 0.5;

/// Share of grounded questions whose stretch has more than one activity.
const CHANGES: f64 = 0.2;

/// Where questions and answers come from.
pub struct Exchanges<'a> {
    /// The recordings.
    pub data: &'a Splitted,
    config: &'a TrainConfig,
    settings: &'a WordsSettings,
    manifest: &'a Manifest,
    words: Option<&'a Words>,
}

/// A window, a question about it, and what is true of it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The window, varied as for any training.
    pub window: Window,
    /// The placement the model is told.
    pub placement: Placement,
    /// The one channel the question is about, if it is about one.
    pub about: Option<Channel>,
    /// What is true.
    pub facts: Facts,
    /// Question, facts as text, answer.
    pub exchange: Exchange,
    /// The same as tokens.
    pub tokens: Tokens,
}

/// How many stated facts were true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TruthSum {
    /// Facts that answers stated.
    pub stated: usize,
    /// Those that are true.
    pub right: usize,
    /// Statements about a channel that was not measured.
    pub about_absent_channel: usize,
    /// Answers without any statement that could be read.
    pub empty: usize,
    /// Answers.
    pub answers: usize,
}

impl TruthSum {
    /// Share of the stated facts that are true; 0 when nothing was stated.
    pub fn share(&self) -> f64 {
        self.right as f64 / self.stated.max(1) as f64
    }
}

impl<'a> Exchanges<'a> {
    /// Exchanges about the recordings in `data`, for a model with words. Without a tokenizer they have no tokens.
    pub fn new(
        config: &'a TrainConfig,
        settings: &'a WordsSettings,
        manifest: &'a Manifest,
        data: &'a Splitted,
        words: Option<&'a Words>,
    ) -> Self {
        Self { data, config, settings, manifest, words }
    }

    /// Texts that a tokenizer is fitted to.
    pub fn texts(&self, count: usize) -> Vec<String> {
        let mut rng = self.stream(TEXTS, 0, 1);
        let mut texts = Vec::with_capacity(3 * count);
        for example in self.training(TEXTS, 0, count) {
            let about = self.subject(&mut rng);
            let grounded = rng.random_bool(self.settings.grounded);
            let drawn = self.draw(&self.data.train, &example, about, grounded, &mut rng);
            let Exchange { question, sheet, answer, .. } = drawn.exchange;
            texts.extend([question, sheet.text, answer]);
        }
        texts
    }

    /// Random numbers of a stage, epoch and batch.
    pub fn stream(&self, stage: u64, epoch: usize, number: u64) -> ChaCha8Rng {
        stream(self.config.seed ^ stage, epoch, number)
    }

    /// Share of examples whose facts are given.
    pub fn grounded(&self) -> f64 {
        self.settings.grounded
    }

    /// `count` training windows of an epoch, each as rarely twice as can be.
    pub fn training(&self, stage: u64, epoch: usize, count: usize) -> Vec<Example> {
        let mut rng = self.stream(stage, epoch, 0);
        let mut drawn = Vec::with_capacity(count);
        while drawn.len() < count {
            let mut examples = self.data.train.examples(Some(&mut rng));
            if examples.is_empty() {
                break;
            }
            examples.shuffle(&mut rng);
            drawn.extend(examples);
        }
        drawn.truncate(count);
        drawn
    }

    /// About `count` validation windows, spread evenly over all.
    pub fn validation(&self, count: usize) -> Vec<Example> {
        let examples = self.data.validation.examples(None);
        let every = examples.len().div_ceil(count).max(1);
        examples.into_iter().step_by(every).collect()
    }

    /// The channel that questions are about, or none for all of them.
    pub fn subject(&self, rng: &mut ChaCha8Rng) -> Option<Channel> {
        let channels: Vec<_> = self.manifest.channels.iter().filter(|channel| channel.series).collect();
        rng.random_bool(ABOUT_ONE_CHANNEL).then(|| *channels[rng.random_range(0..channels.len())])
    }

    /// What turns windows into input for questions about one channel or all.
    pub fn stage(&self, about: Option<Channel>) -> InputStage {
        match about {
            Some(channel) => InputStage::of_channels(self.manifest, &[channel]),
            None => InputStage::new(self.manifest),
        }
    }

    /// A question about one window, with its facts given or not.
    pub fn draw(
        &self,
        recordings: &Recordings,
        example: &Example,
        about: Option<Channel>,
        grounded: bool,
        rng: &mut ChaCha8Rng,
    ) -> Drawn {
        let varied = vary(recordings, example, &self.config.augmentation, self.manifest, rng);
        let seconds = varied.window.end_seconds - varied.window.start_seconds;
        let activities = match varied.labels.name(self.manifest) {
            Some(_) if grounded && rng.random_bool(CHANGES) => self.changes(seconds, rng),
            Some(label) => {
                let confidence = rng.random_range(0.5..1.0);
                vec![Activity { label, confidence, start: 0.0, end: seconds }]
            }
            None => Vec::new(),
        };
        let facts = Facts::of(&varied.window, self.manifest.window.rate_hz, &activities);
        let exchange = exchange_about(&facts, about, rng);
        // Without its facts an answer's numbers can only be read from the sensors, digit by digit.
        let (facts_text, answer) = match grounded {
            true => (exchange.sheet.text.as_str(), exchange.answer.clone()),
            false => ("", exchange.rendered().unwrap_or_default()),
        };
        let tokens = self.words.map(|words| {
            // The tokenizer has a token for every byte.
            words
                .example(&exchange.question, facts_text, &answer)
                .unwrap_or_else(|error| unreachable!("a byte-level tokenizer encodes every text: {error}"))
        });
        let tokens = tokens.unwrap_or_default();
        Drawn { window: varied.window, placement: varied.placement, about, facts, exchange, tokens }
    }

    /// Two or three activities one after the other, as a longer stretch may have.
    fn changes(&self, seconds: f64, rng: &mut ChaCha8Rng) -> Vec<Activity> {
        let count = rng.random_range(2..=3);
        let mut cuts: Vec<f64> = (1..count).map(|_| rng.random_range(0.1..0.9) * seconds).collect();
        cuts.sort_by(f64::total_cmp);
        let starts = std::iter::once(0.0).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([seconds]);
        starts
            .zip(ends)
            .map(|(start, end)| {
                let label = &self.manifest.labels[rng.random_range(0..self.manifest.labels.len())];
                let confidence = rng.random_range(0.5..1.0);
                Activity { label: label.name.clone(), confidence, start, end }
            })
            .collect()
    }

    /// A batch in parts, each with questions about one channel or about all.
    pub fn parts(
        &self,
        examples: &[Example],
        parts: usize,
        stage: u64,
        epoch: usize,
        index: usize,
    ) -> Vec<(Asked, f32)> {
        let chunks = examples.chunks(examples.len().div_ceil(parts).max(1)).enumerate();
        chunks
            .map(|(part, chunk)| {
                let mut rng = self.stream(stage, epoch, (index * parts + part) as u64 + 1);
                let about = self.subject(&mut rng);
                let mut draw = |example| {
                    let grounded = rng.random_bool(self.settings.grounded);
                    self.draw(&self.data.train, example, about, grounded, &mut rng)
                };
                let drawn: Vec<Drawn> = chunk.iter().map(&mut draw).collect();
                (asked(self, &drawn), chunk.len() as f32 / examples.len() as f32)
            })
            .collect()
    }

    /// Lets a model answer, greedily, and checks what it states. `sensors` says whether it sees the windows.
    ///
    /// # Errors
    /// When a number of the model is not finite.
    pub fn truth(&self, model: &SensorLlm, drawn: &[Drawn], sensors: bool) -> Result<TruthSum> {
        let mut sum = TruthSum::default();
        for drawn in drawn {
            let text = self.answer(model, drawn, sensors)?;
            let truth = trend::check(&trend::parse(&text), &drawn.facts);
            sum.answers += 1;
            sum.stated += truth.stated;
            sum.right += truth.right;
            sum.about_absent_channel += truth.about_absent_channel;
            sum.empty += usize::from(truth.stated == 0);
        }
        Ok(sum)
    }

    /// The model's answer to a drawn question, its numbers filled in.
    ///
    /// # Errors
    /// When a number of the model is not finite.
    pub fn answer(&self, model: &SensorLlm, drawn: &Drawn, sensors: bool) -> Result<String> {
        let prompt = drawn.tokens.ids[..drawn.tokens.answer].to_vec();
        let words = self.words.context("there is no tokenizer yet")?;
        let language = words.language();
        let device = Device::flex();
        let vectors = sensors.then(|| {
            let stage = self.stage(drawn.about);
            let window = stage.window(&drawn.window);
            let input = stage.batch([(&window, drawn.placement)]);
            let encoded = model.encode(&input, &device);
            model.sensor_vectors(&input, encoded)
        });
        // A published tokenizer may need more tokens than the context leaves: the answer is cut off then, not the run.
        let sensed = vectors.iter().flatten().map(|vectors| vectors.dims()[0]).sum::<usize>();
        let room = language.context.saturating_sub(sensed + prompt.len());
        let sampler = SamplerOptions { temperature: 0.0, ..SamplerOptions::default() };
        let options =
            GenerationOptions { max_tokens: ANSWER_TOKENS.min(room), sampler, ignore_stop_ids: false };
        let generation = match vectors {
            Some(vectors) => Generation::after(vectors, language, prompt, &options),
            None => Generation::new(language, prompt, &options),
        };
        let mut generation =
            generation.context("a question and its facts need a larger `context` in `words`")?;
        let decoder = model.decoder().context("the model has no words")?;
        while !matches!(pollster::block_on(generation.step(decoder))?, Step::Finished(_)) {}
        let text = words.tokenizer().decode(generation.tokens(), true)?;
        // A slot that the sheet does not have stays as it is written, and no parser takes it for a fact.
        Ok(drawn.exchange.sheet.render(&text).unwrap_or(text))
    }
}

/// A question of a random family about one channel, or about all of them.
fn exchange_about(facts: &Facts, about: Option<Channel>, rng: &mut ChaCha8Rng) -> Exchange {
    let families: Vec<Family> =
        Family::ALL.into_iter().filter(|family| family.has_channel() == about.is_some()).collect();
    let family = families[rng.random_range(0..families.len())];
    let drawn = trend::exchange(facts, family, rng.random());
    match about {
        None => drawn,
        Some(channel) => {
            let asked = trend::Asked { channel: Some(channel), ..drawn.asked };
            trend::exchange_about(facts, &asked, rng.random())
        }
    }
}
