//! What acceleration says about the phone as a body: how it is held, how much it moves, and whether it is carried by steps.

use crate::sensor::{STANDARD_GRAVITY, STATISTICS, statistics};

/// Share of gravity by which the mean acceleration may differ from it and still show where up is.
const GRAVITY_TOLERANCE: f64 = 0.25;
/// Deviation of the acceleration (m/s²) below which a phone is still, moves a little, or moves clearly.
const MOVEMENT_LIMITS: [f64; 3] = [0.25, 1.5, 6.0];
/// Steps a second that people take: from a stroll to a sprint.
const STEPS_HZ: std::ops::RangeInclusive<f32> = 1.1..=3.6;
/// Periodicity of the acceleration's magnitude from which on it shows steps.
const STEPS_PERIODICITY: f32 = 0.4;
/// Deviation of the acceleration's magnitude (m/s²) from which on it can be steps.
const STEPS_DEVIATION: f32 = 0.6;

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
/// The spectrum's peak can be a harmonic of the steps, or every second step; the pace is then half or twice the peak.
pub fn steps_per_minute(magnitude: &[f32], rate_hz: f32) -> Option<f64> {
    let [_, deviation, _, _, _, _, _, frequency, periodicity]: [f32; STATISTICS.len()] =
        statistics(magnitude, rate_hz);
    if deviation < STEPS_DEVIATION || periodicity < STEPS_PERIODICITY {
        return None;
    }
    let paces = [frequency, 0.5 * frequency, 2.0 * frequency];
    let pace = paces.into_iter().find(|pace| STEPS_HZ.contains(pace))?;
    Some(60.0 * f64::from(pace))
}
