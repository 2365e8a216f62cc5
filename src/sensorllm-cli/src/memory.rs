//! The allocator, and how long it keeps what was freed.
#![allow(unsafe_code)] // An option of the allocator is set through its C interface.

use libmimalloc_sys::{mi_option_set, mi_option_t};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds before freed memory is given back to the system (`mi_option_purge_delay`, for which the bindings have no name).
const PURGE_DELAY: mi_option_t = 15;

/// Keeps freed memory for ten seconds: training frees tensors of some megabytes in every step and allocates them again in the next. A
/// tenth of its time went into pages that the system had to clear anew.
pub fn keep_freed() {
    // SAFETY: sets a number; the allocator may be in use.
    unsafe { mi_option_set(PURGE_DELAY, 10_000) };
}
