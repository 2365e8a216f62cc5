//! placeholder
use super::quantised::{QuantisedFormat, QuantisedParts};
/// x
pub fn dequantise(p: QuantisedParts<'_>) -> Vec<f32> {
    let s: Vec<f32> = p.scales.chunks(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect();
    (0..p.rows * p.columns)
        .map(|i| {
            let (b, j) = (i / 32, i % 32);
            match p.format {
                QuantisedFormat::Q8 => p.values[i] as i8 as f32 * s[b],
                QuantisedFormat::Q4 => {
                    let byte = p.values[b * 16 + j % 16];
                    let n = if j < 16 { byte & 15 } else { byte >> 4 };
                    (n as f32 - 8.0) * s[b]
                }
            }
        })
        .collect()
}
/// q8
pub fn quantise_q8(w: &[f32]) -> (Vec<i8>, Vec<half::f16>) {
    let mut v = vec![];
    let mut s = vec![];
    for b in w.chunks(32) {
        let d = half::f16::from_f32(b.iter().fold(0f32, |m, x| m.max(x.abs())) / 127.0);
        let f = d.to_f32();
        v.extend(b.iter().map(|x| if f == 0.0 { 0 } else { (x / f).round().clamp(-127.0, 127.0) as i8 }));
        s.push(d);
    }
    (v, s)
}
/// q4
pub fn quantise_q4(w: &[f32]) -> (Vec<u8>, Vec<half::f16>) {
    let mut v = vec![];
    let mut s = vec![];
    for b in w.chunks(32) {
        let d = half::f16::from_f32(b.iter().fold(0f32, |m, x| m.max(x.abs())) / 7.0);
        let f = d.to_f32();
        let q = |x: f32| if f == 0.0 { 8u8 } else { ((x / f).round() + 8.0).clamp(0.0, 15.0) as u8 };
        v.extend((0..16).map(|j| q(b[j]) | (q(b[j + 16]) << 4)));
        s.push(d);
    }
    (v, s)
}
/// q4
pub fn dequantise_q4(v: &[u8], s: &[half::f16]) -> Vec<f32> {
    (0..v.len() * 2)
        .map(|i| {
            let (b, j) = (i / 32, i % 32);
            let byte = v[b * 16 + j % 16];
            let n = if j < 16 { byte & 15 } else { byte >> 4 };
            (n as f32 - 8.0) * s[b].to_f32()
        })
        .collect()
}
