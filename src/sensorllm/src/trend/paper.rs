//! Questions and answers in the form of SensorLLM's first stage: one channel, no sheet, the numbers written out in the answer.

use super::answer::answer;
use super::compose::Composer;
use super::exchange::{Asked, Exchange, Family, ask};
use super::facts::Facts;
use super::sheet::Sheet;
use crate::sampler::SplitMix64;

/// The families that SensorLLM's first stage has, too.
pub const PAPER_FAMILIES: [Family; 3] = [Family::TrendList, Family::Interval, Family::TrendSummary];

/// A question about the trends of the one channel of `facts` (see [`Facts::of_channel`]) and an answer that a model has to read
/// from the signal itself: the sheet is empty, and every segment is listed, however many there are.
///
/// A [`Family::TrendList`] is answered by the list, the number of each trend, and the summary, as SensorLLM has it. `None`
/// draws one of [`PAPER_FAMILIES`].
pub fn exchange_paper(facts: &Facts, family: Option<Family>, seed: u64) -> Exchange {
    let mut random = SplitMix64(seed);
    let drawn = PAPER_FAMILIES[random.below(PAPER_FAMILIES.len())];
    let mut asked = Asked::new(family.unwrap_or(drawn));
    asked.channel = facts.channels.first().map(|found| found.channel);
    if asked.family == Family::Interval {
        asked.interval = Some(interval(facts, &mut random));
    }
    let question = ask(&asked, &mut random);
    let mut composer = Composer::new(&mut random);
    composer.listed = usize::MAX;
    answer(facts, &asked, &mut composer);
    let (sheet, answer) = composer.finish();
    // The answer has the slots of its own sheet only.
    let answer = sheet.render(&answer).unwrap_or(answer);
    Exchange { asked, question, sheet: Sheet::default(), answer }
}

/// Two different rows of the stretch, as times in seconds.
fn interval(facts: &Facts, random: &mut SplitMix64) -> (f64, f64) {
    let rows = facts.rows().max(1);
    let start = random.below(rows);
    let end = start + 1 + random.below(rows - start);
    (facts.time(start), facts.time(end))
}

#[cfg(test)]
mod tests {
    use super::super::test_motion::window;
    use super::super::{CHANNELS, check, exact, parse, smoothed};
    use super::*;
    use crate::sensor::channel_values;

    /// A piece of 5 to 100 rows of a channel, as SensorLLM cuts them.
    fn piece(seed: u64, exactly: bool) -> Facts {
        let mut random = SplitMix64(seed);
        let window = window(seed % 50);
        let channel = CHANNELS[random.below(CHANNELS.len())];
        let values = &channel_values(&window, &[channel])[0];
        let values = &values[..5 + random.below(96)];
        let trends = if exactly { exact(values) } else { smoothed(values, 50.0) };
        Facts::of_channel(channel, values, trends, 50.0)
    }

    #[test]
    fn answers_without_a_sheet_read_back_and_are_true() {
        for seed in 0..1500 {
            for exactly in [true, false] {
                let facts = piece(seed, exactly);
                for family in PAPER_FAMILIES {
                    let exchange = exchange_paper(&facts, Some(family), seed);
                    assert!(
                        exchange.sheet.text.is_empty() && !exchange.answer.contains('<'),
                        "{}",
                        exchange.answer
                    );
                    let truth = check(&parse(&exchange.answer), &facts);
                    assert!(
                        truth.wrong.is_empty(),
                        "{}\n{}\n{:#?}",
                        exchange.question,
                        exchange.answer,
                        truth.wrong
                    );
                    assert!(truth.stated > 0);
                }
            }
        }
    }

    #[test]
    fn every_exact_segment_is_listed_to_the_hundredth() {
        let values = [1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 0.0, 3.0, 1.0, 2.0, 1.0, 2.0];
        let facts = Facts::of_channel(CHANNELS[0], &values, exact(&values), 50.0);
        let answer = exchange_paper(&facts, Some(Family::TrendList), 3).answer;
        let listed = parse(&answer)
            .iter()
            .filter(|said| matches!(said.claim, super::super::Claim::Segment { .. }))
            .count();
        assert_eq!(listed, facts.channels[0].trends.segments.len(), "{answer}");
        assert!(answer.contains("0.04"), "{answer}");
    }
}
