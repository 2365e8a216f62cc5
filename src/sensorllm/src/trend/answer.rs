//! Sheet and answer of each family of questions; here those about trends.

use super::clause::{Clause, patterns_of};
use super::compose::{Composer, Fields, LISTED};
use super::exchange::{Asked, Family};
use super::facts::{ChannelFacts, Facts};
use super::lexicon::{channel_name, kinds_phrase};
use super::segment::{Segment, Trend};
use super::{answer_body, answer_values};
use crate::sensor::Channel;

/// Writes the sheet of what is asked and an answer to it.
pub fn answer(facts: &Facts, asked: &Asked, composer: &mut Composer<'_>) {
    composer.fact(asked.family.name());
    match asked.family {
        Family::TrendList
        | Family::TrendSummary
        | Family::Interval
        | Family::Statistics
        | Family::Frequency => {
            about_channel(facts, asked, composer);
        }
        Family::Comparison => answer_body::comparison(facts, asked.sensor(), composer),
        Family::StepRate => answer_body::step_rate(facts, composer),
        Family::Posture => answer_body::posture(facts, composer),
        Family::Activity => answer_body::activity(facts, composer),
        Family::Description => answer_body::description(facts, composer),
        Family::OffTopic => {
            let text = composer.say(Clause::OffTopic, &Vec::new());
            composer.sentence(text);
        }
    }
}

fn about_channel(facts: &Facts, asked: &Asked, composer: &mut Composer<'_>) {
    let channel = asked.channel();
    composer.fact(channel_name(channel));
    let name = composer.channel(channel);
    let Some(found) = facts.channel(channel) else {
        composer.fact("not measured");
        let text = composer.say(Clause::NotMeasured, &vec![("channel", name)]);
        return composer.sentence(text);
    };
    match asked.family {
        Family::Statistics => answer_values::statistics(found, name, composer),
        Family::Frequency => answer_values::frequency(found, name, composer),
        Family::Interval => {
            let (from, to) = asked.rows(facts);
            interval(facts, found, name, (from, to), composer);
        }
        Family::TrendSummary => summary(facts, found, name, composer),
        _ => {
            if found.trends.segments.len() > composer.listed {
                counts(facts, found, name, composer);
                overall(found.trends.overall(), composer);
            } else {
                let items = segments(facts, &found.trends.segments, composer);
                list(channel, &items, composer);
                if composer.listed > LISTED {
                    whole_answer(facts, found, composer);
                } else if composer.coin() {
                    overall(found.trends.overall(), composer);
                } else {
                    overall_fact(found.trends.overall(), composer);
                }
            }
        }
    }
}

/// Puts segments into the sheet; gives the fields of each.
fn segments(facts: &Facts, segments: &[Segment], composer: &mut Composer<'_>) -> Vec<Fields> {
    segments.iter().map(|segment| composer.segment(segment, |rows| facts.clock(rows))).collect()
}

/// All segments of a channel, in one of the styles of lists.
fn list(channel: Channel, items: &[Fields], composer: &mut Composer<'_>) {
    let name = composer.channel(channel);
    if let [only] = items {
        let mut fields = only.clone();
        fields.push(("subject", name));
        let text = composer.say(Clause::Throughout, &fields);
        return composer.sentence(text);
    }
    let direct = composer.random.below(4) == 0;
    let clause = match composer.random.below(3) {
        _ if direct => Clause::VerbItem,
        0 => Clause::VerbItem,
        1 => Clause::NounItem,
        _ => Clause::AdjectiveItem,
    };
    let items = alike(clause, items, composer);
    let opening = if direct { name } else { composer.say(Clause::ListOpening, &vec![("channel", name)]) };
    let text = match clause {
        Clause::VerbItem => {
            let subject = if direct { "" } else { " it" };
            format!("{opening}{subject} {}", one_after_another(&items, composer))
        }
        _ => {
            let between = [" , ", " ; "][composer.random.below(2)];
            format!("{opening} {}", joined(&items, between, between))
        }
    };
    composer.sentence(text);
}

