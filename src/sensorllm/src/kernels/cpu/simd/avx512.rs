//! AVX-512 with VNNI: 16 lanes, and a pair product with its sum in one instruction.
#![allow(unsafe_code)] // Intrinsics may run only where the features were detected.

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// Proof that the processor has the features, since only [`Self::detect`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Avx512(());

impl Avx512 {
    /// The proof, if the processor has the features.
    pub(in super::super) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        found.then_some(Self(()))
    }

    /// Runs `kernel`, compiled with the features.
    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
        fn with_features<K: Kernel>(kernel: K, simd: Avx512) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` proves that the processor has the features.
        unsafe { with_features(kernel, self) }
    }
}

impl Simd for Avx512 {
    const LANES: usize = 16;
    type F32 = __m512;
    type I32 = __m512i;
    type I16 = __m512i;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    // The instruction returns its second operand where either is NaN.
    #[inline(always)]
    fn at_most(self, x: __m512, limit: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_min_ps(limit, x) }
    }
    #[inline(always)]
    fn at_least(self, x: __m512, limit: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_max_ps(limit, x) }
    }
    #[inline(always)]
    fn sum(self, x: __m512) -> f32 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_reduce_add_ps(x) }
    }
    #[inline(always)]
    fn max(self, x: __m512i) -> i32 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_reduce_max_epi32(x) }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_set1_epi32(value) }
    }
    #[inline(always)]
    fn add_i32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub_i32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn and_i32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    fn max_i32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_max_epi32(a, b) }
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_sll_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_sra_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
    }
    #[inline(always)]
    fn to_f32(self, a: __m512i) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_cvtepi32_ps(a) }
    }
    #[inline(always)]
    fn bits(self, a: __m512) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_castps_si512(a) }
    }
    #[inline(always)]
    fn float(self, a: __m512i) -> __m512 {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_castsi512_ps(a) }
    }

    #[inline(always)]
    fn splat_pair(self, pair: i32) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_set1_epi32(pair) }
    }
    #[inline(always)]
    fn dot(self, accumulator: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_dpwssd_epi32(accumulator, a, b) }
    }
    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    fn shift_right_pairs<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_srl_epi16(a, _mm_cvtsi32_si128(BITS as i32)) }
    }
    #[inline(always)]
    fn sub_pairs(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves that the processor has the features.
        unsafe { _mm512_sub_epi16(a, b) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: __m512) {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm512_storeu_ps(to, x) }
    }
    #[inline(always)]
    unsafe fn load_f16(self, from: *const u16) -> __m512 {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.cast())) }
    }
    #[inline(always)]
    unsafe fn load_i8(self, from: *const i8) -> __m512i {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm512_cvtepi8_epi16(_mm256_loadu_si256(from.cast())) }
    }
    #[inline(always)]
    unsafe fn load_i16(self, from: *const i16) -> __m512i {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store_i16(self, to: *mut i16, x: __m512i) {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm512_storeu_si512(to.cast(), x) }
    }
    #[inline(always)]
    unsafe fn store_narrow(self, to: *mut i16, a: __m512i) {
        // SAFETY: the caller's, and `self` proves that the processor has the features.
        unsafe { _mm256_storeu_si256(to.cast(), _mm512_cvtsepi32_epi16(a)) }
    }
}
