//! What is true of a stretch of motion, computed exactly from its samples: the extractor behind every sheet and every check.

use super::body::{Attitude, Movement, attitude, movement, steps_per_minute};
use super::segment::{Segment, Trend, Trends};
use super::sheet::Value;
use super::smooth::{possible_rate, smoothed};
use crate::sensor::{Axis, Channel, STATISTICS, Sensor, Window, channel_values, statistics};

/// Periodicity from which on a channel is said to repeat itself.
const CLEAR_RHYTHM: f32 = 0.4;
/// Half of the last printed digit of a time, and what 64-bit arithmetic adds.
const TENTHS: f64 = 0.05 + 1e-9;

/// The channels that facts are told about, in the order of the shipped model's input.
pub const CHANNELS: [Channel; 10] = [
    channel(Sensor::Acceleration, Axis::X),
    channel(Sensor::Acceleration, Axis::Y),
    channel(Sensor::Acceleration, Axis::Z),
    channel(Sensor::RotationRate, Axis::X),
    channel(Sensor::RotationRate, Axis::Y),
    channel(Sensor::RotationRate, Axis::Z),
    channel(Sensor::Acceleration, Axis::Up),
    channel(Sensor::Acceleration, Axis::Horizontal),
    channel(Sensor::RotationRate, Axis::Up),
    channel(Sensor::RotationRate, Axis::Horizontal),
];

const fn channel(sensor: Sensor, axis: Axis) -> Channel {
    Channel { sensor, axis, series: true }
}

/// An activity that a classifier found in a part of the stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// The label, as the classifier names it: `walking_upstairs`.
    pub label: String,
    /// Its probability, from 0 to 1.
    pub confidence: f64,
    /// Where it begins, in seconds from the stretch's first row.
    pub start: f64,
    /// Where it ends, in seconds from the stretch's first row.
    pub end: f64,
}

/// What is true of one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelFacts {
    /// Which channel.
    pub channel: Channel,
    /// Its trends; without segments when it was not measured.
    pub trends: Trends,
    /// Mean, in the channel's unit.
    pub mean: f64,
    /// Standard deviation of the population.
    pub deviation: f64,
    /// Lowest value.
    pub lowest: f64,
    /// Highest value.
    pub highest: f64,
    /// Dominant frequency in Hz, of a channel that repeats itself clearly.
    pub frequency: Option<f64>,
}

/// What is true of a stretch of motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Rows a second.
    pub rate_hz: f64,
    /// Length in seconds.
    pub seconds: f64,
    /// One entry for each of [`CHANNELS`], or for the one channel of [`Facts::of_channel`].
    pub channels: Vec<ChannelFacts>,
    /// Steps a minute, when the acceleration has the rhythm of steps.
    pub steps_per_minute: Option<f64>,
    /// How the phone is held, when gravity shows it.
    pub attitude: Option<Attitude>,
    /// How much the phone moves; `None` without acceleration.
    pub movement: Option<Movement>,
    /// What the person does, in order of time; empty when nobody said.
    pub activities: Vec<Activity>,
    /// By how much a time in words may differ from the exact one, in seconds.
    pub tolerance: f64,
}

impl Facts {
    /// The facts of `window` (a stretch of up to a few minutes) at `rate_hz`, with the activities that a classifier found in it.
    /// Activities labelled `unknown` are left out, neighbours of the same label are joined.
    pub fn of(window: &Window, rate_hz: f32, activities: &[Activity]) -> Self {
        let magnitude = channel(Sensor::Acceleration, Axis::Magnitude);
        let mut wanted = CHANNELS.to_vec();
        wanted.push(magnitude);
        let mut values = channel_values(window, &wanted);
        let magnitude = values.pop().unwrap_or_default();
        let channels = CHANNELS
            .iter()
            .zip(&values)
            .map(|(&channel, values)| ChannelFacts::of(channel, values, smoothed(values, rate_hz), rate_hz));
        Self {
            rate_hz: possible_rate(rate_hz),
            seconds: window.acceleration.len() as f64 / possible_rate(rate_hz),
            channels: channels.collect(),
            steps_per_minute: steps_per_minute(&magnitude, rate_hz),
            attitude: attitude(&window.acceleration),
            movement: movement(&window.acceleration),
            activities: joined(activities),
            tolerance: TENTHS,
        }
    }

