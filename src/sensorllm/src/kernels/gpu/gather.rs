//! Launches `gather.wgsl`: token embeddings from a table in blocks.

use burn::tensor::{DType, Int, Tensor};
use sensorllm_shaders::gather::{WORKGROUP, wgsl};

use super::launch::{Access, Kernel, empty, grid, int_primitive, launch, tensor};
use super::matrix::GpuMatrix;

/// Rows of a table whose rows lie in `parts`, one after the other: those of the first `count` ids, zeros for one beyond the last row.
///
/// # Shapes
///
/// - parts: `[rows, width]` each, of the same width
/// - ids: `[count or more]`
/// - output: `[count, width]`
pub(crate) fn gather(parts: &[GpuMatrix], ids: &Tensor<1, Int>, count: usize) -> Tensor<2> {
    assert!(count <= ids.dims()[0], "as many ids as rows");
    let ids = int_primitive(ids);
    let width = parts.first().map_or(0, GpuMatrix::columns);
    let y = empty(&ids, [count, width], DType::F32);
    let mut first = 0;
    for part in parts {
        assert_eq!(part.columns(), width, "width of the table's parts");
        let kernel = Kernel::of("gather", part.format(), wgsl, WORKGROUP);
        let (across, down) = grid((count * width / 4).div_ceil(WORKGROUP as usize));
        launch(
            kernel,
            &ids,
            (across, down, 1),
            &[
                (&ids.handle, Access::Read),
                (&part.values.handle, Access::Read),
                (&part.scales.handle, Access::Read),
                (&y.handle, Access::Write),
            ],
            &[part.rows() as u32, part.blocks() as u32, first as u32, count as u32, u32::from(first == 0)],
        );
        first += part.rows();
    }
    tensor(y)
}
