//! Windows out of live readings, as soon as they are full and with bounded memory.

use super::{
    Samples, Window, WindowConfig,
    resample::{accelerometer_rate, check_columns, grid_time},
    series::{Filter, SAME_TIME, Series},
    window::{RESTART_SECONDS, window},
};
use crate::error::{Error, Result};

/// A clock that falls back by less than this has readings out of order, which are dropped; by more, it was set anew.
const OUT_OF_ORDER_SECONDS: f64 = 1.0;

/// Cuts windows from readings as they arrive: the same windows as [`windows`](super::windows) cuts from the whole
/// recording, each as soon as no later reading can change it. That is at the first reading after its last row, or,
/// where the source is so fast that it is low-passed, one filter half-width (0.1 s at 50 Hz) later; while the
/// gyroscope pauses, up to 0.4 s later (up to 5 s, once, if it falls silent before its rate is known).
///
/// A pause of more than 2 s, or a clock that jumps back by more than 1 s, starts a new grid and no window bridges it.
/// Readings that come late by less are dropped.
#[derive(Clone, Debug)]
pub struct WindowStream {
    config: WindowConfig,
    grid: Option<Grid>,
    /// An error met in a push that also completed windows: reported by the next push.
    pending: Option<Error>,
}

impl WindowStream {
    /// A stream of windows that `config` describes.
    ///
    /// # Errors
    /// As [`WindowConfig::validate`].
    pub fn new(config: WindowConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config, grid: None, pending: None })
    }

    /// How the windows are cut.
    pub fn config(&self) -> &WindowConfig {
        &self.config
    }

    /// Takes the next readings and returns the windows that they complete, oldest first.
    ///
    /// # Errors
    /// `InvalidInput` for columns of different length and `Clock` for a time that is not finite, both of which leave
    /// the stream as it was; `Rate` when the accelerometer is too slow, after which the stream starts over with the
    /// next reading.
    pub fn push(&mut self, samples: &Samples) -> Result<Vec<Window>> {
        check_columns(samples)?;
        if let Some(error) = self.pending.take() {
            self.grid = None;
            return Err(error);
        }
        let mut windows = Vec::new();
        for (row, &seconds) in samples.seconds.iter().enumerate() {
            if let Some(grid) = &self.grid {
                let step = seconds - grid.latest;
                if step < 0.0 && step > -OUT_OF_ORDER_SECONDS {
                    continue;
                }
                if !(0.0..=RESTART_SECONDS).contains(&step) {
                    self.complete(true, &mut windows);
                    self.grid = None;
                }
            }
            let grid = self.grid.get_or_insert_with(|| Grid::starting(seconds));
            grid.latest = seconds;
            grid.acceleration.series.push(seconds, samples.acceleration[row]);
            grid.rotation_rate.series.push(seconds, samples.rotation_rate[row]);
        }
        self.complete(false, &mut windows);
        match self.pending.take() {
            Some(error) if windows.is_empty() => Err(error),
            error => {
                self.pending = error;
                Ok(windows)
            }
        }
    }

    /// Says that no more readings will come and returns the windows that only waited for them. The stream can then be
    /// used for another recording.
    pub fn finish(&mut self) -> Vec<Window> {
        let mut windows = Vec::new();
        self.complete(true, &mut windows);
        self.grid = None;
        self.pending = None;
        windows
    }

    /// Brings the grid as far as the readings allow; `last` when none will follow on it.
    fn complete(&mut self, last: bool, windows: &mut Vec<Window>) {
        let Some(grid) = &mut self.grid else { return };
        if let Err(error) = grid.advance(last, &self.config, windows) {
            self.grid = None;
            // A stretch that ends before its rate is known for sure is no reason to complain.
            if !last {
                self.pending = Some(error);
            }
        }
    }
}

/// The uniform grid that is being filled.
#[derive(Clone, Debug)]
struct Grid {
    /// Time of row 0.
    start: f64,
    /// Time of the latest reading of either sensor.
    latest: f64,
    acceleration: Track,
    rotation_rate: Track,
    /// Index of the first row that is kept, which is where the next window starts or earlier.
    first: u64,
    /// Rows from `first` on.
    rows: Rows,
    /// Index of the row at which the next window starts.
    next_window: u64,
}

