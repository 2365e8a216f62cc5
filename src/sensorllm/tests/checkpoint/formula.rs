//! Values of a tensor from its name; the twin of `tests/golden/formula.py`, which describes the formula.

/// `count` values of tensor `name`.
pub fn values(salt: u32, name: &str, count: usize, centre: f32, width: f32) -> impl Iterator<Item = f32> {
    let seed = fnv1a(&format!("{salt}:{name}"));
    (0..count).map(move |i| {
        let h = mix(seed.wrapping_add((i as u32).wrapping_mul(0x9E37_79B9)));
        let u = (h >> 8) as f32 * (1.0 / 16_777_216.0) - 0.5;
        centre + u * width
    })
}

/// FNV-1a, 32 bits.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |h, byte| (h ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// MurmurHash3's 32-bit finaliser.
fn mix(mut h: u32) -> u32 {
    h ^= h >> 16;
    h = h.wrapping_mul(0x85EB_CA6B);
    h ^= h >> 13;
    h = h.wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 16)
}
