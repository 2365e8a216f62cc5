//! CPU twin of `gather.wgsl`: rows of a table by number.

use crate::blocks::{Blocks, Format};

/// Invocations in a workgroup; each writes four values.
pub const WORKGROUP: u32 = 64;

/// The kernel's source for weights of a format.
pub fn wgsl(format: Format) -> String {
    format.variant(include_str!("../gather.wgsl"))
}

/// Rows `ids` of a table of `width` columns, one after the other; zeros where there is no such row.
pub fn gather(table: &Blocks, width: usize, ids: &[u32]) -> Vec<f32> {
    let weights = table.decode();
    let row = |id: &u32| match weights.chunks_exact(width).nth(*id as usize) {
        Some(row) => row.to_vec(),
        None => vec![0.0; width],
    };
    ids.iter().flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_valid_wgsl_within_default_limits() {
        for format in [Format::Q8, Format::Q4, Format::F16, Format::F32] {
            crate::validate::assert_valid(&wgsl(format), WORKGROUP);
        }
    }

    #[test]
    fn rows_come_in_the_order_of_ids() {
        let values: Vec<u8> =
            [1.0f32, 2.0].iter().flat_map(|w| [*w; 32]).flat_map(f32::to_le_bytes).collect();
        let table = Blocks { format: Format::F32, values: &values, scales: &[] };
        assert_eq!(gather(&table, 32, &[1, 0, 7]), [[2.0; 32], [1.0; 32], [0.0; 32]].concat());
    }
}
