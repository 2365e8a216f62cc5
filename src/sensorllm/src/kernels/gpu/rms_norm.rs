//! Launches `rms_norm.wgsl`: one dispatch in place of the five that Burn's operations take.

use burn::backend::Wgpu;
use burn::backend::wgpu::{CubeTensor, KernelSource, SourceKernel, SourceTemplate, into_contiguous};
use burn::tensor::{DType, Tensor};
use cubecl::prelude::{CubeCount, CubeDim, KernelId};
use cubecl::server::KernelArguments;
use sensorllm_shaders::rms_norm::{WGSL, WORKGROUP};

/// Workgroups in one direction of a dispatch: WebGPU's default limit.
const GROUPS: usize = 65_535;

struct RmsNorm;

impl KernelSource for RmsNorm {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(WGSL)
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// `x / √(mean(x²) + epsilon) · weight` over the last axis; `None` unless `x` is 32-bit and on WebGPU.
///
/// # Shapes
///
/// - x, output: `[batch, length, width]`
/// - weight: `[width]`
pub(crate) fn rms_norm(x: &Tensor<3>, weight: &Tensor<1>, epsilon: f64) -> Option<Tensor<3>> {
    let [batch, length, width] = x.dims();
    let rows = batch * length;
    let x: CubeTensor = x.clone().try_into_primitive::<Wgpu>().ok()?;
    let weight: CubeTensor = weight.clone().try_into_primitive::<Wgpu>().ok()?;
    if x.dtype != DType::F32 || weight.dtype != DType::F32 || rows == 0 {
        return None;
    }
    let (x, weight) = (into_contiguous(x), into_contiguous(weight));
    let client = x.client.clone();
    let output = CubeTensor::new_contiguous(
        client.clone(),
        x.device.clone(),
        x.meta.shape().clone(),
        client.empty(rows * width * size_of::<f32>()),
        DType::F32,
    );
    let info = [rows as u32, width as u32, (epsilon as f32).to_bits()];
    let info: Vec<u8> = info.iter().flat_map(|word| word.to_le_bytes()).collect();
    let info = client.create_from_slice(&info);

    let across = rows.min(GROUPS);
    let count = CubeCount::Static(across as u32, rows.div_ceil(across) as u32, 1);
    let arguments = KernelArguments::new().with_buffers(vec![
        x.handle.binding(),
        weight.handle.binding(),
        output.handle.clone().binding(),
        info.binding(),
    ]);
    client.launch(Box::new(SourceKernel::new(RmsNorm, CubeDim::new_1d(WORKGROUP))), count, arguments);
    Some(Tensor::from_primitive::<Wgpu>(output))
}
