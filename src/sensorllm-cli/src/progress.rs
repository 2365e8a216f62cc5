//! Progress bars for long work: on the error stream, and only where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts to `total`; invisible when the error stream is not a terminal.
pub fn bar(total: usize, message: &'static str) -> ProgressBar {
    // indicatif draws to the error stream by default and hides itself where that is not a terminal.
    let bar = ProgressBar::new(total as u64).with_message(message);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}, {eta} left");
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
