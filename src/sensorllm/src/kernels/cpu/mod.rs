//! placeholder
pub(crate) mod tensors;
use half::f16;
#[derive(Clone, Debug)]
pub(crate) struct PackedMatrix {
    rows: usize,
    columns: usize,
    w: std::sync::Arc<Vec<f32>>,
}
impl PackedMatrix {
    pub fn q8(rows: usize, columns: usize, v: &[i8], s: &[f16]) -> Self {
        let w = (0..rows * columns).map(|i| v[i] as f32 * s[i / 32].to_f32()).collect();
        Self { rows, columns, w: std::sync::Arc::new(w) }
    }
    pub fn q4(rows: usize, columns: usize, v: &[u8], s: &[f16]) -> Self {
        let w = (0..rows * columns)
            .map(|i| {
                let (b, j) = (i / 32, i % 32);
                let byte = v[b * 16 + j % 16];
                let n = if j < 16 { byte & 15 } else { byte >> 4 };
                (n as f32 - 8.0) * s[b].to_f32()
            })
            .collect();
        Self { rows, columns, w: std::sync::Arc::new(w) }
    }
    pub fn rows(&self) -> usize {
        self.rows
    }
    pub fn columns(&self) -> usize {
        self.columns
    }
    pub fn matmul(&self, x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks(self.columns).zip(y.chunks_mut(self.rows)) {
            for (r, y) in y.iter_mut().enumerate() {
                *y = x.iter().zip(&self.w[r * self.columns..]).map(|(a, b)| a * b).sum();
            }
        }
    }
    pub fn row(&self, r: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.w[r * self.columns..][..self.columns]);
    }
}
pub(crate) fn rms_norm(x: &[f32], w: &[f32], eps: f32, y: &mut [f32]) {
    let n = w.len();
    for (x, y) in x.chunks(n).zip(y.chunks_mut(n)) {
        let m = x.iter().map(|a| a * a).sum::<f32>() / n as f32;
        let s = 1.0 / (m + eps).sqrt();
        for i in 0..n {
            y[i] = x[i] * s * w[i];
        }
    }
}
pub(crate) fn swiglu(g: &mut [f32], u: &[f32]) {
    for (g, u) in g.iter_mut().zip(u) {
        *g = *g / (1.0 + (-*g).exp()) * u;
    }
}
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}
impl Rotation {
    pub fn new(cos: Vec<f32>, sin: Vec<f32>, half: usize) -> Self {
        Self { cos, sin, half }
    }
    pub fn positions(&self) -> usize {
        self.cos.len() / self.half
    }
}
#[derive(Clone, Debug)]
pub(crate) struct KvBuffer {
    h: usize,
    d: usize,
    k: Vec<f32>,
    v: Vec<f32>,
}
impl KvBuffer {
    pub fn new(h: usize, d: usize) -> Self {
        Self { h, d, k: vec![], v: vec![] }
    }
    #[allow(clippy::too_many_arguments)]
    pub fn attend(
        &mut self,
        q: &mut [f32],
        k: &mut [f32],
        v: &[f32],
        r: &Rotation,
        start: usize,
        scale: f32,
        y: &mut [f32],
    ) {
        let (d, half) = (self.d, r.half);
        let n = k.len() / (self.h * d);
        let heads = q.len() / (n * d);
        let rot = |x: &mut [f32], hs: usize| {
            for (i, x) in x.chunks_mut(d).enumerate() {
                let p = (start + i / hs) * half;
                for j in 0..half {
                    let (c, s) = (r.cos[p + j], r.sin[p + j]);
                    let (a, b) = (x[j], x[j + half]);
                    x[j] = a * c - b * s;
                    x[j + half] = b * c + a * s;
                }
            }
        };
        rot(q, heads);
        rot(k, self.h);
        self.k.extend_from_slice(k);
        self.v.extend_from_slice(v);
        for i in 0..n {
            for h in 0..heads {
                let g = h / (heads / self.h);
                let q = &q[(i * heads + h) * d..][..d];
                let sc: Vec<f32> = (0..=start + i)
                    .map(|t| {
                        self.k[(t * self.h + g) * d..][..d].iter().zip(q).map(|(a, b)| a * b).sum::<f32>()
                            * scale
                    })
                    .collect();
                let m = sc.iter().copied().fold(f32::MIN, f32::max);
                let e: Vec<f32> = sc.iter().map(|s| (s - m).exp()).collect();
                let z: f32 = e.iter().sum();
                let y = &mut y[(i * heads + h) * d..][..d];
                y.fill(0.0);
                for (t, e) in e.iter().enumerate() {
                    for j in 0..d {
                        y[j] += e / z * self.v[(t * self.h + g) * d + j];
                    }
                }
            }
        }
    }
}
