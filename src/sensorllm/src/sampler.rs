//! Draws the next token from a language model's logits: greedy, temperature, top-k, top-p, repetition penalty.
//!
//! All arithmetic is the processor's basic operations, the exponential included, so the same logits and seed give the same
//! tokens natively and in a browser.

use crate::error::{Error, ErrorKind, Result};

/// How the next token is chosen. The default takes the most likely one, always.
///
/// Applied in the order of the fields below, which is that of `transformers`.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplerOptions {
    /// Weakens the tokens that occur already: positive logits are divided by it, negative ones multiplied. 1 is off.
    pub repetition_penalty: f32,
    /// Divides the logits: below 1 favours likely tokens, above 1 evens them out. 0 takes the most likely token.
    pub temperature: f32,
    /// Draws from this many of the most likely tokens, and those as likely as the last of them. 0 is off.
    pub top_k: usize,
    /// Draws from the fewest most likely tokens that have this much probability together. 1 is off.
    pub top_p: f32,
    /// Where the random numbers start: the same seed draws the same tokens.
    pub seed: u64,
}

impl Default for SamplerOptions {
    fn default() -> Self {
        Self { repetition_penalty: 1.0, temperature: 0.0, top_k: 0, top_p: 1.0, seed: 0 }
    }
}

impl SamplerOptions {
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming the option that is out of its range.
    fn check(&self) -> Result<()> {
        let Self { repetition_penalty, temperature, top_p, .. } = *self;
        if !(repetition_penalty > 0.0 && repetition_penalty.is_finite()) {
            return Err(out_of_range("repetition penalty", repetition_penalty, "above 0; 1 turns it off"));
        }
        if !(temperature >= 0.0 && temperature.is_finite()) {
            return Err(out_of_range(
                "temperature",
                temperature,
                "0 or above; 0 takes the most likely token",
            ));
        }
        if !(0.0..=1.0).contains(&top_p) {
            return Err(out_of_range("top-p", top_p, "from 0 to 1; 1 turns it off"));
        }
        Ok(())
    }
}

fn out_of_range(name: &str, value: f32, range: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("the {name} is {value}"), format!("give a number {range}"))
}

/// Draws tokens; holds the state of the random numbers and the memory it works in.
#[derive(Clone, Debug)]
pub struct Sampler {
    options: SamplerOptions,
    random: SplitMix64,
    /// Bit per token: whether the penalty has been applied to it.
    penalised: Vec<u64>,
    /// Logits among which a rank is sought.
    ranked: Vec<f32>,
    /// The tokens that may be drawn, with their weights.
    candidates: Vec<(u32, f64)>,
}

/// How many of the best tokens are first looked at for top-p; most of the probability is usually in fewer.
const FIRST_LOOK: usize = 128;

impl Sampler {
    /// A sampler at the beginning of its random numbers.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if an option is out of its range.
    pub fn new(options: SamplerOptions) -> Result<Self> {
        options.check()?;
        let random = SplitMix64(options.seed);
        Ok(Self { options, random, penalised: Vec::new(), ranked: Vec::new(), candidates: Vec::new() })
    }

    /// Whether it always takes the most likely token, whatever came before.
    pub fn is_greedy(&self) -> bool {
        self.options.temperature == 0.0 && self.options.repetition_penalty == 1.0
    }

    /// The next token for `logits` (one per token of the vocabulary), which the penalty changes in place. `previous` are the
    /// ids so far, prompt included; only the penalty looks at them.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] if a logit is NaN or positive infinity or all are negative infinity,
    /// [`ErrorKind::InvalidInput`] if a previous id is not in the vocabulary.
    pub fn sample(&mut self, logits: &mut [f32], previous: &[u32]) -> Result<u32> {
        self.penalise(logits, previous)?;
        let largest = largest(logits)?;
        if self.options.temperature == 0.0 {
            return Ok(logits.iter().position(|logit| *logit == largest).unwrap_or(0) as u32);
        }
        self.find_candidates(logits, largest);
        let total: f64 = self.candidates.iter().map(|(_, weight)| weight).sum();
        let mut target = self.random.uniform() * total;
        for (id, weight) in &self.candidates {
            target -= weight;
            if target < 0.0 {
                return Ok(*id);
            }
        }
        // Rounding can leave a remainder; it belongs to the last token that has any weight.
        Ok(self.candidates.iter().rev().find(|(_, weight)| *weight > 0.0).map_or(0, |(id, _)| *id))
    }

