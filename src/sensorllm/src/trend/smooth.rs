//! Trends as a person would say them: noise is no trend, a wobble is no turn, and a plateau is steady.

use super::segment::{Segment, Trend, Trends, runs};

/// Width of the Gaussian that smooths, in seconds: half of what is left of a 3 Hz swing, a thousandth of a 10 Hz tremor.
const SMOOTHING_SECONDS: f64 = 0.06;
/// Gaps up to this long are bridged by a straight line; longer ones break.
const BRIDGED_SECONDS: f64 = 0.2;
/// A trend that lasts shorter than this belongs to its longer neighbour.
const SHORTEST_SECONDS: f64 = 0.1;
/// Steady parts are at least this long.
const SHORTEST_STEADY_SECONDS: f64 = 0.4;
/// A change counts from this many standard deviations of the smoothed noise on: pure noise of a minute stays below.
const NOISE_FACTOR: f64 = 9.0;
/// A change counts from this share of the signal's range (5th to 95th percentile) on.
const RANGE_SHARE: f64 = 0.15;
/// Height of a plateau, as a share of the rise or fall it interrupts.
const PLATEAU_SHARE: f64 = 0.12;
/// How much longer than a straight line a signal must stay within a plateau's height. A cosine's turn has 1.9 times.
const PLATEAU_PATIENCE: f64 = 2.2;

/// The trends of `values` (one every `1 / rate_hz` seconds), smoothed, with noise left out.
///
/// A Gaussian of 60 ms smooths. The signal turns where it goes back by more than a threshold: 9 standard deviations of the smoothed
/// noise (told by second differences, robustly) and at least 15 % of its range. Where it dwells between two
/// turns it is steady. Gain and offset change nothing. Gaps of up to 0.2 s are bridged by a straight line; longer ones break:
/// no segment covers them.
pub fn smoothed(values: &[f32], rate_hz: f32) -> Trends {
    let rate = possible_rate(rate_hz);
    let rows = |seconds: f64| (seconds * rate).round().max(1.0) as usize;
    let raw = bridge(values, rows(BRIDGED_SECONDS));
    let mut level = vec![f64::NAN; raw.len()];
    let mut noise = Vec::new();
    for (start, end) in runs(&raw) {
        let sigma = SMOOTHING_SECONDS * rate;
        level[start..end].copy_from_slice(&gaussian(&raw[start..end], sigma));
        noise.extend(raw[start..end].windows(3).map(|three| (three[0] - 2.0 * three[1] + three[2]).abs()));
    }
    let mut sorted: Vec<f64> = level.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let threshold = (NOISE_FACTOR * smoothed_noise(noise, SMOOTHING_SECONDS * rate))
        .max(RANGE_SHARE * (quantile(&sorted, 0.95) - quantile(&sorted, 0.05)))
        // Rounding of 32-bit values is no motion.
        .max(1e-6 * sorted.iter().fold(0.0, |most: f64, value| most.max(value.abs())));
    let mut segments = Vec::new();
    for (start, end) in runs(&level) {
        let run =
            Run { level: &level[start..end], threshold, shortest_steady: rows(SHORTEST_STEADY_SECONDS) };
        let mut parts = run.parts();
        merge_short(&mut parts, rows(SHORTEST_SECONDS));
        segments.extend(parts.iter().map(|part| Segment {
            trend: part.trend,
            start: start + part.start,
            end: start + part.end,
        }));
    }
    Trends { segments, level, threshold }
}

/// A rate at which samples can come: whoever gives an impossible one gets facts all the same, of the nearest possible.
pub(super) fn possible_rate(rate_hz: f32) -> f64 {
    if rate_hz.is_finite() { f64::from(rate_hz).clamp(1.0, 1000.0) } else { 50.0 }
}

/// `values` with short gaps filled by straight lines; NaN in the others and at the ends.
fn bridge(values: &[f32], longest: usize) -> Vec<f64> {
    let mut filled: Vec<f64> =
        values.iter().map(|&value| if value.is_finite() { f64::from(value) } else { f64::NAN }).collect();
    for pair in runs(&filled.clone()).windows(2) {
        let (before, after) = (pair[0].1, pair[1].0);
        if after - before <= longest {
            let (from, to) = (filled[before - 1], filled[after]);
            let steps = (after - before + 1) as f64;
            for (row, value) in filled[before..after].iter_mut().enumerate() {
                *value = from + (to - from) * (row + 1) as f64 / steps;
            }
        }
    }
    filled
}

