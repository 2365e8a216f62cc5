//! Parts the program in two, so that the first label need not wait for code that only words and WebGPU use.
//!
//! Which functions the first part keeps is found by running the program: whatever a label on the CPU called. The rest becomes the
//! second part, which shares memory and tables with the first. What the first part calls of it goes through slots of the table of
//! functions. Until the second part is there they hold imports from the module [`DEFERRED`], which can load it; instantiating it
//! puts its functions there. Functions of the second part that are called through the table alone have no such import: 22,000 of them
//! would cost 80 kB. A call of one of them before the second part is there ends the program.

mod emit;
mod program;
mod trace;

use std::collections::BTreeSet;

use anyhow::Result;
use ring::digest;

use program::Program;
pub use trace::traced;

/// Module of the imports that stand for functions of the second part, each named by its slot.
const DEFERRED: &str = "deferred";
/// Module from which the second part imports what is the first's.
const PRIMARY: &str = "primary";
/// Name under which the first part exports the table of functions.
const TABLE: &str = "deferred_table";

/// The two parts.
pub struct Parts {
    /// Has everything that the program exported.
    pub first: Vec<u8>,
    /// Imports from the module `primary` what the first part exports.
    pub second: Vec<u8>,
}

/// Parts a program; `kept` are the numbers of the functions for the first part, in the program's own order.
///
/// # Errors
/// When the program is no WebAssembly or has what no program of wasm-bindgen has.
pub fn split(program: &[u8], kept: &BTreeSet<u32>) -> Result<Parts> {
    emit::parts(&Program::parse(program)?, kept, &build(program, kept))
}

/// A name that no other pair of parts has. The second part imports the table by it, so that it fits its own first part only: a server may
/// hold a newer one by the time it is fetched.
fn build(program: &[u8], kept: &BTreeSet<u32>) -> String {
    let mut digest = digest::Context::new(&digest::SHA256);
    digest.update(program);
    kept.iter().for_each(|function| digest.update(&function.to_le_bytes()));
    let hexadecimal: String =
        digest.finish().as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("build_{hexadecimal}")
}

#[cfg(test)]
mod tests;
