//! Our own kernels, which compute what Burn's operations would take several passes for.

#[cfg(feature = "webgpu")]
pub(crate) mod gpu;
