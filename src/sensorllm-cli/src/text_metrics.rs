//! How like a reference a text is: BLEU-1, ROUGE-1 and ROUGE-L, counted over words.
//!
//! They say how much of the wording agrees, not whether what is said is true: a wrong number costs one word, and a right
//! sentence in other words scores low. Beside them stands the share of true statements.

use std::collections::HashMap;

use serde::Serialize;

/// How like its reference a text is; each from 0 (no word in common) to 1 (the same words in the same order).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TextScores {
    /// BLEU of single words: the share of the text's words that are in the reference, times the brevity penalty.
    pub bleu_1: f64,
    /// F-measure of the words in common.
    pub rouge_1: f64,
    /// F-measure of the longest common subsequence of words.
    pub rouge_l: f64,
}

impl TextScores {
    /// The scores of one text against its reference.
    pub fn of(text: &str, reference: &str) -> Self {
        let (text, reference) = (words(text), words(reference));
        let common = common_words(&text, &reference);
        Self {
            bleu_1: bleu_1(common, text.len(), reference.len()),
            rouge_1: f_measure(common, text.len(), reference.len()),
            rouge_l: f_measure(longest_common_subsequence(&text, &reference), text.len(), reference.len()),
        }
    }

    /// The mean over texts, as papers report it; zeros without any.
    pub fn mean(scores: &[Self]) -> Self {
        let count = scores.len().max(1) as f64;
        let mean = |score: fn(&Self) -> f64| scores.iter().map(score).sum::<f64>() / count;
        Self { bleu_1: mean(|s| s.bleu_1), rouge_1: mean(|s| s.rouge_1), rouge_l: mean(|s| s.rouge_l) }
    }
}

/// The words of a text in lower case: runs of letters and digits. A point or comma between two digits belongs to the
/// number, so that 1.5 is one word; all other punctuation only separates.
pub fn words(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, &character) in characters.iter().enumerate() {
        let digit =
            |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(char::is_ascii_digit);
        let inside_number = matches!(character, '.' | ',') && digit(at.checked_sub(1)) && digit(Some(at + 1));
        if character.is_alphanumeric() || inside_number {
            word.extend(character.to_lowercase());
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Number of words in common, each at most as often as in the reference ("clipped" counts).
fn common_words(text: &[String], reference: &[String]) -> usize {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in reference {
        *left.entry(word).or_default() += 1;
    }
    let mut take = |word: &str| match left.get_mut(word) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    text.iter().filter(|word| take(word)).count()
}

/// BLEU with words only and one reference (Papineni, Roukos, Ward and Zhu, "BLEU: a method for automatic evaluation of
/// machine translation", ACL 2002): clipped precision times `exp(1 - reference / text)` for texts shorter than their
/// reference.
fn bleu_1(common: usize, text: usize, reference: usize) -> f64 {
    if text == 0 {
        return 0.0;
    }
    let brevity = if text < reference { (1.0 - reference as f64 / text as f64).exp() } else { 1.0 };
    brevity * common as f64 / text as f64
}

/// Harmonic mean of precision and recall (Lin, "ROUGE: a package for automatic evaluation of summaries", 2004, with both
/// weighted alike, as is usual): `2PR / (P + R)` is twice the common words over the words of both.
fn f_measure(common: usize, text: usize, reference: usize) -> f64 {
    if text + reference == 0 { 0.0 } else { 2.0 * common as f64 / (text + reference) as f64 }
}

/// Length of the longest sequence of words that both have in this order, others between them allowed.
fn longest_common_subsequence(a: &[String], b: &[String]) -> usize {
    // One row of the usual table: lengths for the words of `a` so far and each beginning of `b`.
    let mut row = vec![0; b.len() + 1];
    for word in a {
        let mut diagonal = 0;
        for (at, other) in b.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if word == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(scores: TextScores, bleu_1: f64, rouge_1: f64, rouge_l: f64) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        near(scores.bleu_1, bleu_1) && near(scores.rouge_1, rouge_1) && near(scores.rouge_l, rouge_l)
    }

    #[test]
    fn numbers_stay_whole_and_punctuation_goes() {
        assert_eq!(
            words("Rising from 0.5 s to 1,5 s -- then: STEADY."),
            ["rising", "from", "0.5", "s", "to", "1,5", "s", "then", "steady"]
        );
        assert_eq!(words("…?"), [""; 0]);
    }

    #[test]
    fn the_same_words_score_one() {
        let text = "It rises for 1.5 s, then it falls.";
        assert!(close(TextScores::of(text, text), 1.0, 1.0, 1.0));
        assert!(close(TextScores::of("it rises for 1.5 s then it FALLS", text), 1.0, 1.0, 1.0));
    }

    #[test]
    fn repeated_words_count_as_often_as_in_the_reference() {
        // The example of the BLEU paper: seven times "the" against two.
        let scores = TextScores::of("the the the the the the the", "The cat is on the mat.");
        // Precision 2/7, no brevity penalty; F1 of 2 common words over 7 + 6.
        assert!(close(scores, 2.0 / 7.0, 4.0 / 13.0, 4.0 / 13.0), "{scores:?}");
    }

    #[test]
    fn short_texts_are_punished_by_bleu() {
        // Three words of six: precision 1, brevity exp(1 - 6/3); P = 1, R = 1/2.
        let scores = TextScores::of("the cat is", "the cat is on the mat");
        assert!(close(scores, (-1.0f64).exp(), 2.0 / 3.0, 2.0 / 3.0), "{scores:?}");
    }

    #[test]
    fn order_counts_in_rouge_l_only() {
        // Lin's example: both share "police" and "killed"/"gunman" with the reference, in different order.
        let reference = "police killed the gunman";
        let in_order = TextScores::of("police kill the gunman", reference);
        let swapped = TextScores::of("the gunman kill police", reference);
        assert!(close(in_order, 0.75, 0.75, 0.75), "{in_order:?}");
        assert!(close(swapped, 0.75, 0.75, 0.5), "{swapped:?}");
    }

    #[test]
    fn texts_without_words_score_zero() {
        assert!(close(TextScores::of("", "a b"), 0.0, 0.0, 0.0));
        assert!(close(TextScores::of("a b", ""), 0.0, 0.0, 0.0));
        assert!(close(TextScores::of("", ""), 0.0, 0.0, 0.0));
    }

    #[test]
    fn the_mean_is_over_texts() {
        let scores = [TextScores::of("a", "a"), TextScores::of("a", "b")];
        assert!(close(TextScores::mean(&scores), 0.5, 0.5, 0.5));
        assert_eq!(TextScores::mean(&[]), TextScores::default());
    }
}
