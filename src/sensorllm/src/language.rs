//! A language model over token ids: token table, Llama, and the map to logits.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::kernels;
use crate::llama::{KvCache, Llama, LlamaConfig};
use crate::weights::{Linear, LinearConfig, QuantisedMatrix, linears};

/// Weights of a token table that are kept together. A table of 150,000 rows would pass WebGPU's limit for one buffer, and the
/// limit for one file of a model folder.
const PART: usize = 12 << 20;

/// Rows of a part of a token table of width `d_model`: a multiple of 64.
pub(crate) fn rows_per_part(d_model: usize) -> usize {
    (PART / d_model.max(1) / 64).max(1) * 64
}

/// Configuration of a language model over token ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageConfig {
    /// Rows of the token table.
    pub vocabulary: usize,
    /// Whether logits are computed with the token table itself.
    pub tied: bool,
    /// The most positions the model was made for.
    pub context: usize,
    /// Ids after which the model has no more to say.
    pub stop_ids: Vec<u32>,
    /// The model between token vectors and hidden states.
    pub llm: LlamaConfig,
}

/// A language model: token ids in, logits out.
#[derive(Module, Debug)]
pub struct LanguageModel {
    /// A vector per token.
    pub embedding: TokenTable,
    /// The model.
    pub llm: Llama,
    /// What turns hidden states into logits, unless the token table does.
    pub output: Option<TokenTable>,
}

/// A matrix with a row per token, in parts of some rows each.
#[derive(Module, Debug)]
pub struct TokenTable {
    parts: Vec<Linear>,
}

linears!(LanguageModel: embedding, llm, output);
linears!(TokenTable: parts);

impl LanguageConfig {
    /// A model with random weights.
    pub fn init(&self, device: &Device) -> LanguageModel {
        let table = || TokenTable::new(self.vocabulary, self.llm.d_model, device);
        LanguageModel { embedding: table(), llm: self.llm.init(device), output: (!self.tied).then(table) }
    }

    /// Checks that all of a prompt's ids are in the vocabulary, and that it fits the context together with what follows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Prompt`].
    pub fn check_prompt(&self, ids: &[u32], new_tokens: usize) -> Result<()> {
        let problem = if ids.is_empty() {
            "the prompt is empty".to_owned()
        } else if let Some(id) = ids.iter().find(|id| **id as usize >= self.vocabulary) {
            format!("token {id} is not in the model's vocabulary of {}", self.vocabulary)
        } else if ids.len() + new_tokens > self.context {
            format!(
                "a prompt of {} tokens and {new_tokens} new ones do not fit the model's context of {}",
                ids.len(),
                self.context
            )
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Prompt, problem, "shorten the prompt or ask for fewer tokens"))
    }
}

/// What a sequence of tokens is continued with: the parts of a [`LanguageModel`], or of another model that writes text.
#[derive(Clone, Copy)]
pub struct Decoder<'a> {
    /// A vector per token.
    pub embedding: &'a TokenTable,
    /// The model.
    pub llm: &'a Llama,
    /// What turns hidden states into logits.
    pub output: &'a TokenTable,
}

impl Decoder<'_> {
    /// Continues the sequence in `cache` by `ids` and returns their hidden states, `[ids, d_model]`.
    pub fn hidden(&self, ids: &[u32], cache: &mut KvCache) -> Tensor<2> {
        self.last_hidden(ids, ids.len(), cache)
    }

    /// Continues the sequence in `cache` by `ids` and returns the hidden states of the last `wanted` of them, `[wanted, d_model]`.
    pub fn last_hidden(&self, ids: &[u32], wanted: usize, cache: &mut KvCache) -> Tensor<2> {
        // Positions first: they are written to the device, which on WebGPU ends a command buffer once a kernel is in it.
        let positions = self.llm.positions(1, ids.len(), 0, cache);
        let vectors = self.embedding.rows(ids);
        self.llm.forward_at(vectors.unsqueeze_dim(0), wanted, &positions, cache).squeeze_dim(0)
    }

    /// The likeliest token after `id`, and the likeliest after that: both in one piece of work for the GPU, which need not wait until
    /// the first has been read. Continues the sequence in `cache` by `id` and the first of them. `None`, and nothing done, where
    /// the token table is not on the GPU.
    ///
    /// # Shapes
    ///
    /// - output: `[2]`
    pub(crate) fn likeliest_two(&self, id: u32, cache: &mut KvCache) -> Option<Tensor<1, Int>> {
        if !self.embedding.is_on_gpu() {
            return None;
        }
        // What is written to the device comes first, as in `last_hidden`.
        let [now, next] = [0, 1].map(|ahead| self.llm.positions(1, 1, ahead, cache));
        let vectors = self.embedding.gather(&[id])?;
        let chosen = Tensor::empty([2], &vectors.device());
        let mut choose = |vectors: Tensor<2>, positions, number| {
            let hidden = self.llm.forward_at(vectors.unsqueeze_dim(0), 1, positions, cache);
            kernels::argmax_into(&self.logits(hidden.squeeze_dim(0)), &chosen, number).then_some(())
        };
        choose(vectors, &now, 0)?;
        choose(self.embedding.gather_chosen(&chosen, 1)?, &next, 1)?;
        Some(chosen)
    }

    /// Continues the sequence in `cache` by vectors in place of tokens; input and output `[length, d_model]`.
    pub fn hidden_of(&self, vectors: Tensor<2>, cache: &mut KvCache) -> Tensor<2> {
        self.llm.forward(vectors.unsqueeze_dim(0), cache).squeeze_dim(0)
    }

    /// Logits of every token.
    ///
    /// # Shapes
    ///
    /// - hidden: `[n, d_model]`
    /// - output: `[n, vocabulary]`
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.output.logits(hidden)
    }
}

