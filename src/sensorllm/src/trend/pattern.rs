//! Patterns of words that work both ways: expanded into one of their wordings, and matched against words to read them back.
//!
//! `(it|the signal) (only|) {verb} for {total} seconds`: words stand for themselves, `(a|b)` for one of its alternatives (an empty one
//! makes it optional), `{name}` for a field, whose words the [`lexicon`](super::lexicon) knows.

use super::lexicon::{Meaning, meanings};
use crate::sampler::SplitMix64;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// A word or a punctuation mark.
    Word(String),
    /// A field, by name.
    Field(String),
    /// One of several sequences.
    Choice(Vec<Vec<Part>>),
}

/// A pattern, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Vec<Part>);

/// A field of a matched pattern with what its words mean.
pub type Capture = (String, Meaning);

impl Pattern {
    /// Reads a pattern. A bracket without its partner is read as if it were there: patterns are constants, and a test reads
    /// them all.
    pub fn new(text: &str) -> Self {
        let mut symbols = Vec::new();
        for piece in text.split_inclusive(['(', '|', ')']) {
            let (words, mark) = match piece.char_indices().last() {
                Some((at, mark @ ('(' | '|' | ')'))) => (&piece[..at], Some(mark)),
                _ => (piece, None),
            };
            symbols.extend(words.split_whitespace().map(str::to_owned));
            symbols.extend(mark.map(String::from));
        }
        let mut alternatives = read(&mut symbols.iter().map(String::as_str));
        Self(match alternatives.len() {
            1 => alternatives.remove(0),
            _ => vec![Part::Choice(alternatives)],
        })
    }

    /// In how many ways it can be worded, not counting the ways to word its fields.
    pub fn wordings(&self) -> usize {
        wordings(&self.0)
    }

    /// Whether `known` has all fields of it, whichever wording is drawn.
    pub fn has_only(&self, known: &dyn Fn(&str) -> bool) -> bool {
        has_only(&self.0, known)
    }

    /// One of its wordings, each equally likely; `field` gives the words of a field.
    pub fn expand(&self, random: &mut SplitMix64, field: &dyn Fn(&str) -> String) -> String {
        let mut words = Vec::new();
        expand(&self.0, random, field, &mut words);
        words.join(" ")
    }

    /// The most words from the beginning of `words` that it can be read as, with its fields.
    pub fn matched(&self, words: &[&str]) -> Option<(usize, Vec<Capture>)> {
        let mut search = Search { words, captures: Vec::new(), best: None };
        search.run(Some(&Rest { parts: &self.0, next: None }), 0);
        search.best
    }
}

/// The alternatives up to the closing bracket or the end.
fn read<'a>(symbols: &mut impl Iterator<Item = &'a str>) -> Vec<Vec<Part>> {
    let mut alternatives = vec![Vec::new()];
    while let Some(symbol) = symbols.next() {
        let part = match symbol {
            ")" => break,
            "|" => {
                alternatives.push(Vec::new());
                continue;
            }
            "(" => Part::Choice(read(symbols)),
            _ => match symbol.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => Part::Field(name.to_owned()),
                None => Part::Word(symbol.to_owned()),
            },
        };
        if let Some(last) = alternatives.last_mut() {
            last.push(part);
        }
    }
    alternatives
}

fn has_only(parts: &[Part], known: &dyn Fn(&str) -> bool) -> bool {
    parts.iter().all(|part| match part {
        Part::Word(_) => true,
        Part::Field(name) => known(name),
        Part::Choice(alternatives) => alternatives.iter().all(|parts| has_only(parts, known)),
    })
}

fn wordings(parts: &[Part]) -> usize {
    let ways = |part: &Part| match part {
        Part::Choice(alternatives) => alternatives.iter().map(|parts| wordings(parts)).sum(),
        Part::Word(_) | Part::Field(_) => 1,
    };
    parts.iter().map(ways).product()
}

fn expand(parts: &[Part], random: &mut SplitMix64, field: &dyn Fn(&str) -> String, words: &mut Vec<String>) {
    for part in parts {
        match part {
            Part::Word(word) => words.push(word.clone()),
            Part::Field(name) => words.push(field(name)),
            Part::Choice(alternatives) => {
                let total = alternatives.iter().map(|parts| wordings(parts)).sum();
                let mut drawn = random.below(total);
                for alternative in alternatives {
                    let ways = wordings(alternative);
                    if drawn < ways {
                        expand(alternative, random, field, words);
                        break;
                    }
                    drawn -= ways;
                }
            }
        }
    }
}

