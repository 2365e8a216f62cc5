//! Shares a kernel's work among threads that wait for it.
//!
//! A token takes some 250 products of a few microseconds each. Waking a sleeping thread takes longer than that, so that the helpers
//! spin for a moment between products and sleep only when none comes; whoever is late is not waited for.
#![allow(unsafe_code)] // Helpers run a closure that borrows from the caller's stack.

use std::ops::Range;

/// Calls `work` with parts of `0..count`, on several threads where there are several.
#[cfg(target_family = "wasm")]
pub(super) fn share(count: usize, work: impl Fn(Range<usize>) + Sync) {
    work(0..count);
}

/// Calls `work` with parts of `0..count`, on several threads where there are several.
///
/// # Panics
///
/// If `work` does, once all threads have left it.
#[cfg(not(target_family = "wasm"))]
pub(super) fn share(count: usize, work: impl Fn(Range<usize>) + Sync) {
    native::share(count, &work);
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::cell::UnsafeCell;
    use std::ops::Range;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    use std::sync::{Mutex, OnceLock};
    use std::thread::Thread;

    type Work<'a> = dyn Fn(Range<usize>) + Sync + 'a;

    /// More threads than this wait for memory, not for each other's arithmetic.
    const MOST_THREADS: usize = 8;

    /// Parts per thread: a thread that is interrupted keeps the others from finishing for a part only.
    const PARTS: usize = 4;

    /// Looks at the state before sleeping: some 50 µs.
    const SPINS: usize = 2_000;

    /// The state's lowest bits count the helpers at work.
    const HELPERS: u64 = 0xFFFF;
    /// Whether helpers may still join.
    const OPEN: u64 = 0x1_0000;
    /// Added for each job.
    const JOB: u64 = 0x2_0000;

    /// What the caller and the helpers share.
    struct Pool {
        state: AtomicU64,
        job: UnsafeCell<Option<Job>>,
        /// The next part nobody has taken.
        next: AtomicUsize,
        panicked: AtomicBool,
        asleep: AtomicUsize,
        /// Held by the caller whose job runs.
        caller: Mutex<()>,
        threads: OnceLock<Vec<Thread>>,
    }

    // SAFETY: `job` is written only while no helper is at work and none may join, and read only by those that joined.
    unsafe impl Sync for Pool {}

    #[derive(Clone, Copy)]
    struct Job {
        work: *const Work<'static>,
        count: usize,
        part: usize,
    }

    static POOL: Pool = Pool {
        state: AtomicU64::new(0),
        job: UnsafeCell::new(None),
        next: AtomicUsize::new(0),
        panicked: AtomicBool::new(false),
        asleep: AtomicUsize::new(0),
        caller: Mutex::new(()),
        threads: OnceLock::new(),
    };

    pub(super) fn share(count: usize, work: &Work<'_>) {
        let threads = POOL.threads.get_or_init(start);
        // Another caller's job is running: this thread is one of several already.
        let Ok(_caller) = POOL.caller.try_lock() else { return work(0..count) };
        if threads.is_empty() || count < 2 {
            return work(0..count);
        }
        let part = count.div_ceil((threads.len() + 1) * PARTS);
        // SAFETY: only the lifetime changes; `Finish` keeps this function from returning before the helpers are done with it.
        let work = unsafe { std::mem::transmute::<&Work<'_>, &'static Work<'static>>(work) };
        let job = Job { work, count, part };
        // SAFETY: the last job is closed and its helpers have left.
        unsafe { *POOL.job.get() = Some(job) };
        POOL.next.store(0, Ordering::Relaxed);
        let state = POOL.state.load(Ordering::Relaxed) & !(OPEN | HELPERS);
        POOL.state.store((state + JOB) | OPEN, Ordering::SeqCst);
        if POOL.asleep.load(Ordering::SeqCst) > 0 {
            threads.iter().for_each(Thread::unpark);
        }
        let finish = Finish;
        job.run();
        drop(finish);
        assert!(!POOL.panicked.swap(false, Ordering::Relaxed), "a kernel panicked on another thread");
    }

    /// Closes the job and waits for the helpers that joined, even if the caller's part panics.
    struct Finish;

    impl Drop for Finish {
        fn drop(&mut self) {
            let mut state = POOL.state.fetch_and(!OPEN, Ordering::AcqRel);
            let mut spins = 0;
            while state & HELPERS != 0 {
                pause(&mut spins);
                state = POOL.state.load(Ordering::Acquire);
            }
        }
    }

    impl Job {
        /// Takes parts until none is left.
        fn run(self) {
            loop {
                let first = POOL.next.fetch_add(1, Ordering::Relaxed) * self.part;
                if first >= self.count {
                    return;
                }
                // SAFETY: the caller waits for all that run the job.
                unsafe { (*self.work)(first..(first + self.part).min(self.count)) };
            }
        }
    }

    /// Starts the helpers, as many as there are further processors. Fewer if the system gives no more.
    fn start() -> Vec<Thread> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        (1..threads)
            .map_while(|_| std::thread::Builder::new().name("kernels".into()).spawn(help).ok())
            .map(|handle| handle.thread().clone())
            .collect()
    }

    /// What a helper does for ever.
    fn help() {
        let mut last = 0;
        let mut spins = 0;
        loop {
            let state = POOL.state.load(Ordering::Acquire);
            if state & OPEN != 0 && state / JOB != last {
                if POOL.state.compare_exchange(state, state + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
                {
                    last = state / JOB;
                    // SAFETY: this helper has joined, so that the job stays until it leaves.
                    let job = unsafe { *POOL.job.get() };
                    if catch_unwind(AssertUnwindSafe(|| job.map(Job::run))).is_err() {
                        POOL.panicked.store(true, Ordering::Relaxed);
                    }
                    POOL.state.fetch_sub(1, Ordering::AcqRel);
                    spins = 0;
                }
            } else if spins < SPINS {
                spins += 1;
                std::hint::spin_loop();
            } else {
                POOL.asleep.fetch_add(1, Ordering::SeqCst);
                let state = POOL.state.load(Ordering::SeqCst);
                if state & OPEN == 0 || state / JOB == last {
                    std::thread::park();
                }
                POOL.asleep.fetch_sub(1, Ordering::SeqCst);
                spins = 0;
            }
        }
    }

    /// Spins, then lets others run: on a busy machine the helper may be waiting for this processor.
    fn pause(spins: &mut usize) {
        *spins += 1;
        if spins.is_multiple_of(SPINS) { std::thread::yield_now() } else { std::hint::spin_loop() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn visits(count: usize) -> Vec<u32> {
        let visits: Vec<AtomicU32> = (0..count).map(|_| AtomicU32::new(0)).collect();
        share(count, |part| part.for_each(|i| _ = visits[i].fetch_add(1, Ordering::Relaxed)));
        visits.into_iter().map(AtomicU32::into_inner).collect()
    }

    #[test]
    fn every_part_is_done_once() {
        for count in (0..70).chain([1000, 12_345]) {
            assert_eq!(visits(count), vec![1; count]);
        }
    }

    #[test]
    fn many_small_jobs_from_several_threads_and_after_sleep() {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..2_000 {
                        assert_eq!(visits(17), [1; 17]);
                        if round % 400 == 0 {
                            std::thread::sleep(std::time::Duration::from_millis(2));
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn work_may_share_work() {
        let sum = AtomicU32::new(0);
        share(8, |parts| {
            for _ in parts {
                share(8, |inner| _ = sum.fetch_add(inner.len() as u32, Ordering::Relaxed));
            }
        });
        assert_eq!(sum.into_inner(), 64);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_next_job_runs() {
        let panicked = std::panic::catch_unwind(|| share(64, |part| assert!(!part.contains(&40), "part 40")));
        assert!(panicked.is_err());
        assert_eq!(visits(64), [1; 64]);
    }
}
