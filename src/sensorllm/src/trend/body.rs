//! What acceleration says about the phone as a body: how it is held, how much it moves, and whether it is carried by steps.

use super::smooth::{possible_rate, smoothed};
use crate::sensor::STANDARD_GRAVITY;

/// Share of gravity by which the mean acceleration may differ from it and still show where up is.
const GRAVITY_TOLERANCE: f64 = 0.25;
/// Deviation of the acceleration (m/s²) below which a phone is still, moves a little, or moves clearly.
const MOVEMENT_LIMITS: [f64; 3] = [0.25, 1.5, 8.0];
/// Steps a second that people take: from a stroll to a sprint.
const STEPS_HZ: [f64; 2] = [1.1, 3.6];
/// Correlation of the acceleration's magnitude with itself one step later, from which on it shows steps.
const STEPS_CORRELATION: f64 = 0.3;
/// Share of the best correlation from which on a shorter lag is the step, and the better one two of them: left and right foot
/// differ.
const STEP_SHARE: f64 = 0.5;
/// Deviation of the acceleration's magnitude (m/s²) from which on it can be steps.
const STEPS_DEVIATION: f64 = 0.6;

/// Which side of the phone points up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Posture {
    /// The top edge points up.
    Upright,
    /// The bottom edge points up.
    UpsideDown,
    /// The screen points up.
    OnItsBack,
    /// The back points up.
    OnItsFace,
    /// The right edge points up.
    OnItsLeftSide,
    /// The left edge points up.
    OnItsRightSide,
}

impl Posture {
    /// Every posture.
    pub const ALL: [Self; 6] = [
        Self::Upright,
        Self::UpsideDown,
        Self::OnItsBack,
        Self::OnItsFace,
        Self::OnItsLeftSide,
        Self::OnItsRightSide,
    ];

    /// Its name in fact sheets and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upright => "upright",
            Self::UpsideDown => "upside down",
            Self::OnItsBack => "on its back",
            Self::OnItsFace => "on its face",
            Self::OnItsLeftSide => "on its left side",
            Self::OnItsRightSide => "on its right side",
        }
    }

    /// The side that points up.
    pub fn upper_side(self) -> &'static str {
        match self {
            Self::Upright => "top edge",
            Self::UpsideDown => "bottom edge",
            Self::OnItsBack => "screen",
            Self::OnItsFace => "back",
            Self::OnItsLeftSide => "right edge",
            Self::OnItsRightSide => "left edge",
        }
    }
}

/// How the phone is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attitude {
    /// The side nearest to up.
    pub posture: Posture,
    /// Angle between that side's direction and up, in degrees: from 0 to 54.7, where a corner points up.
    pub tilt: f64,
}

/// How much the phone moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Movement {
    /// As on a table, or in the pocket of someone who sits.
    Still,
    /// As in a hand that holds it.
    Slight,
    /// As with someone who walks.
    Clear,
    /// As with someone who runs.
    Strong,
}

impl Movement {
    /// Every degree of movement.
    pub const ALL: [Self; 4] = [Self::Still, Self::Slight, Self::Clear, Self::Strong];

    /// Its name in fact sheets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Still => "still",
            Self::Slight => "slight",
            Self::Clear => "clear",
            Self::Strong => "strong",
        }
    }
}

/// Mean and deviation (root of the summed variances) of the measured vectors; `None` when there are none.
fn moments(acceleration: &[[f32; 3]]) -> Option<([f64; 3], f64)> {
    let measured = || {
        acceleration.iter().filter(|vector| vector.iter().all(|x| x.is_finite())).map(|v| v.map(f64::from))
    };
    let count = measured().count();
    if count == 0 {
        return None;
    }
    let mean: [f64; 3] =
        std::array::from_fn(|axis| measured().map(|vector| vector[axis]).sum::<f64>() / count as f64);
    let square = |vector: [f64; 3]| (0..3).map(|axis| (vector[axis] - mean[axis]).powi(2)).sum::<f64>();
    Some((mean, (measured().map(square).sum::<f64>() / count as f64).sqrt()))
}

/// How the phone is held, from the mean acceleration; `None` where that is not as long as gravity.
pub fn attitude(acceleration: &[[f32; 3]]) -> Option<Attitude> {
    let (mean, _) = moments(acceleration)?;
    let length = mean.iter().map(|value| value * value).sum::<f64>().sqrt();
    let gravity = f64::from(STANDARD_GRAVITY);
    if (length - gravity).abs() > GRAVITY_TOLERANCE * gravity {
        return None;
    }
    let axis = (0..3).max_by(|&a, &b| mean[a].abs().total_cmp(&mean[b].abs()))?;
    let posture = match (axis, mean[axis] > 0.0) {
        (0, true) => Posture::OnItsLeftSide,
        (0, false) => Posture::OnItsRightSide,
        (1, true) => Posture::Upright,
        (1, false) => Posture::UpsideDown,
        (_, true) => Posture::OnItsBack,
        (_, false) => Posture::OnItsFace,
    };
    Some(Attitude { posture, tilt: (mean[axis].abs() / length).min(1.0).acos().to_degrees() })
}

/// How much the phone moves; `None` when no acceleration was measured.
pub fn movement(acceleration: &[[f32; 3]]) -> Option<Movement> {
    let (_, deviation) = moments(acceleration)?;
    Some(Movement::ALL[MOVEMENT_LIMITS.iter().filter(|&&limit| deviation >= limit).count()])
}

