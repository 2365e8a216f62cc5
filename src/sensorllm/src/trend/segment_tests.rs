//! Properties of both kinds of trends.

use proptest::prelude::*;

use super::{Segment, Trend, Trends, exact, smoothed};

/// Segments tile each run of measured rows and neighbours differ; gives the rows covered.
fn covered(trends: &Trends) -> Vec<bool> {
    let mut covered = vec![false; trends.level.len()];
    for pair in trends.segments.windows(2) {
        assert!(pair[0].end <= pair[1].start, "{pair:?}");
        if pair[0].end == pair[1].start {
            assert_ne!(pair[0].trend, pair[1].trend, "{pair:?}");
        }
    }
    for segment in &trends.segments {
        assert!(segment.start < segment.end);
        covered[segment.start..segment.end].fill(true);
    }
    covered
}

fn names(trends: &Trends) -> Vec<(Trend, usize, usize)> {
    trends.segments.iter().map(|&Segment { trend, start, end }| (trend, start, end)).collect()
}

/// A signal that goes straight from each (row, value) to the next.
fn lines(points: &[(usize, f32)]) -> Vec<f32> {
    let mut values = Vec::new();
    for pair in points.windows(2) {
        let ((from, a), (to, b)) = (pair[0], pair[1]);
        values.extend((from..to).map(|row| a + (b - a) * (row - from) as f32 / (to - from) as f32));
    }
    values.extend(points.last().map(|point| point.1));
    values
}

/// Noise of about standard deviation 1.
fn noise(rows: usize, seed: u64) -> Vec<f32> {
    let mut random = crate::sampler::SplitMix64(seed);
    (0..rows).map(|_| ((0..12).map(|_| random.uniform()).sum::<f64>() - 6.0) as f32).collect()
}

use Trend::{Falling, Rising, Steady};

#[test]
fn exact_trends_are_those_of_neighbouring_samples() {
    let trends = exact(&[1.0, 2.0, 3.0, 3.0, 3.0, 2.0, 4.0]);
    assert_eq!(names(&trends), [(Rising, 0, 3), (Steady, 3, 5), (Falling, 5, 6), (Rising, 6, 7)]);
    assert_eq!(trends.overall(), Some(Rising));
    assert_eq!(names(&exact(&[5.0])), [(Steady, 0, 1)]);
    assert!(exact(&[]).segments.is_empty() && exact(&[f32::NAN]).overall().is_none());
    let torn = exact(&[1.0, 2.0, f32::NAN, 1.0, 0.0, f32::INFINITY, 7.0]);
    assert_eq!(names(&torn), [(Rising, 0, 2), (Falling, 3, 5), (Steady, 6, 7)]);
}

#[test]
fn a_plateau_is_steady_and_a_slope_is_not() {
    let values = lines(&[(0, 0.0), (50, 0.0), (75, 4.0), (125, 4.0), (150, 0.0), (200, 0.0)]);
    let found = names(&smoothed(&values, 50.0));
    let expected =
        [(Steady, 0, 50), (Rising, 50, 75), (Steady, 75, 125), (Falling, 125, 150), (Steady, 150, 201)];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.0, expected.0);
        assert!(
            found.1.abs_diff(expected.1) <= 4 && found.2.abs_diff(expected.2) <= 4,
            "{found:?} {expected:?}"
        );
    }
    assert_eq!(names(&smoothed(&lines(&[(0, 0.0), (500, 1.0)]), 50.0)), [(Rising, 0, 501)]);
}

#[test]
fn a_swing_is_rises_and_falls() {
    for frequency in [0.4_f32, 0.8, 1.5, 2.5] {
        let values: Vec<f32> = (0..256)
            .map(|row| 9.81 + 2.0 * (std::f32::consts::TAU * frequency * row as f32 / 50.0).cos())
            .collect();
        let trends = smoothed(&values, 50.0);
        assert!(trends.segments.iter().all(|segment| segment.trend != Steady), "{frequency}: {trends:?}");
        let halves = (2.0 * frequency * 256.0 / 50.0).floor() as usize;
        assert!(trends.segments.len().abs_diff(halves) <= 1, "{frequency}: {:?}", names(&trends));
    }
}

