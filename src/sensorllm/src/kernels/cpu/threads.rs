//! Shares work among threads.

use std::ops::Range;

/// Calls `work` with parts of `0..count`.
pub(super) fn share(count: usize, work: impl Fn(Range<usize>) + Sync) {
    work(0..count);
}