/// What is still to be matched: the rest of a sequence, then the rest of those it is inside of.
struct Rest<'a> {
    parts: &'a [Part],
    next: Option<&'a Rest<'a>>,
}

struct Search<'a> {
    words: &'a [&'a str],
    captures: Vec<Capture>,
    best: Option<(usize, Vec<Capture>)>,
}

impl Search<'_> {
    /// Tries every way to read the words from `at` on as `rest` and keeps the longest.
    fn run(&mut self, rest: Option<&Rest<'_>>, at: usize) {
        let Some(Rest { parts, next }) = rest else {
            if self.best.as_ref().is_none_or(|(length, _)| at > *length) {
                self.best = Some((at, self.captures.clone()));
            }
            return;
        };
        let Some((part, parts)) = parts.split_first() else {
            return self.run(*next, at);
        };
        let after = Rest { parts, next: *next };
        match part {
            Part::Word(word) => {
                if self.words.get(at).is_some_and(|found| found.eq_ignore_ascii_case(word)) {
                    self.run(Some(&after), at + 1);
                }
            }
            Part::Choice(alternatives) => {
                for alternative in alternatives {
                    self.run(Some(&Rest { parts: alternative, next: Some(&after) }), at);
                }
            }
            Part::Field(name) => {
                for (length, meaning) in meanings(name, &self.words[at..]) {
                    self.captures.push((name.clone(), meaning));
                    self.run(Some(&after), at + length);
                    self.captures.pop();
                }
            }
        }
    }
}

/// The words and punctuation marks of a text, lower-cased; numbers are one word, and marks stand alone.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for piece in text.split_whitespace() {
        let mut piece = piece.to_lowercase();
        let mut marks = Vec::new();
        while let Some(mark) = piece.chars().last().filter(|mark| ".,;:?!".contains(*mark)) {
            piece.pop();
            marks.push(mark.to_string());
        }
        if !piece.is_empty() {
            words.push(piece);
        }
        words.extend(marks.into_iter().rev());
    }
    words
}

#[cfg(test)]
impl Pattern {
    /// Every wording, with fields as they are.
    pub fn every(&self) -> Vec<String> {
        every(&self.0)
    }
}

#[cfg(test)]
fn every(parts: &[Part]) -> Vec<String> {
    let Some((part, rest)) = parts.split_first() else { return vec![String::new()] };
    let ways = match part {
        Part::Word(word) => vec![word.clone()],
        Part::Field(name) => vec![format!("{{{name}}}")],
        Part::Choice(alternatives) => alternatives.iter().flat_map(|parts| every(parts)).collect(),
    };
    let rest = every(rest);
    ways.iter()
        .flat_map(|way| rest.iter().map(move |rest| format!("{way} {rest}").trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_as_many_wordings_as_its_alternatives_combine_to() {
        let pattern = Pattern::new("(it|the (whole|) signal) {verb} (a bit|)");
        assert_eq!(pattern.wordings(), 6);
        let mut random = SplitMix64(1);
        let mut seen: Vec<String> =
            (0..500).map(|_| pattern.expand(&mut random, &|_| "rises".to_owned())).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
        assert!(seen.contains(&"the signal rises".to_owned()), "{seen:?}");
    }

    #[test]
    fn the_longest_reading_wins() {
        let pattern = Pattern::new("it {verb} (for {total} seconds|) (in all|)");
        let text = words("It goes up for 1.5 seconds, then");
        let text: Vec<&str> = text.iter().map(String::as_str).collect();
        let (length, captures) = pattern.matched(&text).unwrap();
        assert_eq!(length, 6);
        assert_eq!(captures[1], ("total".to_owned(), Meaning::Number(1.5)));
        assert!(pattern.matched(&["it", "sings"]).is_none());
    }

    #[test]
    fn marks_stand_alone_and_numbers_do_not_break() {
        assert_eq!(words("It is -1.25 m/s², then 3."), ["it", "is", "-1.25", "m/s²", ",", "then", "3", "."]);
    }
}
