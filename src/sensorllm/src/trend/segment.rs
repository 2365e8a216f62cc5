//! What a trend is, and the stretches of one trend that a signal is made of, sample by sample.

use std::fmt;

/// Which way a signal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trend {
    /// Its values grow.
    Rising,
    /// Its values become smaller.
    Falling,
    /// Its values stay about the same.
    Steady,
}

impl Trend {
    /// Every trend, in the order in which sheets and summaries name them.
    pub const ALL: [Self; 3] = [Self::Rising, Self::Falling, Self::Steady];

    /// Its name in fact sheets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rising => "rising",
            Self::Falling => "falling",
            Self::Steady => "steady",
        }
    }

    /// The trend of a change by `difference`, which counts as none while not larger than `threshold` either way.
    pub fn of(difference: f64, threshold: f64) -> Self {
        if difference > threshold {
            Self::Rising
        } else if difference < -threshold {
            Self::Falling
        } else {
            Self::Steady
        }
    }
}

impl fmt::Display for Trend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A stretch of one trend. Row `k` of a signal stands for the time from `k / rate` to `(k + 1) / rate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which way the signal goes.
    pub trend: Trend,
    /// Its first row.
    pub start: usize,
    /// The row after its last.
    pub end: usize,
}

impl Segment {
    /// Number of its rows.
    pub fn rows(&self) -> usize {
        self.end - self.start
    }
}

/// The trends of one signal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trends {
    /// Stretches in order of time. They tile every run of measured rows: each starts where the one before ends, except
    /// across a gap, and neighbours that touch differ in trend.
    pub segments: Vec<Segment>,
    /// The signal in which changes are told: the values themselves, or smoothed. NaN in gaps.
    pub level: Vec<f64>,
    /// The largest change of `level` that still counts as steady.
    pub threshold: f64,
}

impl Trends {
    /// Where the signal ends compared with where it began; `None` when nothing was measured.
    pub fn overall(&self) -> Option<Trend> {
        self.between(0, self.level.len())
    }

    /// Where the signal is at the end of `start..end` (rows) compared with its beginning.
    pub fn between(&self, start: usize, end: usize) -> Option<Trend> {
        let rows = self.level.get(start..end.min(self.level.len()))?;
        let first = rows.iter().find(|value| value.is_finite())?;
        let last = rows.iter().rfind(|value| value.is_finite())?;
        Some(Trend::of(last - first, self.threshold))
    }
}

/// The trends of every sample: each is compared with the one before it, and any difference is a trend.
///
/// The definition of SensorLLM's first stage. A segment reaches from the first of its changes to one row after its last, so that
/// the first row belongs to the first segment. Gaps (values that are not finite) break: rows are compared only inside a
/// run of measured ones, and a run of a single row is steady.
pub fn exact(values: &[f32]) -> Trends {
    let level: Vec<f64> =
        values.iter().map(|&value| if value.is_finite() { f64::from(value) } else { f64::NAN }).collect();
    let mut segments: Vec<Segment> = Vec::new();
    for (start, end) in runs(&level) {
        if end - start == 1 {
            segments.push(Segment { trend: Trend::Steady, start, end });
            continue;
        }
        let first = segments.len();
        for row in start + 1..end {
            let trend = Trend::of(level[row] - level[row - 1], 0.0);
            // The change into row 1 is where the run begins, and the last change takes the last row with it.
            let (from, to) = (if row == start + 1 { start } else { row }, row + 1);
            match segments[first..].last_mut() {
                Some(last) if last.trend == trend => last.end = to,
                _ => segments.push(Segment { trend, start: from, end: to }),
            }
        }
    }
    Trends { segments, level, threshold: 0.0 }
}

/// The runs of finite values, as (first row, row after the last).
pub(super) fn runs(values: &[f64]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = None;
    for (row, value) in values.iter().enumerate() {
        match (value.is_finite(), start) {
            (true, None) => start = Some(row),
            (false, Some(from)) => {
                runs.push((from, row));
                start = None;
            }
            _ => {}
        }
    }
    runs.extend(start.map(|from| (from, values.len())));
    runs
}