/// Steps a minute from the magnitude of the acceleration, when it varies enough, regularly, and at a pace of people.
///
/// The magnitude is smoothed and correlated with itself; a step is the shortest lag at which the correlation has a peak about as
/// high as its highest one.
pub fn steps_per_minute(magnitude: &[f32], rate_hz: f32) -> Option<f64> {
    let smooth = smoothed(magnitude, rate_hz).level;
    let measured = || smooth.iter().copied().filter(|value| value.is_finite());
    let count = measured().count().max(1) as f64;
    let mean = measured().sum::<f64>() / count;
    let deviation = (measured().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    if deviation < STEPS_DEVIATION {
        return None;
    }
    let rate = possible_rate(rate_hz);
    let first = (rate / STEPS_HZ[1]).floor() as usize;
    let slowest = rate / STEPS_HZ[0];
    // What repeats must come twice to be seen.
    let last = ((2.0 * slowest).ceil() as usize).min(smooth.len() / 2);
    let at = |lag: usize| correlation(&smooth, mean, lag);
    let correlations: Vec<f64> = (first.saturating_sub(1)..last + 2).map(at).collect();
    let peaks = || {
        correlations.windows(3).enumerate().filter(|(_, three)| three[0] < three[1] && three[1] >= three[2])
    };
    let best = peaks().map(|(_, three)| three[1]).fold(0.0, f64::max);
    if best < STEPS_CORRELATION {
        return None;
    }
    let (index, three) = peaks().find(|(_, three)| three[1] >= STEP_SHARE * best)?;
    // The top of the parabola through the three.
    let shift = 0.5 * (three[0] - three[2]) / (three[0] - 2.0 * three[1] + three[2]);
    let lag = (first.saturating_sub(1) + index + 1) as f64 + shift;
    // Left and right foot can differ so much that only every second step repeats.
    let step = if lag > slowest { 0.5 * lag } else { lag };
    Some(60.0 * rate / step).filter(|pace| pace.is_finite())
}

/// Correlation of `values` with themselves `lag` rows later, over the rows where both are measured.
fn correlation(values: &[f64], mean: f64, lag: usize) -> f64 {
    let (mut product, mut first, mut second) = (0.0, 0.0, 0.0);
    for (a, b) in values.iter().zip(values.iter().skip(lag)).filter(|(a, b)| a.is_finite() && b.is_finite()) {
        product += (a - mean) * (b - mean);
        first += (a - mean).powi(2);
        second += (b - mean).powi(2);
    }
    let size = (first * second).sqrt();
    if size > 0.0 { product / size } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gravity_shows_which_side_is_up_and_by_how_much_it_is_tilted() {
        let cases = [
            ([0.0, 9.81, 0.0], Posture::Upright, 0.0),
            ([0.0, -9.81, 0.0], Posture::UpsideDown, 0.0),
            ([0.0, 0.0, 9.81], Posture::OnItsBack, 0.0),
            ([0.0, 0.0, -9.81], Posture::OnItsFace, 0.0),
            ([9.81, 0.0, 0.0], Posture::OnItsLeftSide, 0.0),
            ([-9.81, 0.0, 0.0], Posture::OnItsRightSide, 0.0),
            ([0.0, 8.5, 4.905], Posture::Upright, 30.0),
        ];
        for (acceleration, posture, tilt) in cases {
            let found = attitude(&[acceleration, [f32::NAN; 3]]).unwrap();
            assert_eq!(found.posture, posture);
            assert!((found.tilt - tilt).abs() < 0.1, "{found:?}");
        }
        assert!(attitude(&[[0.0, 0.5, 0.2]]).is_none() && attitude(&[]).is_none());
    }

    #[test]
    fn movement_is_told_by_how_much_the_acceleration_varies() {
        let swing = |size: f32| -> Vec<[f32; 3]> {
            (0..100).map(|row| [0.0, 0.0, 9.81 + if row % 2 == 0 { size } else { -size }]).collect()
        };
        let found = [0.01, 0.5, 3.0, 12.0].map(|size| movement(&swing(size)).unwrap());
        assert_eq!(found, Movement::ALL);
        assert!(movement(&[[f32::NAN; 3]]).is_none());
    }

    #[test]
    fn a_step_is_counted_when_its_foot_is_heavier_too() {
        let walk = |pace: f64, other: f64, noise: u64| -> Vec<f32> {
            let mut random = crate::sampler::SplitMix64(noise);
            (0..256)
                .map(|row| {
                    let step = std::f64::consts::TAU * row as f64 / 50.0 * pace / 60.0;
                    (9.81 + 3.0 * step.sin() + other * (0.5 * step).sin() + random.uniform()) as f32
                })
                .collect()
        };
        for pace in [90.0, 110.0, 165.0] {
            for other in [0.0, 1.0] {
                let found = steps_per_minute(&walk(pace, other, 7), 50.0).unwrap();
                assert!((found - pace).abs() < 4.0, "{pace} {other}: {found}");
            }
        }
        let still: Vec<f32> = walk(110.0, 0.0, 1).iter().map(|value| 9.81 + 0.05 * (value - 9.81)).collect();
        assert!(steps_per_minute(&still, 50.0).is_none());
        assert!(steps_per_minute(&[f32::NAN; 100], 50.0).is_none());
    }
}
