//! The vector operations the CPU kernels are written in, and the choice of the instruction set that runs them.
//!
//! A kernel is one generic function over [`Simd`], compiled once per instruction set: 4 lanes in WebAssembly, 8 with AVX2, 16 with
//! AVX-512 and 4 in plain Rust everywhere else.
#![allow(unsafe_code)] // Declares loads and stores, which take pointers.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
pub(super) mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) mod wasm;

/// Vectors of one instruction set. A value of the type is the proof that the machine has it.
///
/// Lanes hold 32 bits; `I16` holds two 16-bit numbers per lane, a *pair*.
pub(super) trait Simd: Copy + Send + Sync {
    /// 32-bit numbers per vector.
    const LANES: usize;
    /// 32-bit floats.
    type F32: Copy;
    /// 32-bit integers.
    type I32: Copy;
    /// Pairs of 16-bit integers.
    type I16: Copy;

    /// Zero, but the compiler may not know it where that makes better code. In WebAssembly it rewrites pointers that a loop moves
    /// by a constant, and then adds a load's offset with an instruction of its own instead of within the load; a pointer that is
    /// combined with this by `^` is left alone.
    #[inline(always)]
    fn unknown_zero(self) -> usize {
        0
    }

    /// `value` in every lane.
    fn splat(self, value: f32) -> Self::F32;
    /// Lane-wise `a + b`.
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Lane-wise `a − b`.
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Lane-wise `a · b`.
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Lane-wise `a / b`.
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Lane-wise `a · b + c`, rounded once or twice.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// The smaller of `x` and `limit`; NaN where `x` is NaN.
    fn at_most(self, x: Self::F32, limit: Self::F32) -> Self::F32;
    /// The larger of `x` and `limit`; NaN where `x` is NaN.
    fn at_least(self, x: Self::F32, limit: Self::F32) -> Self::F32;
    /// The lanes' sum.
    fn sum(self, x: Self::F32) -> f32;
    /// The lanes' maximum, taken as integers.
    fn max(self, x: Self::I32) -> i32;

    /// `value` in every lane.
    fn splat_i32(self, value: i32) -> Self::I32;
    /// Lane-wise `a + b`, wrapping.
    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Lane-wise `a − b`, wrapping.
    fn sub_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Lane-wise `a & b`.
    fn and_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Lane-wise larger one.
    fn max_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Lane-wise `a << BITS`.
    fn shift_left<const BITS: u32>(self, a: Self::I32) -> Self::I32;
    /// Lane-wise `a >> BITS`, keeping the sign.
    fn shift_right<const BITS: u32>(self, a: Self::I32) -> Self::I32;
    /// Integers as floats.
    fn to_f32(self, a: Self::I32) -> Self::F32;
    /// The floats' bits.
    fn bits(self, a: Self::F32) -> Self::I32;
    /// The floats with these bits.
    fn float(self, a: Self::I32) -> Self::F32;

    /// The same pair in every lane.
    fn splat_pair(self, pair: i32) -> Self::I16;
    /// Lane-wise `accumulator + a₀ · b₀ + a₁ · b₁`.
    fn dot(self, accumulator: Self::I32, a: Self::I16, b: Self::I16) -> Self::I32;
    /// `a & b`.
    fn and(self, a: Self::I16, b: Self::I16) -> Self::I16;
    /// Each 16-bit number `>> BITS`, filling with zeros.
    fn shift_right_pairs<const BITS: u32>(self, a: Self::I16) -> Self::I16;
    /// Each 16-bit `a − b`, wrapping.
    fn sub_pairs(self, a: Self::I16, b: Self::I16) -> Self::I16;

