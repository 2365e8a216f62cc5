//! Ctrl-C: once to finish the step and write a checkpoint, twice to stop at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// Exit status of a program that Ctrl-C ended: 128 and the number of the signal.
pub const EXIT_STATUS: u8 = 130;

/// Whether a run is asked to stop. The default is never asked.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    requested: Arc<AtomicBool>,
    /// Whether Ctrl-C ends the process at once: before and after a run, and after a first press.
    at_once: Arc<AtomicBool>,
}

/// While it lives, the first Ctrl-C asks the run to stop instead of ending the process.
pub struct Watch<'a>(&'a Interrupt);

impl Interrupt {
    /// What Ctrl-C requests, for the whole process.
    ///
    /// # Errors
    /// When the system does not let the process handle the signal.
    pub fn on_ctrl_c() -> Result<Self> {
        static INTERRUPT: OnceLock<Interrupt> = OnceLock::new();
        if let Some(interrupt) = INTERRUPT.get() {
            return Ok(interrupt.clone());
        }
        let interrupt = Self::default();
        interrupt.at_once.store(true, Ordering::SeqCst);
        // In this order: the handlers of a signal run in the order of their registration.
        flag::register_conditional_shutdown(SIGINT, i32::from(EXIT_STATUS), interrupt.at_once.clone())
            .and_then(|_| flag::register(SIGINT, interrupt.at_once.clone()))
            .and_then(|_| flag::register(SIGINT, interrupt.requested.clone()))
            .context("cannot handle Ctrl-C")?;
        Ok(INTERRUPT.get_or_init(|| interrupt).clone())
    }

    /// Asks the run to stop after its present step.
    #[cfg(test)]
    pub fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
    }

    /// Whether the run was asked to stop.
    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Lets Ctrl-C ask instead of ending the process.
    pub fn watch(&self) -> Watch<'_> {
        self.at_once.store(false, Ordering::SeqCst);
        Watch(self)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.at_once.store(true, Ordering::SeqCst);
    }
}