#[test]
fn a_short_gap_is_bridged_and_a_long_one_breaks() {
    let mut values = lines(&[(0, 0.0), (50, 5.0), (100, 0.0)]);
    values[20..26].fill(f32::NAN);
    let found = smoothed(&values, 50.0);
    assert_eq!(names(&found), [(Rising, 0, 50), (Falling, 50, 101)]);
    values[10..30].fill(f32::NAN);
    let found = names(&smoothed(&values, 50.0));
    assert_eq!(found[0].2, 10);
    assert_eq!(found[1].1, 30);
}

#[test]
fn noise_alone_is_steady() {
    let mut steady = 0;
    for seed in 0..1000 {
        let rows = 100 + seed as usize;
        let values: Vec<f32> = noise(rows, seed).iter().map(|value| 9.81 + 0.01 * value).collect();
        steady += usize::from(names(&smoothed(&values, 50.0)) == [(Steady, 0, rows)]);
    }
    // Once in some ten thousand times chance looks like a trend.
    assert!(steady >= 999, "{steady} of 1000");
}

proptest! {
    #[test]
    fn segments_tile_what_is_measured(
        values in prop::collection::vec(prop_oneof![8 => -20f32..20.0, 2 => Just(f32::NAN), 2 => Just(1.5)], 0..200),
        rate in 10f32..200.0,
    ) {
        let measured: Vec<bool> = values.iter().map(|value| value.is_finite()).collect();
        prop_assert_eq!(covered(&exact(&values)), measured.clone());
        let trends = smoothed(&values, rate);
        let known: Vec<bool> = trends.level.iter().map(|value| value.is_finite()).collect();
        prop_assert_eq!(covered(&trends), known.clone());
        // Smoothing hides no measured row.
        prop_assert!(measured.iter().zip(&known).all(|(measured, known)| *known || !measured));
    }

    #[test]
    fn anything_goes(values in prop::collection::vec(any::<f32>(), 0..100), rate in any::<f32>()) {
        covered(&exact(&values));
        covered(&smoothed(&values, rate));
    }

    #[test]
    fn gain_and_offset_change_no_smoothed_trend(
        values in prop::collection::vec(-512i32..512, 2..200),
        offset in -64i32..64,
        power in -3i32..4,
    ) {
        // Multiples of 1/64 stay exact in 32 bits.
        let plain: Vec<f32> = values.iter().map(|&value| value as f32 / 64.0).collect();
        let moved: Vec<f32> = plain.iter().map(|value| (value + offset as f32) * 2f32.powi(power)).collect();
        prop_assert_eq!(names(&smoothed(&plain, 50.0)), names(&smoothed(&moved, 50.0)));
        let turned: Vec<f32> = plain.iter().map(|value| -value).collect();
        let swap = |trend| match trend { Rising => Falling, Falling => Rising, Steady => Steady };
        let swapped: Vec<_> = names(&smoothed(&turned, 50.0)).into_iter().map(|(trend, a, b)| (swap(trend), a, b)).collect();
        prop_assert_eq!(names(&smoothed(&plain, 50.0)), swapped);
    }

    #[test]
    fn triangle_waves_turn_at_their_corners(half in 12usize..60, corners in 2usize..8, height in 0.1f32..20.0) {
        let points: Vec<_> = (0..=corners).map(|index| (index * half, height * (index % 2) as f32)).collect();
        let values = lines(&points);
        for trends in [exact(&values), smoothed(&values, 50.0)] {
            let found = names(&trends);
            prop_assert_eq!(found.len(), corners, "{:?}", found);
            for (index, (trend, start, end)) in found.into_iter().enumerate() {
                prop_assert_eq!(trend, if index % 2 == 0 { Rising } else { Falling });
                prop_assert!(start.abs_diff(index * half) <= 1, "{} {}", start, index * half);
                prop_assert!(end.abs_diff((index + 1) * half) <= 1, "{} {}", end, (index + 1) * half);
            }
        }
    }

    #[test]
    fn noise_moves_corners_little(seed in any::<u64>(), half in 25usize..60) {
        let points: Vec<_> = (0..=4).map(|index| (index * half, 10.0 * (index % 2) as f32)).collect();
        let values: Vec<f32> =
            lines(&points).iter().zip(noise(4 * half + 1, seed)).map(|(value, noise)| value + 0.3 * noise).collect();
        let found = names(&smoothed(&values, 50.0));
        prop_assert_eq!(found.len(), 4, "{:?}", found);
        for (index, (_, start, _)) in found.into_iter().enumerate() {
            prop_assert!(start.abs_diff(index * half) <= 5, "{} {}", start, index * half);
        }
    }
}
