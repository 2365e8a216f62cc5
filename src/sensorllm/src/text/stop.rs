//! Ends a streamed text at the first of some given strings, wherever the pieces of the stream are cut.

use crate::error::{Error, ErrorKind, Result};

/// Passes streamed text on, up to the first stop string in it.
///
/// The first stop string is the one complete first; of those complete at the same place, the longest. Text that may
/// turn out to be the beginning of a stop string is held back until it is clear. How the text is cut into pieces makes no
/// difference to what comes out.
#[derive(Clone, Debug)]
pub struct StopStrings {
    strings: Vec<String>,
    /// Text received and not yet passed on; after each call, the beginning of some stop string.
    held: String,
    stopped: bool,
}

/// What [`StopStrings::push`] lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The text to pass on.
    pub text: String,
    /// The stop string that ended the text; nothing of it or after it is passed on.
    pub by: Option<String>,
}

impl StopStrings {
    /// A matcher for `strings`, in any order; none of them lets all text through.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an empty stop string, which would end every text at once.
    pub fn new(strings: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let strings: Vec<String> = strings.into_iter().map(Into::into).collect();
        if strings.iter().any(String::is_empty) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "a stop string is empty",
                "leave it out, or give the text at which to stop",
            ));
        }
        Ok(Self { strings, held: String::new(), stopped: false })
    }

    /// Takes the next piece of text. After a stop, everything is swallowed.
    pub fn push(&mut self, piece: &str) -> Stopped {
        if self.stopped {
            return Stopped { text: String::new(), by: None };
        }
        self.held.push_str(piece);
        // (end, start) orders matches as documented.
        let first = self.strings.iter().filter_map(|stop| {
            let start = self.held.find(stop.as_str())?;
            Some((start + stop.len(), start))
        });
        if let Some((end, start)) = first.min() {
            let mut text = std::mem::take(&mut self.held);
            let by = text[start..end].to_owned();
            text.truncate(start);
            self.stopped = true;
            return Stopped { text, by: Some(by) };
        }
        let keep = self.possible_beginning();
        let rest = self.held.split_off(self.held.len() - keep);
        Stopped { text: std::mem::replace(&mut self.held, rest), by: None }
    }

    /// Ends the stream without a stop: returns what was held back.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Length in bytes of the longest end of the held text that is the beginning of a stop string.
    fn possible_beginning(&self) -> usize {
        let longest = self.strings.iter().map(String::len).max().unwrap_or(0);
        let from = self.held.len().saturating_sub(longest);
        let starts = self.held.char_indices().map(|(at, _)| at).filter(|at| *at >= from);
        let tails = starts.map(|at| &self.held[at..]);
        tails
            .filter(|tail| self.strings.iter().any(|stop| stop.starts_with(tail)))
            .map(str::len)
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Everything passed on, and the stop string, for a text that comes in the given pieces.
    fn run(stops: &[&str], pieces: &[&str]) -> (String, Option<String>) {
        let mut matcher = StopStrings::new(stops.iter().copied()).unwrap();
        let mut text = String::new();
        for piece in pieces {
            let passed = matcher.push(piece);
            text += &passed.text;
            if passed.by.is_some() {
                assert_eq!(matcher.push("more").text + &matcher.finish(), "");
                return (text, passed.by);
            }
        }
        (text + &matcher.finish(), None)
    }

    #[test]
    fn a_stop_string_is_found_across_pieces_and_cut_off() {
        let stops = ["</answer>", "\n\nUser:"];
        let (text, by) = run(&stops, &["It is ", "still.<", "/ans", "wer", "> and more"]);
        assert_eq!((text.as_str(), by.as_deref()), ("It is still.", Some("</answer>")));
    }

    #[test]
    fn text_is_held_back_only_while_it_may_be_a_stop_string() {
        let mut matcher = StopStrings::new(["STOP"]).unwrap();
        assert_eq!(matcher.push("a ST").text, "a ");
        assert_eq!(matcher.push("S").text, "ST");
        assert_eq!(matcher.push("Tx").text, "STx");
        assert_eq!(matcher.finish(), "");
        assert_eq!(matcher.push("ST").text + &matcher.finish(), "ST");
    }

    #[test]
    fn the_string_that_is_complete_first_wins() {
        assert_eq!(run(&["abcd", "bc"], &["xabcd"]), ("xa".into(), Some("bc".into())));
        assert_eq!(run(&["c", "abc"], &["xabc"]), ("x".into(), Some("abc".into())));
    }

    #[test]
    fn an_empty_stop_string_is_refused() {
        assert_eq!(StopStrings::new(["a", ""]).unwrap_err().code(), "invalid-input");
    }

    proptest! {
        #[test]
        fn cutting_the_stream_elsewhere_changes_nothing(
            text in "[abé]{0,24}", stops in prop::collection::vec("[abé]{1,4}", 0..4), cuts in prop::collection::vec(0usize..24, 0..6)
        ) {
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|c| text.is_char_boundary(*c) && *c <= text.len()).collect();
            cuts.extend([0, text.len()]);
            cuts.sort();
            let pieces: Vec<&str> = cuts.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            let (passed, by) = run(&stops, &pieces);
            prop_assert_eq!((passed.clone(), by.clone()), run(&stops, &[&text]));
            // What is passed on never holds a stop string, and nothing is lost.
            prop_assert!(stops.iter().all(|stop| !passed.contains(stop)));
            prop_assert!(text.starts_with(&(passed.clone() + by.as_deref().unwrap_or(""))));
            prop_assert!(by.is_some() || passed == text);
        }
    }
}