impl LanguageModel {
    /// What its sequences are continued with.
    pub fn decoder(&self) -> Decoder<'_> {
        let output = self.output.as_ref().unwrap_or(&self.embedding);
        Decoder { embedding: &self.embedding, llm: &self.llm, output }
    }

    /// Continues the sequence in `cache` by `ids` and returns their hidden states, `[ids, d_model]`.
    pub fn hidden(&self, ids: &[u32], cache: &mut KvCache) -> Tensor<2> {
        self.decoder().hidden(ids, cache)
    }

    /// Logits of every token, `[n, vocabulary]`, from hidden states `[n, d_model]`.
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.decoder().logits(hidden)
    }

    /// Rows of the token table.
    pub fn vocabulary(&self) -> usize {
        self.embedding.rows_in_all()
    }
}

impl TokenTable {
    /// A table with random rows.
    pub fn new(rows: usize, d_model: usize, device: &Device) -> Self {
        let per_part = rows_per_part(d_model);
        let part = |first| LinearConfig::new(d_model, per_part.min(rows - first)).init(device);
        Self { parts: (0..rows).step_by(per_part).map(part).collect() }
    }

    /// The table with new rows after its own, each the mean of all: a token that the model has not met is then no likelier and no
    /// rarer than others. For a table in full precision.
    pub fn extended_to(&self, rows: usize) -> Self {
        let known = joined(self.parts.iter().map(|part| part.weight.val()).collect(), 1);
        let [d_model, count] = known.dims();
        if rows <= count {
            return self.clone();
        }
        let mut table = Self::new(rows, d_model, &known.device());
        let mean = known.clone().mean_dim(1).expand([d_model, rows - count]);
        let all = Tensor::cat(vec![known, mean], 1);
        let mut first = 0;
        for part in &mut table.parts {
            let count = part.d_output();
            part.weight = Param::from_tensor(all.clone().narrow(1, first, count));
            first += count;
        }
        table
    }

    /// Number of rows.
    pub fn rows_in_all(&self) -> usize {
        self.parts.iter().map(Linear::d_output).sum()
    }

    /// The vectors of some tokens, `[ids, d_model]`.
    pub fn rows(&self, ids: &[u32]) -> Tensor<2> {
        if let Some(rows) = self.gather(ids) {
            return rows;
        }
        let per_part = self.parts.first().map_or(1, Linear::d_output).max(1);
        let part = |id: u32| id as usize / per_part;
        let runs = ids.chunk_by(|a, b| part(*a) == part(*b)).map(|run| {
            let index = part(run[0]).min(self.parts.len() - 1);
            let ids: Vec<u32> = run.iter().map(|id| id - (index * per_part) as u32).collect();
            self.parts[index].output_vectors(&ids)
        });
        joined(runs.collect(), 0)
    }

    /// Products of hidden states `[n, d_model]` with every row, `[n, rows]`.
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        if let Some(parts) = self.quantised() {
            let parts: Vec<_> = parts.into_iter().map(|part| (part, None)).collect();
            if let Some(logits) = QuantisedMatrix::matmul_joined(&parts, &hidden) {
                return logits;
            }
        }
        joined(self.parts.iter().map(|part| part.forward(hidden.clone())).collect(), 1)
    }
}

impl TokenTable {
    fn is_on_gpu(&self) -> bool {
        self.quantised().is_some_and(|parts| parts.iter().all(|part| part.is_on_gpu()))
    }

    /// The vectors of some tokens, by one kernel; `None` unless the table is on the GPU.
    fn gather(&self, ids: &[u32]) -> Option<Tensor<2>> {
        QuantisedMatrix::gather(&self.quantised()?, ids)
    }

    /// The same for the first `count` of tokens that a kernel has chosen.
    fn gather_chosen(&self, ids: &Tensor<1, Int>, count: usize) -> Option<Tensor<2>> {
        QuantisedMatrix::gather_chosen(&self.quantised()?, ids, count)
    }

    /// The parts in 8 or 4 bits, if all are.
    fn quantised(&self) -> Option<Vec<&QuantisedMatrix>> {
        self.parts.iter().map(Linear::quantised).collect()
    }
}

fn joined(mut parts: Vec<Tensor<2>>, axis: usize) -> Tensor<2> {
    if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, axis) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_tokens_start_at_the_mean_of_all() {
        let device = Device::flex();
        // Parts of 64 rows.
        let d_model = PART / 64;
        let table = TokenTable::new(65, d_model, &device);
        let larger = table.extended_to(129);
        assert_eq!(larger.rows_in_all(), 129);
        let ids: Vec<u32> = (0..65).collect();
        let known = table.rows(&ids);
        larger.rows(&ids).into_data().assert_eq(&known.clone().into_data(), true);
        let mean = known.mean_dim(0).into_data();
        for id in [65, 127, 128] {
            larger
                .rows(&[id])
                .into_data()
                .assert_approx_eq::<f32>(&mean, burn::tensor::Tolerance::absolute(1e-5));
        }
        assert_eq!(table.extended_to(5).rows_in_all(), 65, "none is taken away");
    }
}
