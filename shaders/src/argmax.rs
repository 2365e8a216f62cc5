//! CPU twin of `argmax.wgsl`: number of each row's largest value.

/// The kernel's source.
pub const WGSL: &str = include_str!("../argmax.wgsl");

/// Invocations in a workgroup; a workgroup takes a row.
pub const WORKGROUP: u32 = 256;

/// Number of the largest value of every row of `width` values: the lowest where several are; not-a-number never wins.
pub fn argmax(x: &[f32], width: usize) -> Vec<u32> {
    let best = |row: &[f32]| {
        let (mut column, mut value) = (0, f32::MIN);
        for (i, x) in row.iter().enumerate() {
            if *x > value {
                (column, value) = (i as u32, *x);
            }
        }
        column
    };
    x.chunks_exact(width).map(best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_valid_wgsl_within_default_limits() {
        crate::validate::assert_valid(WGSL, WORKGROUP);
    }

    #[test]
    fn the_first_of_equals_wins_and_not_a_number_never_does() {
        assert_eq!(argmax(&[f32::NAN, 1.0, 2.0, 2.0, -1.0, -3.0, -1.0, f32::NAN], 4), [2, 0]);
    }
}