/// Items that are said by the same pattern of `clause`.
fn alike(clause: Clause, items: &[Fields], composer: &mut Composer<'_>) -> Vec<String> {
    let patterns = patterns_of(clause);
    let index = composer.random.below(patterns.clone().count());
    let say = |pattern| items.iter().map(|fields| composer.word(pattern, fields)).collect();
    patterns.clone().nth(index).map(say).unwrap_or_default()
}

/// Items in order of time.
fn one_after_another(items: &[String], composer: &mut Composer<'_>) -> String {
    let last = match items.len() {
        0..=2 => [" , then ", " and then "][composer.random.below(2)],
        _ => [" , and finally ", " , and then ", " and finally "][composer.random.below(3)],
    };
    let between = if composer.coin() { " , then " } else { " , " };
    joined(items, between, last)
}

/// Items as a list.
pub fn joined(items: &[String], between: &str, last: &str) -> String {
    match items.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{}{last}{end}", rest.join(between)),
        _ => items.join(between),
    }
}

/// What an interval holds.
fn interval(
    facts: &Facts,
    found: &ChannelFacts,
    name: String,
    rows: (usize, usize),
    composer: &mut Composer<'_>,
) {
    let from = composer.slot(facts.clock(rows.0));
    let to = composer.slot(facts.clock(rows.1));
    composer.fact(format!("from {from} to {to}"));
    let within = composer.say(Clause::Within, &vec![("from", from), ("to", to)]);
    let inside = facts.within(found, rows.0, rows.1);
    let whole = found.trends.between(rows.0, rows.1);
    match inside.as_slice() {
        [] => {
            composer.fact("not measured");
            let text = composer.say(Clause::NotMeasured, &vec![("channel", name)]);
            composer.sentence(format!("{within} {text}"));
        }
        [only] => {
            composer.fact(only.trend.name());
            let mut fields = composer.trend(only.trend, 1);
            fields.push(("subject", name));
            let text = composer.say(Clause::Throughout, &fields);
            composer.sentence(format!("{within} {text}"));
        }
        inside if inside.len() <= composer.listed => {
            let items = segments(facts, inside, composer);
            let items = alike(Clause::VerbItem, &items, composer);
            let first = if composer.coin() { "first " } else { "" };
            let items = one_after_another(&items, composer);
            composer.sentence(format!("{within} {name} {first}{items}"));
            overall(whole, composer);
        }
        inside => {
            let items = count_totals(facts, inside, Some(&vec![("subject", name)]), composer);
            composer.sentence(format!("{within} {}", joined(&items, " , ", " and ")));
            overall(whole, composer);
        }
    }
}

/// What follows the list in an answer that leaves nothing out: the number of each trend, and a summary.
fn whole_answer(facts: &Facts, found: &ChannelFacts, composer: &mut Composer<'_>) {
    let kinds = found.kinds();
    if kinds.len() > 1 {
        let mut items = Vec::new();
        let words_of_all = composer.random.clone();
        for trend in kinds {
            let count = found.count(trend);
            let mut fields = composer.trend(trend, count);
            fields.push(("there", if count == 1 { "there is" } else { "there are" }.to_owned()));
            fields.push(("count", composer.count(count)));
            fields.push(("subject", "it".to_owned()));
            *composer.random = words_of_all.clone();
            items.push(composer.say(Clause::Count, &fields));
        }
        composer.sentence(items.join(" ; "));
    }
    let name = composer.channel(found.channel);
    summary(facts, found, name, composer);
}

/// Numbers and total times of segments, when there are too many to list.
fn counts(facts: &Facts, found: &ChannelFacts, name: String, composer: &mut Composer<'_>) {
    let segments = &found.trends.segments;
    let count = composer.count(segments.len());
    let kinds = kinds_phrase(found.kinds().len());
    composer.fact(format!("parts {count} ; {kinds}"));
    let fields = vec![("subject", name), ("count", count), ("kinds", kinds.to_owned())];
    let text = composer.say(Clause::Parts, &fields);
    let items = count_totals(facts, segments, None, composer);
    composer.sentence(format!("{text} : {}", joined(&items, " , ", " and ")));
}