/// `values` smoothed by a Gaussian of `sigma` rows; at the ends by the part of it that lies inside.
fn gaussian(values: &[f64], sigma: f64) -> Vec<f64> {
    let reach = (3.0 * sigma).ceil() as usize;
    let weights: Vec<f64> = (0..=reach).map(|row| (-0.5 * (row as f64 / sigma).powi(2)).exp()).collect();
    (0..values.len())
        .map(|row| {
            // Differences to the row itself: an offset then changes nothing, however large.
            let (mut sum, mut weight) = (0.0, 0.0);
            for other in row.saturating_sub(reach)..(row + reach + 1).min(values.len()) {
                let share = weights[row.abs_diff(other)];
                sum += share * (values[other] - values[row]);
                weight += share;
            }
            values[row] + sum / weight
        })
        .collect()
}

/// Standard deviation of the noise after smoothing, from absolute second differences of the raw values.
fn smoothed_noise(mut differences: Vec<f64>, sigma: f64) -> f64 {
    differences.sort_by(f64::total_cmp);
    // Median absolute deviation of a normal distribution, and the variance 6 of the differences' weights 1, -2, 1.
    let raw = quantile(&differences, 0.5) / 0.6745 / 6.0_f64.sqrt();
    raw / (2.0 * std::f64::consts::PI.sqrt() * sigma).sqrt().max(1.0)
}

/// The value below which `share` of the sorted values lie; 0 when there are none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// One run of measured, smoothed values.
struct Run<'a> {
    level: &'a [f64],
    threshold: f64,
    shortest_steady: usize,
}