    /// Reads `LANES` floats.
    ///
    /// # Safety
    ///
    /// `from` must be readable for them. No alignment is needed, here and below.
    unsafe fn load(self, from: *const f32) -> Self::F32;
    /// Writes `LANES` floats.
    ///
    /// # Safety
    ///
    /// `to` must be writable for them.
    unsafe fn store(self, to: *mut f32, x: Self::F32);
    /// Reads `LANES` 16-bit floats, which must be finite.
    ///
    /// # Safety
    ///
    /// `from` must be readable for them.
    unsafe fn load_f16(self, from: *const u16) -> Self::F32;
    /// Reads `2 · LANES` bytes as signed numbers.
    ///
    /// # Safety
    ///
    /// `from` must be readable for them.
    unsafe fn load_i8(self, from: *const i8) -> Self::I16;
    /// Reads `2 · LANES` 16-bit numbers.
    ///
    /// # Safety
    ///
    /// `from` must be readable for them.
    unsafe fn load_i16(self, from: *const i16) -> Self::I16;
    /// Writes `2 · LANES` 16-bit numbers.
    ///
    /// # Safety
    ///
    /// `to` must be writable for them.
    unsafe fn store_i16(self, to: *mut i16, x: Self::I16);
    /// Writes the lanes of `a` as `LANES` 16-bit numbers, saturated.
    ///
    /// # Safety
    ///
    /// `to` must be writable for them.
    unsafe fn store_narrow(self, to: *mut i16, a: Self::I32);
}

/// Work written once for every instruction set.
pub(super) trait Kernel {
    /// What it returns.
    type Output;
    /// Does the work. Implementations are `#[inline(always)]`, so that they are compiled with the instruction set's features.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InstructionSet {
    /// Plain Rust.
    // Where vectors are sure to be there, only tests compare with it.
    #[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
    Portable(portable::Portable),
    /// WebAssembly's 128-bit vectors.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Wasm(wasm::Simd128),
    /// AVX2 with fused multiply-add and half-precision conversion (processors since about 2015).
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    /// AVX-512 with VNNI (server processors since about 2019, AMD's since 2022).
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
}

impl InstructionSet {
    /// Every set this machine has, the fastest last.
    #[cfg(test)]
    pub(super) fn available() -> Vec<Self> {
        let mut sets = vec![Self::Portable(portable::Portable)];
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        sets.push(Self::Wasm(wasm::Simd128));
        #[cfg(target_arch = "x86_64")]
        {
            sets.extend(avx2::Avx2::detect().map(Self::Avx2));
            sets.extend(avx512::Avx512::detect().map(Self::Avx512));
        }
        sets
    }

    /// The fastest set this machine has.
    pub(super) fn best() -> Self {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return Self::Wasm(wasm::Simd128);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = avx512::Avx512::detect() {
                return Self::Avx512(simd);
            }
            if let Some(simd) = avx2::Avx2::detect() {
                return Self::Avx2(simd);
            }
        }
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        Self::Portable(portable::Portable)
    }

    /// 32-bit numbers per vector.
    pub(super) fn lanes(self) -> usize {
        struct Lanes;
        impl Kernel for Lanes {
            type Output = usize;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> usize {
                S::LANES
            }
        }
        self.run(Lanes)
    }

    /// Runs `kernel` with this instruction set.
    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Portable(simd) => simd.run(kernel),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Wasm(simd) => simd.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.run(kernel),
        }
    }
}

/// `e^x` to a relative error of 2e-7 for −87 ≤ x ≤ 88; below and above, the value at the limit.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // Adding 1.5 · 2²³ leaves the nearest integer in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let x = s.at_least(s.at_most(x, s.splat(88.0)), s.splat(-87.0));
    let shifted = s.mul_add(x, s.splat(std::f32::consts::LOG2_E), s.splat(MAGIC));
    let n = s.sub(shifted, s.splat(MAGIC));
    // ln 2 in two parts, so that the reduction loses nothing.
    let r = s.mul_add(n, s.splat(-0.693_359_4), x);
    let r = s.mul_add(n, s.splat(2.121_944_4e-4), r);
    // Cephes' minimax polynomial of (e^r − 1 − r) / r² on ±ln 2 / 2.
    let mut p = s.splat(1.987_569_1e-4);
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        p = s.mul_add(p, r, s.splat(c));
    }
    let p = s.mul_add(p, s.mul(r, r), s.add(r, s.splat(1.0)));
    // The integer is still in the low bits of `shifted`: moving it up adds it to the exponent.
    s.float(s.add_i32(s.bits(p), s.shift_left::<23>(s.bits(shifted))))
}