    /// The facts of one channel alone, with `trends` found by [`exact`](super::exact) or [`smoothed`]. Times in words are then
    /// held to hundredths of a second.
    pub fn of_channel(channel: Channel, values: &[f32], trends: Trends, rate_hz: f32) -> Self {
        Self {
            rate_hz: possible_rate(rate_hz),
            seconds: values.len() as f64 / possible_rate(rate_hz),
            channels: vec![ChannelFacts::of(channel, values, trends, rate_hz)],
            steps_per_minute: None,
            attitude: None,
            movement: None,
            activities: Vec::new(),
            tolerance: 0.1 * TENTHS,
        }
    }

    /// What is true of `channel`, if it was measured.
    pub fn channel(&self, channel: Channel) -> Option<&ChannelFacts> {
        let same = |facts: &&ChannelFacts| {
            (facts.channel.sensor, facts.channel.axis) == (channel.sensor, channel.axis)
        };
        self.channels.iter().find(same).filter(|facts| facts.measured())
    }

    /// The time of a row, in seconds.
    pub fn time(&self, row: usize) -> f64 {
        row as f64 / self.rate_hz
    }

    /// The time of a row, or the duration of so many rows, as it is written.
    pub fn clock(&self, rows: usize) -> Value {
        let seconds = self.time(rows);
        if self.tolerance < TENTHS { Value::ExactSeconds(seconds) } else { Value::Seconds(seconds) }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.row(self.seconds)
    }

    /// The row nearest to a time in seconds.
    pub fn row(&self, seconds: f64) -> usize {
        (seconds * self.rate_hz).round().max(0.0) as usize
    }

    /// The segments of `channel` in `start..end` that are worth a word, see [`ChannelFacts::within`]: what is left of them
    /// has to be as long as the last digit of a time.
    pub fn within(&self, channel: &ChannelFacts, start: usize, end: usize) -> Vec<Segment> {
        channel.within(start, end, self.row(2.0 * self.tolerance))
    }

    /// The measured device axes of `sensor`, the one that varies most first.
    pub fn by_variation(&self, sensor: Sensor) -> Vec<&ChannelFacts> {
        let device = [Axis::X, Axis::Y, Axis::Z];
        let mut axes: Vec<_> =
            device.iter().filter_map(|&axis| self.channel(channel(sensor, axis))).collect();
        axes.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
        axes
    }
}

impl ChannelFacts {
    fn of(channel: Channel, values: &[f32], trends: Trends, rate_hz: f32) -> Self {
        let [mean, deviation, lowest, highest, _, _, _, frequency, periodicity]: [f32; STATISTICS.len()] =
            statistics(values, rate_hz);
        Self {
            channel,
            trends,
            mean: f64::from(mean),
            deviation: f64::from(deviation),
            lowest: f64::from(lowest),
            highest: f64::from(highest),
            frequency: (frequency > 0.0 && periodicity > CLEAR_RHYTHM).then_some(f64::from(frequency)),
        }
    }

    /// Whether anything was measured.
    pub fn measured(&self) -> bool {
        !self.trends.segments.is_empty()
    }

    /// Number of segments of `trend`.
    pub fn count(&self, trend: Trend) -> usize {
        self.trends.segments.iter().filter(|segment| segment.trend == trend).count()
    }

    /// Rows of all segments of `trend` together.
    pub fn total_rows(&self, trend: Trend) -> usize {
        self.trends.segments.iter().filter(|segment| segment.trend == trend).map(Segment::rows).sum()
    }

    /// The trends that occur, in the order of [`Trend::ALL`].
    pub fn kinds(&self) -> Vec<Trend> {
        Trend::ALL.into_iter().filter(|&trend| self.count(trend) > 0).collect()
    }

