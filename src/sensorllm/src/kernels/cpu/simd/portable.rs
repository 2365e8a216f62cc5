//! Vectors in plain Rust, for processors without code of their own: 4 lanes that the compiler turns into what there is.
#![allow(unsafe_code)] // The trait's loads and stores take pointers.

use super::{Kernel, Simd};

/// Runs everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Portable;

type F32 = [f32; 4];
type I32 = [i32; 4];
type I16 = [[i16; 2]; 4];

#[inline(always)]
fn zip<T: Copy, R>(a: [T; 4], b: [T; 4], f: impl Fn(T, T) -> R) -> [R; 4] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

#[inline(always)]
fn zip_pairs(a: I16, b: I16, f: impl Fn(i16, i16) -> i16) -> I16 {
    zip(a, b, |a, b| [f(a[0], b[0]), f(a[1], b[1])])
}

impl Portable {
    /// Runs `kernel`, as a function of its own.
    #[inline(never)]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

impl Simd for Portable {
    const LANES: usize = 4;
    type F32 = F32;
    type I32 = I32;
    type I16 = I16;

    #[inline(always)]
    fn splat(self, value: f32) -> F32 {
        [value; 4]
    }
    #[inline(always)]
    fn add(self, a: F32, b: F32) -> F32 {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: F32, b: F32) -> F32 {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: F32, b: F32) -> F32 {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: F32, b: F32) -> F32 {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn mul_add(self, a: F32, b: F32, c: F32) -> F32 {
        self.add(self.mul(a, b), c)
    }
    #[inline(always)]
    fn at_most(self, x: F32, limit: F32) -> F32 {
        zip(x, limit, |x, limit| if limit < x { limit } else { x })
    }
    #[inline(always)]
    fn at_least(self, x: F32, limit: F32) -> F32 {
        zip(x, limit, |x, limit| if limit > x { limit } else { x })
    }
    #[inline(always)]
    fn sum(self, x: F32) -> f32 {
        (x[0] + x[2]) + (x[1] + x[3])
    }
    #[inline(always)]
    fn max(self, x: I32) -> i32 {
        x[0].max(x[1]).max(x[2].max(x[3]))
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> I32 {
        [value; 4]
    }
    #[inline(always)]
    fn add_i32(self, a: I32, b: I32) -> I32 {
        zip(a, b, i32::wrapping_add)
    }
    #[inline(always)]
    fn sub_i32(self, a: I32, b: I32) -> I32 {
        zip(a, b, i32::wrapping_sub)
    }
    #[inline(always)]
    fn and_i32(self, a: I32, b: I32) -> I32 {
        zip(a, b, |a, b| a & b)
    }
    #[inline(always)]
    fn max_i32(self, a: I32, b: I32) -> I32 {
        zip(a, b, i32::max)
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self, a: I32) -> I32 {
        a.map(|a| a << BITS)
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self, a: I32) -> I32 {
        a.map(|a| a >> BITS)
    }
    #[inline(always)]
    fn to_f32(self, a: I32) -> F32 {
        a.map(|a| a as f32)
    }
    #[inline(always)]
    fn bits(self, a: F32) -> I32 {
        a.map(|a| a.to_bits() as i32)
    }
    #[inline(always)]
    fn float(self, a: I32) -> F32 {
        a.map(|a| f32::from_bits(a as u32))
    }

    #[inline(always)]
    fn splat_pair(self, pair: i32) -> I16 {
        [[pair as i16, (pair >> 16) as i16]; 4]
    }
    #[inline(always)]
    fn dot(self, accumulator: I32, a: I16, b: I16) -> I32 {
        let product = |a: [i16; 2], b: [i16; 2]| {
            (i32::from(a[0]) * i32::from(b[0])).wrapping_add(i32::from(a[1]) * i32::from(b[1]))
        };
        self.add_i32(accumulator, zip(a, b, product))
    }
    #[inline(always)]
    fn and(self, a: I16, b: I16) -> I16 {
        zip_pairs(a, b, |a, b| a & b)
    }
    #[inline(always)]
    fn shift_right_pairs<const BITS: u32>(self, a: I16) -> I16 {
        zip_pairs(a, a, |a, _| (a as u16 >> BITS) as i16)
    }
    #[inline(always)]
    fn sub_pairs(self, a: I16, b: I16) -> I16 {
        zip_pairs(a, b, i16::wrapping_sub)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> F32 {
        // SAFETY: the caller's.
        unsafe { from.cast::<F32>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: F32) {
        // SAFETY: the caller's.
        unsafe { to.cast::<F32>().write_unaligned(x) }
    }
    #[inline(always)]
    unsafe fn load_f16(self, from: *const u16) -> F32 {
        // SAFETY: the caller's.
        unsafe { from.cast::<[u16; 4]>().read_unaligned() }.map(|x| half::f16::from_bits(x).to_f32())
    }
    #[inline(always)]
    unsafe fn load_i8(self, from: *const i8) -> I16 {
        // SAFETY: the caller's.
        unsafe { from.cast::<[[i8; 2]; 4]>().read_unaligned() }.map(|pair| pair.map(i16::from))
    }
    #[inline(always)]
    unsafe fn load_i16(self, from: *const i16) -> I16 {
        // SAFETY: the caller's.
        unsafe { from.cast::<I16>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_i16(self, to: *mut i16, x: I16) {
        // SAFETY: the caller's.
        unsafe { to.cast::<I16>().write_unaligned(x) }
    }
    #[inline(always)]
    unsafe fn store_narrow(self, to: *mut i16, a: I32) {
        let narrow = a.map(|a| a.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16);
        // SAFETY: the caller's.
        unsafe { to.cast::<[i16; 4]>().write_unaligned(narrow) }
    }
}
