//! Sheet and answer of the questions about the values of a channel: its statistics and its rhythm.

use super::clause::Clause;
use super::compose::{Composer, Fields};
use super::facts::ChannelFacts;
use super::lexicon::unit;
use super::sheet::Value;

/// Mean, deviation and range of a channel.
pub fn statistics(found: &ChannelFacts, name: String, composer: &mut Composer<'_>) {
    let sensor = found.channel.sensor;
    let mut fields: Fields = vec![("unit", unit(sensor).to_owned())];
    let values = [
        ("mean", found.mean),
        ("deviation", found.deviation),
        ("lowest", found.lowest),
        ("highest", found.highest),
    ];
    for (field, value) in values {
        let slot = composer.slot(Value::Reading(value, sensor));
        composer.fact(format!("{field} {slot}"));
        fields.push((field, slot));
    }
    composer.fact(unit(sensor));
    let mut first = fields.clone();
    first.extend([("subject", name.clone()), ("channel", name)]);
    fields.extend(composer.it());
    let text = composer.say(Clause::Mean, &first);
    composer.sentence(text);
    if composer.coin() {
        let text = composer.say(Clause::DeviationAside, &fields);
        composer.and(" , ", &text);
    } else {
        let text = composer.say(Clause::Deviation, &fields);
        composer.sentence(text);
    }
    let text = composer.say(Clause::Range, &fields);
    composer.sentence(text);
}

/// How often a channel repeats itself.
pub fn frequency(found: &ChannelFacts, name: String, composer: &mut Composer<'_>) {
    let mut fields: Fields = vec![("subject", name.clone()), ("channel", name)];
    let text = match found.frequency {
        Some(frequency) => {
            let slot = composer.slot(Value::Hertz(frequency));
            composer.fact(format!("frequency {slot}"));
            fields.push(("frequency", slot));
            composer.say(Clause::Frequency, &fields)
        }
        None => {
            composer.fact("no rhythm");
            composer.say(Clause::NoFrequency, &fields)
        }
    };
    composer.sentence(text);
}
