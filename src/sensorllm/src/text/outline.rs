//! The parts of a `tokenizer.json` that are looked at before the library reads the whole: so that errors name what is wrong,
//! and because the library takes some malformed files and panics on the first text.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A `tokenizer.json` without its vocabulary.
#[derive(Deserialize)]
pub(super) struct Outline {
    model: Option<Model>,
    #[serde(default)]
    pub(super) added_tokens: Vec<AddedToken>,
    #[serde(default)]
    post_processor: serde_json::Value,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Option<IgnoredAny>,
    continuing_subword_prefix: Option<String>,
}

/// A token outside the vocabulary proper.
#[derive(Deserialize)]
pub(super) struct AddedToken {
    pub(super) id: u32,
    pub(super) content: String,
}

impl Outline {
    /// Reads the outline, or tells what is wrong with the file.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        let outline: Self = serde_json::from_slice(json).map_err(|error| {
            let what = if error.is_data() { "is not a tokenizer" } else { "is not JSON" };
            format!("{what}: {error}")
        })?;
        outline.check()?;
        Ok(outline)
    }

    fn check(&self) -> Result<(), String> {
        let model = self.model.as_ref().ok_or("has no \"model\"")?;
        // Files written before 2021 have no type; the library tells them apart by their other entries.
        let kind = model.kind.as_deref().unwrap_or("BPE");
        if !["BPE", "WordPiece", "WordLevel", "Unigram"].contains(&kind) {
            return Err(format!("has a model of unknown type \"{kind}\""));
        }
        if model.vocab.is_none() {
            return Err("has a model without a \"vocab\"".to_owned());
        }
        // The library cuts the prefix off every merge, whether it is there or not.
        if kind == "BPE" && model.continuing_subword_prefix.as_ref().is_some_and(|prefix| !prefix.is_empty())
        {
            return Err(
                "has a BPE model with a prefix for continued words, which is not supported".to_owned()
            );
        }
        check_templates(&self.post_processor)
    }
}

/// Checks that templates of a post-processor, alone or in a sequence, use only the tokens they define and, for one text,
/// only that text.
fn check_templates(processor: &serde_json::Value) -> Result<(), String> {
    let list = |name: &str| processor[name].as_array().into_iter().flatten();
    list("processors").try_for_each(check_templates)?;
    for piece in list("single").chain(list("pair")) {
        if let Some(token) = piece["SpecialToken"]["id"].as_str()
            && processor["special_tokens"].get(token).is_none()
        {
            return Err(format!("has a post-processor with the undefined token \"{token}\""));
        }
    }
    if list("single").any(|piece| piece["Sequence"]["id"].as_str().is_some_and(|id| id != "A")) {
        return Err("has a post-processor whose template for one text uses a second".to_owned());
    }
    Ok(())
}
