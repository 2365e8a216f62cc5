//! One sensor's readings at uneven times, and the value between them: interpolated, low-passed where the source is
//! fast, missing in gaps.

/// The lowest rate of the accelerometer that can be used, in Hz (2 % below is tolerated). Steps have their energy
/// between 1 and 6 Hz, so a slower recording has lost it.
pub const MIN_SOURCE_RATE_HZ: f64 = 15.0;

/// A stretch of time without readings that is longer than this many seconds, and than [`GAP_PERIODS`] periods of the
/// source, is a gap.
const GAP_SECONDS: f64 = 0.25;
const GAP_PERIODS: f64 = 4.0;

/// The source rate is estimated once, from the first readings: as few as span both of these...
const ESTIMATE_SECONDS: f64 = 1.0;
const ESTIMATE_READINGS: usize = 9;
/// ... but none later than this. A fixed rule lets a stream and a whole recording come to the same estimate.
pub(super) const ESTIMATE_LIMIT_SECONDS: f64 = 5.0;

/// A source faster than this many times the target is low-passed; below, what could alias is little.
const LOW_PASS_FROM: f64 = 1.5;
/// Cut-off of the low-pass (its −6 dB point), as a share of the target's Nyquist frequency.
const CUT_OFF: f64 = 0.8;
/// Zero crossings of the windowed sinc on each side of its centre.
const LOBES: f64 = 4.0;
/// A grid point this close after a reading, as a share of the grid's step, takes that reading's time: `first + k /
/// rate` and a time stamp meant to be the same differ in the last digits.
pub(super) const SAME_TIME: f64 = 1e-3;

pub(super) fn is_measured(vector: &[f32; 3]) -> bool {
    vector.iter().all(|value| value.is_finite())
}

/// How one sensor's readings become rows of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Filter {
    /// Seconds between readings of the source.
    period: f64,
    /// Seconds between readings that count as a gap.
    pub gap: f64,
    /// Seconds on each side of a row from which readings enter it; 0 for plain interpolation.
    pub half_width: f64,
    /// Cut-off of the low-pass in Hz.
    cut_off: f64,
    /// Seconds after a reading that count as its own time.
    same_time: f64,
}

impl Filter {
    /// The filter from a source with `period` seconds between readings to `rate` rows a second.
    pub(super) fn new(period: Option<f64>, rate: f64) -> Option<Self> {
        let period = period?;
        let cut_off = CUT_OFF * rate / 2.0;
        let half_width = if 1.0 / period > LOW_PASS_FROM * rate { LOBES / (2.0 * cut_off) } else { 0.0 };
        Some(Self {
            period,
            gap: GAP_SECONDS.max(GAP_PERIODS * period),
            half_width,
            cut_off,
            same_time: SAME_TIME / rate,
        })
    }

    /// Readings a second of the source.
    pub(super) fn source_rate(&self) -> f64 {
        1.0 / self.period
    }

    /// Whether the source is fast enough for walking to be seen in it.
    pub(super) fn is_fast_enough(&self) -> bool {
        self.source_rate() >= 0.98 * MIN_SOURCE_RATE_HZ
    }

    /// Weight of a reading `offset` seconds away: a sinc under a Hamming window.
    fn weight(&self, offset: f64) -> f64 {
        let x = 2.0 * self.cut_off * offset;
        let sinc = if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
        sinc * (0.54 + 0.46 * (std::f64::consts::PI * offset / self.half_width).cos())
    }
}

/// The readings of one sensor that were measured, at strictly increasing times.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    seconds: Vec<f64>,
    values: Vec<[f32; 3]>,
}

impl Series {
    /// Appends a reading, unless it is missing or not later than the last.
    pub(super) fn push(&mut self, seconds: f64, value: [f32; 3]) {
        if is_measured(&value) && self.seconds.last().is_none_or(|&last| seconds > last) {
            self.seconds.push(seconds);
            self.values.push(value);
        }
    }

    /// Time of the latest reading.
    pub(super) fn latest(&self) -> Option<f64> {
        self.seconds.last().copied()
    }

    /// Forgets readings before `seconds`.
    pub(super) fn forget_before(&mut self, seconds: f64) {
        let count = self.seconds.partition_point(|&time| time < seconds);
        self.seconds.drain(..count);
        self.values.drain(..count);
    }

