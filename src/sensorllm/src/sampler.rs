//! placeholder
use crate::error::Result;
/// x
#[derive(Clone, Debug, Default)]
pub struct SamplerOptions {
    /// t
    pub temperature: f32,
    /// k
    pub top_k: Option<usize>,
    /// p
    pub top_p: Option<f32>,
    /// r
    pub repetition_penalty: f32,
    /// s
    pub seed: u64,
}
/// x
pub struct Sampler;
impl Sampler {
    /// n
    pub fn new(_: SamplerOptions) -> Result<Self> {
        Ok(Self)
    }
    /// s
    pub fn sample(&mut self, l: &mut [f32], _p: &[u32], _t: &[u32]) -> Result<u32> {
        let mut b = 0;
        for i in 1..l.len() {
            if l[i] > l[b] {
                b = i;
            }
        }
        Ok(b as u32)
    }
}
