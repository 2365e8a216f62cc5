//! Where a run is: a bar over all its steps where there is a terminal, a line every half minute where there is none.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::progress;

/// How often a run without a terminal says where it is.
const REPORT_EVERY: Duration = Duration::from_secs(30);

/// Progress of a run.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    reported: Instant,
    first: usize,
    total: usize,
    best: String,
}

impl Progress {
    /// A run of `total` steps of which `first` are done.
    pub fn new(first: usize, total: usize) -> Self {
        let bar = progress::bar(total, "training");
        bar.set_position(first as u64);
        bar.reset_eta();
        let now = Instant::now();
        Self { bar, started: now, reported: now, first, total, best: String::new() }
    }

    /// Tells the best validation so far.
    pub fn set_best(&mut self, name: &str, score: f64) {
        self.best = format!("  best {name} {score:.3}");
    }

    /// `done` steps of the run are done; `loss` is the epoch's mean so far.
    pub fn step(&mut self, epoch: usize, done: usize, loss: f64) {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = (done - self.first) as f64 / seconds.max(1e-9);
        let message = format!("epoch {}  loss {loss:.3}{}  {} steps/s", epoch + 1, self.best, speed(rate));
        self.bar.set_position(done as u64);
        if self.bar.is_hidden() && self.reported.elapsed() >= REPORT_EVERY {
            self.reported = Instant::now();
            let left = self.total.saturating_sub(done) as f64 / rate.max(1e-9);
            eprintln!("{message}  step {done} of {}  {} left", self.total, duration(left));
        }
        self.bar.set_message(message);
    }

    /// A line for good, above the bar.
    pub fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Steps per second with two digits.
fn speed(rate: f64) -> String {
    let decimals = if rate >= 10.0 { 0 } else { 1 + usize::from(rate < 1.0) };
    format!("{rate:.decimals$}")
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0 => format!("{seconds:.0} s"),
        1..60 => format!("{minutes} min"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_the_unit_people_use() {
        assert_eq!(duration(12.4), "12 s");
        assert_eq!(duration(61.0), "1 min");
        assert_eq!(duration(5400.0), "1 h 30 min");
        assert_eq!([0.04, 3.21, 45.6].map(speed), ["0.04", "3.2", "46"]);
    }
}