    /// The segments that share rows with `start..end`, cut to it. What the cut leaves of a segment is left out when it is
    /// shorter than `shortest` rows and not all there is.
    pub fn within(&self, start: usize, end: usize, shortest: usize) -> Vec<Segment> {
        let whole = self.trends.segments.iter();
        let cut = whole.map(|segment| Segment {
            trend: segment.trend,
            start: segment.start.max(start),
            end: segment.end.min(end),
        });
        let cut: Vec<Segment> = cut.filter(|segment| segment.start < segment.end).collect();
        let long = |segment: &&Segment| segment.rows() >= shortest || self.trends.segments.contains(segment);
        let kept: Vec<Segment> = cut.iter().filter(long).copied().collect();
        if kept.is_empty() { cut } else { kept }
    }
}

/// Activities without the unknown ones, neighbours of one label joined with the mean of their confidences by time.
fn joined(activities: &[Activity]) -> Vec<Activity> {
    let mut joined: Vec<Activity> = Vec::new();
    for activity in activities.iter().filter(|activity| activity.label != "unknown") {
        match joined.last_mut() {
            Some(last) if last.label == activity.label => {
                let (before, added) = (last.end - last.start, activity.end - activity.start);
                let both = (before + added).max(f64::MIN_POSITIVE);
                last.confidence = (last.confidence * before + activity.confidence * added) / both;
                last.end = activity.end;
            }
            _ => joined.push(activity.clone()),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_label_are_one_activity_and_the_unknown_is_none() {
        let activity = |label: &str, confidence, start, end| Activity {
            label: label.to_owned(),
            confidence,
            start,
            end,
        };
        let found = joined(&[
            activity("walking", 0.5, 0.0, 1.0),
            activity("walking", 0.8, 1.0, 3.0),
            activity("unknown", 0.9, 3.0, 4.0),
            activity("sitting", 0.7, 4.0, 5.0),
        ]);
        assert_eq!(found.len(), 2);
        assert!((found[0].confidence - 0.7).abs() < 1e-9 && found[0].end == 3.0, "{found:?}");
        assert_eq!(found[1].label, "sitting");
    }

    #[test]
    fn an_interval_cuts_segments_and_leaves_slivers_out() {
        let values: Vec<f32> =
            (0..150).map(|row| if row < 50 { row as f32 } else { 100.0 - row as f32 }).collect();
        let facts = Facts::of_channel(CHANNELS[0], &values, smoothed(&values, 50.0), 50.0);
        let found = &facts.channels[0];
        let within = |start, end| -> Vec<_> {
            found
                .within(start, end, 5)
                .iter()
                .map(|segment| (segment.trend, segment.start, segment.end))
                .collect()
        };
        assert_eq!(within(20, 120), [(Trend::Rising, 20, 50), (Trend::Falling, 50, 120)]);
        assert_eq!(within(47, 120), [(Trend::Falling, 50, 120)]);
        assert_eq!(within(47, 49), [(Trend::Rising, 47, 49)]);
        assert_eq!((found.count(Trend::Rising), found.total_rows(Trend::Falling)), (1, 100));
        assert_eq!(found.kinds(), [Trend::Rising, Trend::Falling]);
    }

    #[test]
    fn what_is_not_measured_is_no_channel() {
        let window = Window {
            start_seconds: 0.0,
            end_seconds: 2.56,
            acceleration: vec![[0.0, 0.0, 9.81]; 128],
            rotation_rate: vec![[f32::NAN; 3]; 128],
        };
        let facts = Facts::of(&window, 50.0, &[]);
        assert_eq!(facts.channels.len(), CHANNELS.len());
        for channel in CHANNELS {
            assert_eq!(facts.channel(channel).is_some(), channel.sensor == Sensor::Acceleration, "{channel}");
        }
        assert_eq!(facts.by_variation(Sensor::Acceleration).len(), 3);
        assert_eq!((facts.movement, facts.steps_per_minute), (Some(Movement::Still), None));
    }
}
