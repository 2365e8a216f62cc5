//! What a recording's signals do, as a conversation for a language model: exact numbers from the samples, the wording left to it.

use std::fmt::Write as _;

use crate::error::Result;
use crate::sensor::{
    self, Axis, Channel, STATISTICS, Samples, Sensor, WindowConfig, channel_values, statistics,
};
use crate::text::Message;

/// What is asked when nothing else is.
pub const QUESTION: &str = "Describe in two or three sentences how the phone moved.";

const INSTRUCTION: &str =
    "You explain measurements of a phone's motion sensors. Use only the numbers you are given.";

/// The rate signals are brought to, and the length of the pieces they are read in.
const WINDOWS: WindowConfig = WindowConfig { rate_hz: 50.0, length: 128, hop: 128 };

/// A conversation that gives a model the statistics of every channel of a recording, and asks `question`.
///
/// # Errors
///
/// Those of [`sensor::windows`]: among them that the recording is shorter than 2.56 s.
pub fn messages(samples: &Samples, question: &str) -> Result<Vec<Message>> {
    let windows = sensor::windows(samples, &WINDOWS)?;
    let channels: Vec<Channel> = [Sensor::Acceleration, Sensor::RotationRate]
        .into_iter()
        .flat_map(|sensor| [Axis::X, Axis::Y, Axis::Z].map(|axis| Channel { sensor, axis, series: true }))
        .collect();
    let mut series = vec![Vec::new(); channels.len()];
    for window in &windows {
        for (all, values) in series.iter_mut().zip(channel_values(window, &channels)) {
            all.extend(values);
        }
    }
    let seconds = windows.len() as f32 * WINDOWS.length as f32 / WINDOWS.rate_hz;
    let mut text = format!(
        "A recording of {seconds:.1} seconds. Acceleration is in m/s² and includes gravity, rotation rate in rad/s. \
         Axes: x to the right of the screen, y to its top, z out of it.\n"
    );
    for (channel, values) in channels.iter().zip(&series) {
        let _ = writeln!(text, "{}", line(channel, values));
    }
    let question = if question.trim().is_empty() { QUESTION } else { question };
    let _ = write!(text, "\n{question}");
    Ok(vec![Message::new("system", INSTRUCTION), Message::new("user", text)])
}

/// One channel's statistics in words.
fn line(channel: &Channel, values: &[f32]) -> String {
    let kind = match channel.sensor {
        Sensor::Acceleration => "acceleration",
        Sensor::RotationRate => "rotation rate",
    };
    let name = format!("{} {kind}", channel.axis.name());
    if !values.iter().any(|value| value.is_finite()) {
        return format!("{name}: not measured");
    }
    let [mean, deviation, minimum, maximum, _, _, _, frequency, periodicity]: [f32; STATISTICS.len()] =
        statistics(values, WINDOWS.rate_hz);
    let rhythm = if frequency > 0.0 && periodicity > 0.3 {
        format!(", repeats {frequency:.1} times a second")
    } else {
        String::new()
    };
    format!(
        "{name}: mean {mean:.2}, standard deviation {deviation:.2}, from {minimum:.2} to {maximum:.2}{rhythm}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_recording_are_in_the_prompt() {
        let mut samples = Samples::default();
        for row in 0..400 {
            let t = row as f64 / 50.0;
            let swing = (t * std::f64::consts::TAU * 2.0).sin() as f32;
            samples.push(t, [0.0, 3.0 * swing, 9.81], [f32::NAN; 3]);
        }
        let messages = messages(&samples, "").unwrap();
        let text = &messages[1].content;
        assert!(text.contains("z acceleration: mean 9.81, standard deviation 0.00"), "{text}");
        assert!(text.contains("y acceleration") && text.contains("repeats 2.0 times a second"), "{text}");
        assert!(text.contains("x rotation rate: not measured"), "{text}");
        assert!(text.ends_with(QUESTION));
    }
}