    /// Median seconds between the first readings, `None` while that cannot be said: all readings up to `now` are
    /// known, and `complete` says that no more will come.
    pub(super) fn period(&self, now: f64, complete: bool) -> Option<f64> {
        let first = *self.seconds.first()?;
        let limit = first + ESTIMATE_LIMIT_SECONDS;
        let enough = self.seconds.partition_point(|&time| time < first + ESTIMATE_SECONDS) + 1;
        let enough = enough.max(ESTIMATE_READINGS);
        let count = if enough <= self.seconds.len() && self.seconds[enough - 1] <= limit {
            enough
        } else if complete || now > limit {
            self.seconds.partition_point(|&time| time <= limit)
        } else {
            return None;
        };
        let mut intervals: Vec<f64> =
            self.seconds[..count].windows(2).map(|pair| pair[1] - pair[0]).collect();
        intervals.sort_by(f64::total_cmp);
        intervals.get(intervals.len() / 2).copied()
    }

    /// Whether enough time was given to [`period`](Self::period) by `now`.
    pub(super) fn period_is_due(&self, now: f64) -> bool {
        self.seconds.first().is_some_and(|first| now > first + ESTIMATE_LIMIT_SECONDS)
    }

    /// The vector at `time`, NaN in a gap, outside of the readings and without a usable filter.
    pub(super) fn at(&self, time: f64, filter: Option<Filter>) -> [f32; 3] {
        const MISSING: [f32; 3] = [f32::NAN; 3];
        let Some(filter) = filter.filter(Filter::is_fast_enough) else {
            return MISSING;
        };
        let mut after = self.seconds.partition_point(|&reading| reading < time);
        let mut time = time;
        if after > 0 && time - self.seconds[after - 1] <= filter.same_time {
            after -= 1;
            time = self.seconds[after];
        }
        let Some(&next) = self.seconds.get(after) else {
            return MISSING;
        };
        let value = if next == time {
            if filter.half_width == 0.0 {
                return self.values[after];
            }
            self.low_pass(time, after, filter).unwrap_or(self.values[after].map(f64::from))
        } else {
            let Some(before) = after.checked_sub(1) else {
                return MISSING;
            };
            if next - self.seconds[before] > filter.gap {
                return MISSING;
            }
            let low_passed = if filter.half_width > 0.0 { self.low_pass(time, after, filter) } else { None };
            low_passed.unwrap_or_else(|| self.interpolate(time, before, after))
        };
        let value = value.map(|component| component as f32);
        // The low-pass of values near the largest float can overflow.
        if is_measured(&value) { value } else { MISSING }
    }

    fn interpolate(&self, time: f64, before: usize, after: usize) -> [f64; 3] {
        let share = (time - self.seconds[before]) / (self.seconds[after] - self.seconds[before]);
        std::array::from_fn(|axis| {
            let (a, b) = (f64::from(self.values[before][axis]), f64::from(self.values[after][axis]));
            a + share * (b - a)
        })
    }

    /// Weighted mean of the readings around `time`, up to the next gap on each side. Each reading is also weighted by
    /// the time it stands for, so that bursts of readings do not outvote the others. `None` when the readings lie so
    /// unevenly that the weights cancel out.
    fn low_pass(&self, time: f64, around: usize, filter: Filter) -> Option<[f64; 3]> {
        let spacing = |left: usize| {
            let seconds = self.seconds[left + 1] - self.seconds[left];
            (seconds <= filter.gap).then_some(seconds)
        };
        let mut from = around;
        while from > 0 && spacing(from - 1).is_some() && self.seconds[from - 1] >= time - filter.half_width {
            from -= 1;
        }
        let mut to = around;
        while to + 1 < self.seconds.len()
            && spacing(to).is_some()
            && self.seconds[to + 1] <= time + filter.half_width
        {
            to += 1;
        }
        let mut total = 0.0;
        let mut sum = [0.0; 3];
        for reading in from..=to {
            let offset = self.seconds[reading] - time;
            if offset.abs() > filter.half_width {
                continue;
            }
            let left = reading.checked_sub(1).and_then(spacing).unwrap_or(0.0);
            let right = if reading + 1 < self.seconds.len() { spacing(reading).unwrap_or(0.0) } else { 0.0 };
            let weight = filter.weight(offset) * (left + right) / 2.0;
            total += weight;
            for (sum, &value) in sum.iter_mut().zip(&self.values[reading]) {
                *sum += weight * f64::from(value);
            }
        }
        // A full, even kernel totals 1 / (2 × cut-off); half of one, at the edge of a gap, half of that.
        (total > 0.2 / (2.0 * filter.cut_off)).then(|| sum.map(|sum| sum / total))
    }
}