impl Run<'_> {
    /// Stretches of one trend that tile the run.
    fn parts(&self) -> Vec<Segment> {
        let end = self.level.len();
        let turns = self.turns();
        let (Some(&first), Some(&last)) = (turns.first(), turns.last()) else {
            return vec![Segment { trend: Trend::Steady, start: 0, end }];
        };
        let mut parts = Vec::new();
        // What lies before the first turn and after the last changes by less than the threshold.
        let first = self.quiet_edge(0..first, &mut parts).map_or(0, |end| end);
        for pair in turns.windows(2) {
            let from = if pair[0] == turns[0] { first } else { pair[0] };
            self.leg(from, pair[1], Trend::of(self.level[pair[1]] - self.level[from], 0.0), &mut parts);
        }
        if self.quiet_edge(last..end, &mut parts).is_none()
            && let Some(part) = parts.last_mut()
        {
            part.end = end;
        }
        merge_same(&mut parts);
        self.extend_steady(&mut parts);
        merge_same(&mut parts);
        parts
    }

    /// Rows at an end of the run become steady if they are long enough for it; gives where they end.
    fn quiet_edge(&self, rows: std::ops::Range<usize>, parts: &mut Vec<Segment>) -> Option<usize> {
        (rows.len() >= self.shortest_steady).then(|| {
            parts.push(Segment { trend: Trend::Steady, start: rows.start, end: rows.end });
            rows.end
        })
    }

    /// Rows where the signal turns: alternately its highest and lowest between changes of more than the threshold.
    fn turns(&self) -> Vec<usize> {
        let level = self.level;
        let (mut low, mut high) = (0, 0);
        let mut turns = Vec::new();
        // The side on which the next turn is sought: a peak after a rise, a valley after a fall.
        let mut seeking: Option<Trend> = None;
        for row in 1..level.len() {
            if level[row] > level[high] {
                high = row;
            }
            if level[row] < level[low] {
                low = row;
            }
            if seeking != Some(Trend::Rising) && level[row] - level[low] > self.threshold {
                turns.push(low);
                (seeking, high) = (Some(Trend::Rising), row);
            } else if seeking != Some(Trend::Falling) && level[high] - level[row] > self.threshold {
                turns.push(high);
                (seeking, low) = (Some(Trend::Falling), row);
            }
        }
        match seeking {
            Some(Trend::Rising) => turns.push(high),
            Some(_) => turns.push(low),
            None => {}
        }
        turns
    }

    /// A rise or fall over the rows `from..to`, and the plateaus on its way.
    fn leg(&self, from: usize, to: usize, trend: Trend, parts: &mut Vec<Segment>) {
        if from >= to {
            return;
        }
        match self.plateau(from, to) {
            Some((start, end)) => {
                self.leg(from, start, trend, parts);
                parts.push(Segment { trend: Trend::Steady, start, end });
                self.leg(end, to, trend, parts);
            }
            None => parts.push(Segment { trend, start: from, end: to }),
        }
    }

    /// The longest stretch of `from..to` in which the signal dwells.
    fn plateau(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let level = &self.level[from..to];
        let (low, high) = extremes(level);
        let band = PLATEAU_SHARE * (high - low);
        let needed = (PLATEAU_PATIENCE * PLATEAU_SHARE * level.len() as f64).ceil() as usize;
        let needed = needed.max(self.shortest_steady);
        let mut best = (0, 0);
        for start in 0..level.len() {
            if start + needed.max(best.1 - best.0 + 1) > level.len() {
                break;
            }
            let (mut low, mut high) = (level[start], level[start]);
            let mut end = start + 1;
            while end < level.len() {
                low = low.min(level[end]);
                high = high.max(level[end]);
                if high - low > band {
                    break;
                }
                end += 1;
            }
            if end - start > best.1 - best.0 {
                best = (start, end);
            }
        }
        (best.1 - best.0 >= needed && high > low).then(|| {
            // The slopes at its ends are within the band but not within half of it.
            let middle = median(&level[best.0..best.1]);
            let near = |row: &usize| (level[*row] - middle).abs() <= 0.5 * band;
            let start = (best.0..best.1).find(near).unwrap_or(best.0);
            let end = (start..best.1).rfind(near).map_or(best.1, |row| row + 1);
            (from + start, from + end)
        })
    }

    /// Lets steady parts take those rows of their neighbours that are as level: a plateau reaches over the turn next to it.
    fn extend_steady(&self, parts: &mut Vec<Segment>) {
        for index in 0..parts.len() {
            let Segment { trend, start, end } = parts[index];
            if trend != Trend::Steady {
                continue;
            }
            let middle = median(&self.level[start..end]);
            let (low, high) = extremes(&self.level[start..end]);
            let near = |row: usize, height: f64| {
                (self.level[row] - middle).abs() <= 0.5 * (high - low).max(PLATEAU_SHARE * height)
            };
            if index > 0 {
                let limit = parts[index - 1].start;
                let height = (self.level[limit] - middle).abs();
                let near = |row| near(row, height);
                let start = (limit..start).rev().find(|&row| !near(row)).map_or(limit, |row| row + 1);
                (parts[index].start, parts[index - 1].end) = (start, start);
            }
            if index + 1 < parts.len() {
                let limit = parts[index + 1].end;
                let height = (self.level[limit - 1] - middle).abs();
                let near = |row| near(row, height);
                let end = (end..limit).find(|&row| !near(row)).unwrap_or(limit);
                (parts[index].end, parts[index + 1].start) = (end, end);
            }
        }
        parts.retain(|part| part.start < part.end);
    }
}

fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// Joins neighbours of the same trend.
fn merge_same(parts: &mut Vec<Segment>) {
    parts.dedup_by(|next, part| {
        let same = next.trend == part.trend;
        if same {
            part.end = next.end;
        }
        same
    });
}

/// Gives parts of fewer than `shortest` rows to their longer neighbours, the shortest part first.
fn merge_short(parts: &mut Vec<Segment>, shortest: usize) {
    while parts.len() > 1 {
        let Some((index, part)) = parts.iter().copied().enumerate().min_by_key(|(_, part)| part.rows())
        else {
            return;
        };
        if part.rows() >= shortest {
            return;
        }
        let before = index.checked_sub(1).map_or(0, |before| parts[before].rows());
        let after = parts.get(index + 1).map_or(0, Segment::rows);
        if before >= after {
            parts[index - 1].end = part.end;
        } else {
            parts[index + 1].start = part.start;
        }
        parts.remove(index);
        merge_same(parts);
    }
}
