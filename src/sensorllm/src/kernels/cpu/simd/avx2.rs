//! AVX2 with fused multiply-add: 8 lanes.
#![allow(unsafe_code)] // Intrinsics may run only where the features were detected.

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// Proof that the processor has the features, since only [`Self::detect`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Avx2(());

impl Avx2 {
    /// The proof, if the processor has the features.
    pub(in super::super) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        found.then_some(Self(()))
    }

    /// Runs `kernel`, compiled with the features.
    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn with_features<K: Kernel>(kernel: K, simd: Avx2) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` proves that the processor has the features.
        unsafe { with_features(kernel, self) }
    }
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    type F32 = __m256;
    type I32 = __m256i;
    type I16 = __m256i;

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    // The instruction returns its second operand where either is NaN.
    #[inline(always)]
    fn at_most(self, x: __m256, limit: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_min_ps(limit, x) }
    }
    #[inline(always)]
    fn at_least(self, x: __m256, limit: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_max_ps(limit, x) }
    }
    #[inline(always)]
    fn sum(self, x: __m256) -> f32 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe {
            let half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let half = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)))
        }
    }
    #[inline(always)]
    fn max(self, x: __m256i) -> i32 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe {
            let half = _mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
            let half = _mm_max_epi32(half, _mm_unpackhi_epi64(half, half));
            _mm_cvtsi128_si32(half).max(_mm_extract_epi32::<1>(half))
        }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_set1_epi32(value) }
    }
    #[inline(always)]
    fn add_i32(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub_i32(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn and_i32(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_and_si256(a, b) }
    }
    #[inline(always)]
    fn max_i32(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_max_epi32(a, b) }
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_sll_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_sra_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
    }
    #[inline(always)]
    fn to_f32(self, a: __m256i) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_cvtepi32_ps(a) }
    }
    #[inline(always)]
    fn bits(self, a: __m256) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_castps_si256(a) }
    }
    #[inline(always)]
    fn float(self, a: __m256i) -> __m256 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_castsi256_ps(a) }
    }

    #[inline(always)]
    fn splat_pair(self, pair: i32) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_set1_epi32(pair) }
    }
    #[inline(always)]
    fn dot(self, accumulator: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_add_epi32(accumulator, _mm256_madd_epi16(a, b)) }
    }
    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_and_si256(a, b) }
    }
    #[inline(always)]
    fn shift_right_pairs<const BITS: u32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_srl_epi16(a, _mm_cvtsi32_si128(BITS as i32)) }
    }
    #[inline(always)]
    fn sub_pairs(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm256_sub_epi16(a, b) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: __m256) {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm256_storeu_ps(to, x) }
    }
    #[inline(always)]
    unsafe fn load_f16(self, from: *const u16) -> __m256 {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(from.cast())) }
    }
    #[inline(always)]
    unsafe fn load_i8(self, from: *const i8) -> __m256i {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast())) }
    }
    #[inline(always)]
    unsafe fn load_i16(self, from: *const i16) -> __m256i {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store_i16(self, to: *mut i16, x: __m256i) {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm256_storeu_si256(to.cast(), x) }
    }
    #[inline(always)]
    unsafe fn store_narrow(self, to: *mut i16, a: __m256i) {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe {
            let narrow = _mm256_permute4x64_epi64::<0b1000>(_mm256_packs_epi32(a, a));
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(narrow))
        }
    }
}
