//! Runs the module's constructors once.
#![allow(unsafe_code)] // the one call for which there is no safe interface

unsafe extern "C" {
    /// The module's constructors, collected by the linker: tables of Burn's GPU compiler register themselves in them.
    fn __wasm_call_ctors();
}

/// Runs the constructors.
///
/// Unless they are called by hand, the linker has every exported function run all of them, at milliseconds per call.
pub(crate) fn run() {
    // SAFETY: the function takes and returns nothing; it is called once, by the module's start function, before any other
    // code of the module.
    unsafe { __wasm_call_ctors() }
}