/// Number and total time of each trend; the first one after `lead`, if that is given.
fn count_totals(
    facts: &Facts,
    segments: &[Segment],
    lead: Option<&Fields>,
    composer: &mut Composer<'_>,
) -> Vec<String> {
    let mut items = Vec::new();
    // All items after the first in the same words.
    let words_of_all = composer.random.clone();
    for trend in Trend::ALL {
        let of = || segments.iter().filter(|segment| segment.trend == trend);
        let count = of().count();
        if count == 0 {
            continue;
        }
        let mut fields = composer.trend(trend, count);
        let words = composer.count(count);
        let total = composer.slot(facts.clock(of().map(Segment::rows).sum()));
        composer.fact(format!("{trend} {words} {total}"));
        fields.extend([("count", words), ("total", total)]);
        let clause = match lead {
            Some(lead) if items.is_empty() => {
                fields.extend(lead.clone());
                if lead.iter().any(|(name, _)| *name == "it") {
                    fields.push(("there", if count == 1 { "there is" } else { "there are" }.to_owned()));
                }
                Clause::CountTotalFirst
            }
            _ => Clause::CountTotal,
        };
        *composer.random = words_of_all.clone();
        items.push(composer.say(clause, &fields));
    }
    items
}

/// A summary of the trends of a channel.
fn summary(facts: &Facts, found: &ChannelFacts, name: String, composer: &mut Composer<'_>) {
    let length = composer.slot(facts.clock(facts.rows()));
    composer.fact(format!("length {length}"));
    let text = composer.say(Clause::About, &vec![("channel", name), ("length", length)]);
    composer.sentence(text);
    let it = composer.it();
    let kinds = found.kinds();
    if let ([trend], 1) = (kinds.as_slice(), found.trends.segments.len()) {
        composer.fact(format!("one part ; {trend}"));
        let mut fields = composer.trend(*trend, 1);
        fields.extend(it);
        let text = composer.say(Clause::Throughout, &fields);
        return composer.sentence(text);
    }
    let count = composer.count(found.trends.segments.len());
    composer.fact(format!("parts {count} ; {}", kinds_phrase(kinds.len())));
    let mut fields = it.clone();
    fields.extend([("count", count), ("kinds", kinds_phrase(kinds.len()).to_owned())]);
    let text = composer.say(Clause::Parts, &fields);
    composer.sentence(text);
    if composer.coin() {
        let items = count_totals(facts, &found.trends.segments, Some(&it), composer);
        composer.sentence(joined(&items, " , ", " and "));
    } else {
        let mut items = Vec::new();
        for trend in kinds {
            let mut fields = composer.trend(trend, found.count(trend));
            let count = composer.count(found.count(trend));
            let total = composer.slot(facts.clock(found.total_rows(trend)));
            composer.fact(format!("{trend} {count} {total}"));
            fields.extend(it.clone());
            fields.push(("total", total));
            let clause = if items.is_empty() { Clause::Total } else { Clause::Further };
            items.push(composer.say(clause, &fields));
        }
        composer.sentence(items.join(" , "));
    }
    overall(found.trends.overall(), composer);
}

fn overall_fact(trend: Option<Trend>, composer: &mut Composer<'_>) {
    if let Some(trend) = trend {
        composer.fact(format!("overall {trend}"));
    }
}

/// The trend from beginning to end.
fn overall(trend: Option<Trend>, composer: &mut Composer<'_>) {
    overall_fact(trend, composer);
    if let Some(trend) = trend {
        let mut fields = composer.trend(trend, 1);
        fields.extend(composer.it());
        let text = composer.say(Clause::Overall, &fields);
        composer.sentence(text);
    }
}
