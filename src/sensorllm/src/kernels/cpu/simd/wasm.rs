//! WebAssembly's 128-bit vectors: 4 lanes, no fused multiply-add.
#![allow(unsafe_code)] // Loads and stores of vectors take pointers.

use std::arch::wasm32::*;

use super::{Kernel, Simd};

/// Proof that vectors are compiled in: a module that has them runs nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Simd128;

impl Simd128 {
    /// Runs `kernel` as a function of its own: compilers allocate registers badly in a function that holds several kernels, which
    /// halves the speed.
    #[inline(never)]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

impl Simd for Simd128 {
    const LANES: usize = 4;
    type F32 = v128;
    type I32 = v128;
    type I16 = v128;

    #[inline(always)]
    fn unknown_zero(self) -> usize {
        std::hint::black_box(0)
    }
    #[inline(always)]
    fn splat(self, value: f32) -> v128 {
        f32x4_splat(value)
    }
    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }
    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }
    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }
    #[inline(always)]
    fn div(self, a: v128, b: v128) -> v128 {
        f32x4_div(a, b)
    }
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }
    // The pseudo-minimum returns its first operand unless the second is smaller, and is one instruction everywhere.
    #[inline(always)]
    fn at_most(self, x: v128, limit: v128) -> v128 {
        f32x4_pmin(x, limit)
    }
    #[inline(always)]
    fn at_least(self, x: v128, limit: v128) -> v128 {
        f32x4_pmax(x, limit)
    }
    #[inline(always)]
    fn sum(self, x: v128) -> f32 {
        let x = f32x4_add(x, i32x4_shuffle::<2, 3, 0, 1>(x, x));
        f32x4_extract_lane::<0>(x) + f32x4_extract_lane::<1>(x)
    }
    #[inline(always)]
    fn max(self, x: v128) -> i32 {
        let x = i32x4_max(x, i32x4_shuffle::<2, 3, 0, 1>(x, x));
        i32x4_extract_lane::<0>(x).max(i32x4_extract_lane::<1>(x))
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> v128 {
        i32x4_splat(value)
    }
    #[inline(always)]
    fn add_i32(self, a: v128, b: v128) -> v128 {
        i32x4_add(a, b)
    }
    #[inline(always)]
    fn sub_i32(self, a: v128, b: v128) -> v128 {
        i32x4_sub(a, b)
    }
    #[inline(always)]
    fn and_i32(self, a: v128, b: v128) -> v128 {
        v128_and(a, b)
    }
    #[inline(always)]
    fn max_i32(self, a: v128, b: v128) -> v128 {
        i32x4_max(a, b)
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self, a: v128) -> v128 {
        i32x4_shl(a, BITS)
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self, a: v128) -> v128 {
        i32x4_shr(a, BITS)
    }
    #[inline(always)]
    fn to_f32(self, a: v128) -> v128 {
        f32x4_convert_i32x4(a)
    }
    #[inline(always)]
    fn bits(self, a: v128) -> v128 {
        a
    }
    #[inline(always)]
    fn float(self, a: v128) -> v128 {
        a
    }

    #[inline(always)]
    fn splat_pair(self, pair: i32) -> v128 {
        i32x4_splat(pair)
    }
    #[inline(always)]
    fn dot(self, accumulator: v128, a: v128, b: v128) -> v128 {
        i32x4_add(accumulator, i32x4_dot_i16x8(a, b))
    }
    #[inline(always)]
    fn and(self, a: v128, b: v128) -> v128 {
        v128_and(a, b)
    }
    #[inline(always)]
    fn shift_right_pairs<const BITS: u32>(self, a: v128) -> v128 {
        u16x8_shr(a, BITS)
    }
    #[inline(always)]
    fn sub_pairs(self, a: v128, b: v128) -> v128 {
        i16x8_sub(a, b)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> v128 {
        // SAFETY: the caller's.
        unsafe { v128_load(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: v128) {
        // SAFETY: the caller's.
        unsafe { v128_store(to.cast(), x) }
    }
    #[inline(always)]
    unsafe fn load_f16(self, from: *const u16) -> v128 {
        // SAFETY: the caller's.
        let half = unsafe { i32x4_load_extend_i16x4(from.cast()) };
        // Sign, exponent and fraction at the place of 32-bit floats, whose exponents are biased by 112 more.
        let moved = v128_and(i32x4_shl(half, 13), i32x4_splat(0x8FFF_E000_u32 as i32));
        f32x4_mul(moved, f32x4_splat(5.192_297e33))
    }
    #[inline(always)]
    unsafe fn load_i8(self, from: *const i8) -> v128 {
        // SAFETY: the caller's.
        unsafe { i16x8_load_extend_i8x8(from) }
    }
    #[inline(always)]
    unsafe fn load_i16(self, from: *const i16) -> v128 {
        // SAFETY: the caller's.
        unsafe { v128_load(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store_i16(self, to: *mut i16, x: v128) {
        // SAFETY: the caller's.
        unsafe { v128_store(to.cast(), x) }
    }
    #[inline(always)]
    unsafe fn store_narrow(self, to: *mut i16, a: v128) {
        // SAFETY: the caller's.
        unsafe { v128_store64_lane::<0>(i16x8_narrow_i32x4(a, a), to.cast()) }
    }
}
