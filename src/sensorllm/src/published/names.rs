//! One table per architecture: our parameter paths and the names the same tensors are published under.

use std::collections::HashSet;

use super::source::{TensorSource, source_error};
use crate::error::Result;
use crate::weights::Parameter;

/// Which part of a published tensor a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// One of the row ranges that a token table is split into; the number in the path says which.
    Rows,
    /// One row of it, as a vector.
    Row(usize),
}

/// One line of a table: our path, the published name (`{}` stands for the same number in both), and the part.
pub type Line = (&'static str, &'static str, Part);

/// The table of an architecture.
#[derive(Clone, Debug)]
pub struct Names {
    /// What to find where.
    pub lines: Vec<Line>,
    /// Whether what the table has no line for is published under our own path.
    pub own: bool,
    /// Beginnings of published names that are of no use here, such as a decoder.
    pub unused: &'static [&'static str],
}

/// Where a parameter is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the published tensor.
    pub name: String,
    /// Which part of it.
    pub part: Part,
    /// The number in our path, if it has one.
    pub number: usize,
}

impl Names {
    /// For tensors that bear our own paths.
    pub fn own() -> Self {
        Self { lines: Vec::new(), own: true, unused: &[] }
    }

    /// Where the parameter at `path` is published.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Weights`](crate::ErrorKind::Weights) when the table has no line for it.
    pub fn place(&self, path: &str) -> Result<Place> {
        let found = self.lines.iter().find_map(|(ours, theirs, part)| {
            let number = number(ours, path)?;
            let name = match part {
                Part::Whole => theirs.replace("{}", &number.to_string()),
                Part::Rows | Part::Row(_) => (*theirs).to_owned(),
            };
            Some(Place { name, part: *part, number })
        });
        let own = || self.own.then(|| Place { name: path.to_owned(), part: Part::Whole, number: 0 });
        found
            .or_else(own)
            .ok_or_else(|| source_error(format!("no published name is known for the parameter {path}")))
    }

    /// Checks that the source has exactly the tensors that the parameters need, in their shapes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Weights`](crate::ErrorKind::Weights) naming the first missing, surplus or wrongly shaped tensor.
    pub fn check(&self, parameters: &[Parameter], source: &dyn TensorSource) -> Result<()> {
        let mut used = HashSet::new();
        for parameter in parameters {
            let place = self.place(&parameter.path)?;
            let info = source
                .info(&place.name)
                .ok_or_else(|| source_error(format!("the checkpoint has no tensor {}", place.name)))?;
            let mut expected = parameter.shape.clone();
            if parameter.linear {
                expected.reverse();
            }
            let fits = match place.part {
                Part::Whole => info.shape == expected,
                Part::Rows => info.shape.len() == 2 && info.shape[1] == expected[1],
                Part::Row(row) => {
                    info.shape.len() == 2 && row < info.shape[0] && info.shape[1..] == expected[..]
                }
            };
            if !fits {
                return Err(source_error(format!(
                    "tensor {} has shape {:?}, its config.json asks for {expected:?}",
                    place.name, info.shape
                )));
            }
            used.insert(place.name);
        }
        let surplus = source
            .names()
            .into_iter()
            .find(|name| !used.contains(name) && !self.unused.iter().any(|start| name.starts_with(start)));
        match surplus {
            Some(name) => {
                Err(source_error(format!("the checkpoint has a tensor this architecture does not: {name}")))
            }
            None => Ok(()),
        }
    }
}

/// The number that stands for `{}` when `path` has the form `pattern`; 0 when the pattern has none.
fn number(pattern: &str, path: &str) -> Option<usize> {
    match pattern.split_once("{}") {
        Some((start, end)) => path.strip_prefix(start)?.strip_suffix(end)?.parse().ok(),
        None => (pattern == path).then_some(0),
    }
}

/// Llama, Qwen2 and Qwen3 as Hugging Face's classes `LlamaForCausalLM`, `Qwen2ForCausalLM` and `Qwen3ForCausalLM` name their tensors.
pub fn llama() -> Names {
    use Part::{Rows, Whole};
    let lines = vec![
        ("language.embedding.parts.{}.weight", "model.embed_tokens.weight", Rows),
        ("language.output.parts.{}.weight", "lm_head.weight", Rows),
        ("language.llm.norm.weight", "model.norm.weight", Whole),
        ("language.llm.blocks.{}.attention_norm.weight", "model.layers.{}.input_layernorm.weight", Whole),
        ("language.llm.blocks.{}.mlp_norm.weight", "model.layers.{}.post_attention_layernorm.weight", Whole),
        ("language.llm.blocks.{}.attention.q.weight", "model.layers.{}.self_attn.q_proj.weight", Whole),
        ("language.llm.blocks.{}.attention.k.weight", "model.layers.{}.self_attn.k_proj.weight", Whole),
        ("language.llm.blocks.{}.attention.v.weight", "model.layers.{}.self_attn.v_proj.weight", Whole),
        ("language.llm.blocks.{}.attention.o.weight", "model.layers.{}.self_attn.o_proj.weight", Whole),
        ("language.llm.blocks.{}.attention.q.bias", "model.layers.{}.self_attn.q_proj.bias", Whole),
        ("language.llm.blocks.{}.attention.k.bias", "model.layers.{}.self_attn.k_proj.bias", Whole),
        ("language.llm.blocks.{}.attention.v.bias", "model.layers.{}.self_attn.v_proj.bias", Whole),
        ("language.llm.blocks.{}.attention.q_norm.weight", "model.layers.{}.self_attn.q_norm.weight", Whole),
        ("language.llm.blocks.{}.attention.k_norm.weight", "model.layers.{}.self_attn.k_norm.weight", Whole),
        ("language.llm.blocks.{}.mlp.gate.weight", "model.layers.{}.mlp.gate_proj.weight", Whole),
        ("language.llm.blocks.{}.mlp.up.weight", "model.layers.{}.mlp.up_proj.weight", Whole),
        ("language.llm.blocks.{}.mlp.down.weight", "model.layers.{}.mlp.down_proj.weight", Whole),
    ];
    Names { lines, own: false, unused: &[] }
}