    /// The tokens that [`sample`](Self::sample) may draw with their probabilities, most likely first. Draws nothing.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn probabilities(&mut self, logits: &mut [f32], previous: &[u32]) -> Result<Vec<(u32, f32)>> {
        self.penalise(logits, previous)?;
        let largest = largest(logits)?;
        if self.options.temperature == 0.0 {
            let best = logits.iter().position(|logit| *logit == largest).unwrap_or(0);
            return Ok(vec![(best as u32, 1.0)]);
        }
        self.find_candidates(logits, largest);
        let total: f64 = self.candidates.iter().map(|(_, weight)| weight).sum();
        let mut probabilities: Vec<(u32, f32)> =
            self.candidates.iter().map(|(id, weight)| (*id, (weight / total) as f32)).collect();
        probabilities.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(probabilities)
    }

    /// Applies the repetition penalty, once to each token however often it occurs.
    fn penalise(&mut self, logits: &mut [f32], previous: &[u32]) -> Result<()> {
        let penalty = self.options.repetition_penalty;
        if penalty == 1.0 {
            return Ok(());
        }
        self.penalised.clear();
        self.penalised.resize(logits.len().div_ceil(64), 0);
        let rows = logits.len();
        for id in previous.iter().map(|id| *id as usize) {
            let Some(logit) = logits.get_mut(id) else {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("token {id} of the text so far is not in the vocabulary of {rows}"),
                    "encode the prompt with the model's own tokenizer",
                ));
            };
            let bit = 1 << (id % 64);
            if self.penalised[id / 64] & bit == 0 {
                self.penalised[id / 64] |= bit;
                *logit = if *logit < 0.0 { *logit * penalty } else { *logit / penalty };
            }
        }
        Ok(())
    }

    /// Leaves in `candidates` the tokens that top-k and top-p let through, with the weights `exp((logit - largest) /
    /// temperature)`.
    fn find_candidates(&mut self, logits: &[f32], largest: f32) {
        let temperature = f64::from(self.options.temperature);
        let weight = |logit: f32| exp(f64::from(logit - largest) / temperature);
        let limit = match self.options.top_k {
            0 => logits.len(),
            k => k.min(logits.len()),
        };
        let lowest = self.ranked_logit(logits, limit);
        let top_p = f64::from(self.options.top_p);
        if top_p == 1.0 {
            self.candidates.clear();
            self.candidates.extend(at_least(logits, lowest).map(|(id, logit)| (id, weight(logit))));
            return;
        }
        let total: f64 = at_least(logits, lowest).map(|(_, logit)| weight(logit)).sum();
        let mut look = FIRST_LOOK;
        loop {
            let threshold = if look < limit { self.ranked_logit(logits, look) } else { lowest };
            self.candidates.clear();
            self.candidates.extend(at_least(logits, threshold).map(|(id, logit)| (id, f64::from(logit))));
            self.candidates.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            // A token stays if those before it do not have the wanted probability yet; the first always stays.
            let mut before = 0.0;
            let mut kept = 0;
            for (_, value) in &mut self.candidates {
                if kept > 0 && before >= top_p * total {
                    break;
                }
                *value = weight(*value as f32);
                before += *value;
                kept += 1;
            }
            if before >= top_p * total || look >= limit {
                self.candidates.truncate(kept);
                return;
            }
            look *= 8;
        }
    }

    /// The `rank`-th largest logit, or negative infinity if all logits rank as high. Takes one pass: only the best are kept
    /// on the way, and thinned out whenever they are twice as many as needed.
    fn ranked_logit(&mut self, logits: &[f32], rank: usize) -> f32 {
        let descending = |a: &f32, b: &f32| b.total_cmp(a);
        if rank >= logits.len() {
            return f32::NEG_INFINITY;
        }
        let best = &mut self.ranked;
        best.clear();
        let mut threshold = f32::NEG_INFINITY;
        for logit in logits {
            if *logit > threshold {
                best.push(*logit);
                if best.len() == 2 * rank {
                    threshold = *best.select_nth_unstable_by(rank - 1, descending).1;
                    best.truncate(rank);
                }
            }
        }
        if best.len() < rank {
            return f32::NEG_INFINITY;
        }
        *best.select_nth_unstable_by(rank - 1, descending).1
    }
}

/// The tokens whose logit is at least `threshold`; never those that are impossible.
fn at_least(logits: &[f32], threshold: f32) -> impl Iterator<Item = (u32, f32)> {
    let numbered = logits.iter().enumerate();
    numbered
        .filter(move |(_, logit)| **logit >= threshold && **logit > f32::NEG_INFINITY)
        .map(|(id, logit)| (id as u32, *logit))
}

/// The largest logit, once all are known to be usable.
fn largest(logits: &[f32]) -> Result<f32> {
    let mut largest = f32::NEG_INFINITY;
    let mut usable = true;
    for logit in logits {
        // False for NaN as well.
        usable &= *logit < f32::INFINITY;
        largest = if *logit > largest { *logit } else { largest };
    }
    if usable && largest > f32::NEG_INFINITY {
        return Ok(largest);
    }
    let what = match logits.iter().position(|logit| logit.is_nan()) {
        Some(id) => format!("the model's output is NaN: the logit of token {id}"),
        None if !usable => "the model's output is infinite".to_owned(),
        None => "the model's output leaves no token possible".to_owned(),
    };
    Err(Error::new(
        ErrorKind::Weights,
        what,
        "check the weights; they may be damaged or too large for their format",
    ))
}

/// `e^x` for x of 0 and below, to 11 digits, in basic operations only: the platforms' own functions differ in the last digit,
/// which would now and then draw another token.
fn exp(x: f64) -> f64 {
    // Below, the result is too small to ever be drawn.
    if x < -700.0 {
        return 0.0;
    }
    let power = (x * std::f64::consts::LOG2_E - 0.5) as i32;
    let rest = x - f64::from(power) * std::f64::consts::LN_2;
    // Taylor series, for |rest| of at most ln 2 / 2; multiplying by the inverse is much faster than dividing.
    const INVERSE: [f64; 9] =
        [1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0, 1.0 / 6.0, 1.0 / 7.0, 1.0 / 8.0, 1.0 / 9.0];
    let mut series = 1.0;
    for inverse in INVERSE.iter().rev() {
        series = 1.0 + series * (rest * inverse);
    }
    series * f64::from_bits(((power + 1023) as u64) << 52)
}

/// The random numbers: SplitMix64 (Steele, Lea and Flood 2014), a counter whose value is scrambled. Any seed is good.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(pub u64);

impl SplitMix64 {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below 1, of 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number from 0 to below `count`, which is at least 1.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }
}

#[cfg(test)]
mod tests;
