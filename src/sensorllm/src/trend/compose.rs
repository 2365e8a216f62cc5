//! Writes a sheet and the answer that goes with it: numbers become slots of the sheet as facts are told, and clauses are drawn and
//! joined into sentences.

use super::clause::{Clause, patterns_of};
use super::lexicon;
use super::pattern::Pattern;
use super::segment::{Segment, Trend};
use super::sheet::{Sheet, Value};
use crate::sampler::SplitMix64;
use crate::sensor::Channel;

/// More segments than this are usually summed up, not listed.
pub const LISTED: usize = 8;

/// Fields of a clause with their words.
pub type Fields = Vec<(&'static str, String)>;

/// A sheet and an answer in the making.
pub struct Composer<'r> {
    /// Draws the wording.
    pub random: &'r mut SplitMix64,
    /// More segments than this are summed up, not listed.
    pub listed: usize,
    facts: Vec<String>,
    values: Vec<Value>,
    sentences: Vec<String>,
    style: [usize; 2],
    phrase: usize,
}

impl<'r> Composer<'r> {
    /// An empty sheet and answer; the words for trends and for the channel are drawn once for the whole answer.
    pub fn new(random: &'r mut SplitMix64) -> Self {
        let style = [random.below(lexicon::STYLES), random.below(lexicon::STYLES)];
        let phrase = random.below(lexicon::CHANNEL_PHRASES);
        Self {
            random,
            listed: LISTED,
            facts: Vec::new(),
            values: Vec::new(),
            sentences: Vec::new(),
            style,
            phrase,
        }
    }

    /// Adds words to the sheet.
    pub fn fact(&mut self, words: impl Into<String>) {
        self.facts.push(words.into());
    }

    /// A new slot for `value`, to be written in the sheet and the answer.
    pub fn slot(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("<{}>", self.values.len() - 1)
    }

    /// A count: one and none in words, so that who reads the sheet knows the grammar, others as a slot.
    pub fn count(&mut self, count: usize) -> String {
        lexicon::count_word(count).map_or_else(|| self.slot(Value::Count(count)), str::to_owned)
    }

    /// Whether a coin shows heads.
    pub fn coin(&mut self) -> bool {
        self.random.below(2) == 0
    }

    /// The channel as this answer calls it.
    pub fn channel(&self, channel: Channel) -> String {
        lexicon::channel_phrase(channel, self.phrase)
    }

    /// The fields of a trend's words, for `count` segments of it.
    pub fn trend(&self, trend: Trend, count: usize) -> Fields {
        let style = self.style[usize::from(trend == Trend::Steady)];
        vec![
            ("verb", lexicon::verb(trend, style).to_owned()),
            ("a_noun", lexicon::a_noun(trend, style).to_owned()),
            ("nouns", lexicon::nouns(trend, style, count).to_owned()),
            ("adjective", lexicon::adjective(trend, style).to_owned()),
            ("ending", lexicon::ending(trend).to_owned()),
            ("altogether", if count == 1 { "" } else { lexicon::ALTOGETHER[self.style[0] % 2] }.to_owned()),
            ("take", if count == 1 { "takes" } else { "take" }.to_owned()),
        ]
    }

    /// Puts a segment's start, end and duration into the sheet; gives the fields that say it.
    pub fn segment(&mut self, segment: &Segment, seconds: impl Fn(usize) -> Value) -> Fields {
        let mut fields = self.trend(segment.trend, 1);
        for (name, rows) in [("start", segment.start), ("end", segment.end), ("duration", segment.rows())] {
            fields.push((name, self.slot(seconds(rows))));
        }
        let [start, end, duration] = [7, 8, 9].map(|index| fields[index].1.as_str());
        let fact = format!("{} {start} {end} {duration}", segment.trend);
        self.fact(fact);
        fields
    }

    /// The fields that refer to the channel that was named before.
    pub fn it(&mut self) -> Fields {
        let it = ["it", "it", "the signal"][self.random.below(3)].to_owned();
        vec![("subject", it.clone()), ("it", it), ("its", "its".to_owned())]
    }

    /// One of the wordings of `clause` for which `fields` has all the words.
    pub fn say(&mut self, clause: Clause, fields: &Fields) -> String {
        let known = |name: &str| fields.iter().any(|(field, _)| *field == name);
        let patterns = patterns_of(clause).filter(|pattern| pattern.has_only(&known));
        let ways: usize = patterns.clone().map(Pattern::wordings).sum();
        let mut drawn = self.random.below(ways.max(1));
        for pattern in patterns {
            if drawn < pattern.wordings() {
                return self.word(pattern, fields);
            }
            drawn -= pattern.wordings();
        }
        String::new()
    }

    /// `pattern` with the words of `fields`.
    pub fn word(&mut self, pattern: &Pattern, fields: &Fields) -> String {
        let words =
            |name: &str| fields.iter().find(|(field, _)| *field == name).map_or("", |(_, words)| words);
        pattern.expand(self.random, &|name| words(name).to_owned())
    }

    /// Adds a whole sentence to the answer.
    pub fn sentence(&mut self, text: impl Into<String>) {
        self.sentences.push(text.into());
    }

    /// Goes on with the last sentence.
    pub fn and(&mut self, connective: &str, text: &str) {
        if let Some(last) = self.sentences.last_mut() {
            last.push_str(connective);
            last.push_str(text);
        }
    }

    /// Goes on with the last sentence, after a comma or not.
    pub fn aside(&mut self, text: &str) {
        let connective = if self.coin() { " , " } else { " " };
        self.and(connective, text);
    }

    /// The sheet and the answer, with slots.
    pub fn finish(self) -> (Sheet, String) {
        let sentences: Vec<String> = self.sentences.iter().map(|words| sentence(words)).collect();
        (Sheet { text: self.facts.join(" ; "), values: self.values }, sentences.join(" "))
    }
}

/// Words as a sentence: a capital letter, marks at their words, a full stop.
pub fn sentence(words: &str) -> String {
    let mut text = String::new();
    for word in words.split_whitespace() {
        if !text.is_empty() && !matches!(word, "," | "." | ":" | ";" | "?") {
            text.push(' ');
        }
        text.push_str(if word == "i" { "I" } else { word });
    }
    if let Some(first) = text.get(..1) {
        text.replace_range(..1, &first.to_uppercase());
    }
    if !text.ends_with(['.', '?']) {
        text.push('.');
    }
    text
}
