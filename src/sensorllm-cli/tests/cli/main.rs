//! The built command line, run as people run it, with the model in `models/default` and the recordings in `tests/data`.

mod bad_input;
mod bad_model;
mod classify;
mod eval;
mod import;
mod published;
mod start;
mod study;
mod support;
mod train;
mod transitions;
