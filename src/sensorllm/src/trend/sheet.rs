//! The fact sheet of a question: what is true, in a few plain words whose numbers are numbered slots, and the numbers beside it.
//!
//! A language model reads the words and answers with the same slots; [`Sheet::render`] puts the numbers in. So every number of
//! an answer is the extractor's, whatever the model does.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::sensor::Sensor;

/// The most slots a sheet has: a tokenizer knows `<0>` to `<63>` as tokens.
pub const MAX_SLOTS: usize = 64;

/// A number of a sheet, with the unit that decides how it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A time or duration in seconds: one decimal.
    Seconds(f64),
    /// A time or duration in seconds, as the samples have it: two decimals.
    ExactSeconds(f64),
    /// A number of things.
    Count(usize),
    /// A value of a sensor in its unit: one decimal from ten on, two below.
    Reading(f64, Sensor),
    /// A frequency in Hz: one decimal.
    Hertz(f64),
    /// Steps a minute: whole.
    StepsPerMinute(f64),
    /// A probability, as whole percent.
    Percent(f64),
    /// An angle: whole degrees.
    Degrees(f64),
}

impl Value {
    /// The number in its unit (percent for a probability), not rounded.
    pub fn number(self) -> f64 {
        match self {
            Self::Percent(share) => 100.0 * share,
            Self::Count(count) => count as f64,
            Self::Seconds(x) | Self::ExactSeconds(x) | Self::Reading(x, _) | Self::Hertz(x) => x,
            Self::StepsPerMinute(x) | Self::Degrees(x) => x,
        }
    }

    /// Decimals it is written with.
    pub fn decimals(self) -> usize {
        match self {
            Self::Count(_) | Self::StepsPerMinute(_) | Self::Percent(_) | Self::Degrees(_) => 0,
            Self::Seconds(_) | Self::Hertz(_) => 1,
            Self::ExactSeconds(_) => 2,
            // What rounds to ten is written as ten is.
            Self::Reading(value, _) => {
                if value.abs() < 9.995 {
                    2
                } else {
                    1
                }
            }
        }
    }
}

/// The number as it stands in a rendered answer.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.decimals();
        let text = format!("{:.decimals$}", self.number());
        // No minus before a zero.
        let unsigned =
            text.strip_prefix('-').filter(|rest| rest.chars().all(|sign| sign == '0' || sign == '.'));
        f.write_str(unsigned.unwrap_or(&text))
    }
}

/// The facts that a question is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// The facts in words, each number a slot: `<0>`, `<1>`, and so on in order.
    pub text: String,
    /// The number of each slot.
    pub values: Vec<Value>,
}

impl Sheet {
    /// The number of slot `index` as it is written.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the sheet has no such slot.
    pub fn number(&self, index: usize) -> Result<String> {
        self.values.get(index).map(Value::to_string).ok_or_else(|| {
            let message = match self.values.len() {
                0 => format!("the answer has a slot <{index}>, but its sheet has none"),
                count => format!("the answer has a slot <{index}>, but its sheet ends at <{}>", count - 1),
            };
            Error::new(ErrorKind::InvalidInput, message, "render an answer with the sheet it was written for")
        })
    }

    /// `answer` with its slots replaced by their numbers.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a slot that the sheet does not have.
    pub fn render(&self, answer: &str) -> Result<String> {
        let mut renderer = Renderer::new(self);
        let mut text = renderer.push(answer)?;
        text.push_str(&renderer.finish());
        Ok(text)
    }
}

/// Renders an answer piece by piece, as it is written; a slot may be split between pieces.
#[derive(Clone, Debug)]
pub struct Renderer<'a> {
    sheet: &'a Sheet,
    /// The beginning of what may become a slot.
    held: String,
}

impl<'a> Renderer<'a> {
    /// A renderer at the beginning of an answer.
    pub fn new(sheet: &'a Sheet) -> Self {
        Self { sheet, held: String::new() }
    }

    /// The text that is certain after one more `piece`.
    ///
    /// # Errors
    /// As [`Sheet::render`].
    pub fn push(&mut self, piece: &str) -> Result<String> {
        let mut text = String::new();
        for sign in piece.chars() {
            match (sign, self.held.is_empty()) {
                ('<', _) => {
                    text.push_str(&self.held);
                    self.held = "<".to_owned();
                }
                ('0'..='9', false) if self.held.len() < 4 => self.held.push(sign),
                ('>', false) if self.held.len() > 1 => {
                    // At most three digits: always a number.
                    let index = self.held[1..].parse().unwrap_or(usize::MAX);
                    self.held.clear();
                    text.push_str(&self.sheet.number(index)?);
                }
                (_, true) => text.push(sign),
                (_, false) => {
                    text.push_str(&self.held);
                    self.held.clear();
                    text.push(sign);
                }
            }
        }
        Ok(text)
    }

    /// What is held back at the end: the beginning of a slot that never ended.
    pub fn finish(self) -> String {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet {
            text: "rising <0> <1>".to_owned(),
            values: vec![Value::Seconds(0.04), Value::Reading(-0.001, Sensor::Acceleration), Value::Count(3)],
        }
    }

    #[test]
    fn values_are_written_as_people_write_them() {
        let written = [
            (Value::Seconds(1.26), "1.3"),
            (Value::ExactSeconds(1.256), "1.26"),
            (Value::Count(12), "12"),
            (Value::Reading(9.996, Sensor::Acceleration), "10.0"),
            (Value::Reading(-9.81, Sensor::Acceleration), "-9.81"),
            (Value::Reading(-0.001, Sensor::RotationRate), "0.00"),
            (Value::Hertz(1.84), "1.8"),
            (Value::StepsPerMinute(109.6), "110"),
            (Value::Percent(0.934), "93"),
            (Value::Degrees(12.4), "12"),
        ];
        for (value, text) in written {
            assert_eq!(value.to_string(), text, "{value:?}");
        }
    }

    #[test]
    fn slots_become_numbers_however_the_answer_is_cut() {
        let answer = "From <0> on, a < b, <1> and <2>; <x>.";
        let expected = "From 0.0 on, a < b, 0.00 and 3; <x>.";
        assert_eq!(sheet().render(answer).unwrap(), expected);
        for cut in 0..=answer.len() {
            let sheet = sheet();
            let mut renderer = Renderer::new(&sheet);
            let text = renderer.push(&answer[..cut]).unwrap() + &renderer.push(&answer[cut..]).unwrap();
            assert_eq!(text + &renderer.finish(), expected);
        }
    }

    #[test]
    fn an_unknown_slot_is_refused_with_a_reason() {
        let error = sheet().render("It is <7>.").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("ends at <2>"), "{error}");
        assert!(Sheet::default().render("<0>").is_err());
        assert!(sheet().render("<999>").is_err());
    }
}