#[derive(Clone, Debug, Default)]
struct Rows {
    acceleration: Vec<[f32; 3]>,
    rotation_rate: Vec<[f32; 3]>,
}

impl Grid {
    fn starting(seconds: f64) -> Self {
        Self {
            start: seconds,
            latest: seconds,
            acceleration: Track::default(),
            rotation_rate: Track::default(),
            first: 0,
            rows: Rows::default(),
            next_window: 0,
        }
    }

    fn advance(&mut self, last: bool, config: &WindowConfig, windows: &mut Vec<Window>) -> Result<()> {
        let rate = f64::from(config.rate_hz);
        self.acceleration.decide(self.latest, last, rate);
        self.rotation_rate.decide(self.latest, last, rate);
        if let Some(filter) = self.acceleration.filter {
            accelerometer_rate(filter)?;
        }
        loop {
            let index = self.first + self.rows.acceleration.len() as u64;
            let time = grid_time(self.start, index, rate);
            // The same last row as for a whole recording, see `resample_rows`.
            let within = (index as f64) <= (self.latest - self.start) * rate + SAME_TIME;
            let ready = if last {
                within
            } else {
                self.acceleration.is_settled(time, self.latest)
                    && self.rotation_rate.is_settled(time, self.latest)
            };
            if !ready {
                self.acceleration.forget_before(time);
                self.rotation_rate.forget_before(time);
                return Ok(());
            }
            self.rows.acceleration.push(self.acceleration.at(time));
            self.rows.rotation_rate.push(self.rotation_rate.at(time));
            self.cut(config, windows);
        }
    }

    /// Takes the window that the newest row has completed, if any, and drops the rows that no window needs.
    fn cut(&mut self, config: &WindowConfig, windows: &mut Vec<Window>) {
        let count = self.rows.acceleration.len();
        if self.first + count as u64 == self.next_window + config.length as u64 {
            let from = count - config.length;
            windows.extend(window(
                self.start,
                self.next_window,
                config,
                &self.rows.acceleration[from..],
                &self.rows.rotation_rate[from..],
            ));
            self.next_window += config.hop as u64;
        }
        let unneeded = self.next_window.saturating_sub(self.first).min(count as u64) as usize;
        if unneeded > 0 {
            self.rows.acceleration.drain(..unneeded);
            self.rows.rotation_rate.drain(..unneeded);
            self.first += unneeded as u64;
        }
    }
}

/// One sensor's recent readings.
#[derive(Clone, Debug, Default)]
struct Track {
    series: Series,
    /// How it is resampled: outer `None` while undecided, inner `None` when it has too few readings.
    filter: Option<Option<Filter>>,
}

impl Track {
    /// Decides how to resample once enough readings have come.
    fn decide(&mut self, latest: f64, last: bool, rate: f64) {
        if self.filter.is_none() {
            let period = self.series.period(latest, last);
            if period.is_some() || last || self.series.period_is_due(latest) {
                self.filter = Some(Filter::new(period, rate));
            }
        }
    }

    /// Whether no reading after `latest` can change the value at `time`.
    fn is_settled(&self, time: f64, latest: f64) -> bool {
        match self.filter {
            // Without any reading so far, whatever comes next comes after `time`.
            None => self.series.latest().is_none() && latest > time,
            Some(None) => latest > time,
            Some(Some(filter)) => {
                let reach = time + filter.half_width;
                let read = self.series.latest().is_some_and(|reading| {
                    if filter.half_width > 0.0 { reading > reach } else { reading >= time }
                });
                read || latest > reach + filter.gap
            }
        }
    }

    fn at(&self, time: f64) -> [f32; 3] {
        self.series.at(time, self.filter.flatten())
    }

    /// Forgets readings that no value at `time` or later depends on.
    fn forget_before(&mut self, time: f64) {
        if let Some(Some(filter)) = self.filter {
            self.series.forget_before(time - filter.half_width - filter.gap);
        } else if let Some(None) = self.filter {
            self.series.forget_before(time);
        }
    }
}

#[cfg(test)]
mod tests;
