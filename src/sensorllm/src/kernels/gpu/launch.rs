//! Between Burn's tensors and a kernel: buffers, sizes, dispatch.

use burn::backend::Wgpu;
use burn::backend::wgpu::{CubeTensor, KernelSource, SourceKernel, SourceTemplate, into_contiguous};
use burn::tensor::{DType, Device, Int, Tensor};
use cubecl::ir::attributes::BufferIOAttr;
use cubecl::prelude::{CubeCount, CubeDim, KernelId};
use cubecl::server::{Handle, KernelArguments, MetadataBindingInfo};
use sensorllm_shaders::blocks::Format;
use sensorllm_shaders::features::Features;

use super::features::features;

/// Launches per command buffer the device must allow so that two decoded tokens fit into one: eight per block and a few more, twice.
pub(crate) const TASKS_MAX: usize = 1024;

/// Workgroups in one direction of a dispatch: WebGPU's default limit.
const GROUPS: usize = 65_535;

/// A kernel: its text, and what identifies it, which is its name, the format of the weights it reads and the features of the
/// device it makes use of.
pub(super) struct Kernel {
    text: Text,
    name: &'static str,
    workgroup: u32,
}

#[derive(Clone, Copy)]
enum Text {
    Plain(&'static str),
    Of(Format, fn(Format) -> String),
    With(Features, fn(Features) -> String),
    OfWith(Format, Features, fn(Format, Features) -> String),
}

impl Kernel {
    /// A kernel of one text.
    pub(super) fn plain(name: &'static str, text: &'static str, workgroup: u32) -> Self {
        Self { text: Text::Plain(text), name, workgroup }
    }

    /// A kernel's variant for a format.
    pub(super) fn of(name: &'static str, format: Format, text: fn(Format) -> String, workgroup: u32) -> Self {
        Self { text: Text::Of(format, text), name, workgroup }
    }

    /// A kernel's variant for the device.
    pub(super) fn with(name: &'static str, text: fn(Features) -> String, workgroup: u32) -> Self {
        Self { text: Text::With(features(), text), name, workgroup }
    }

    /// A kernel's variant for a format and the device.
    pub(super) fn of_with(
        name: &'static str,
        format: Format,
        text: fn(Format, Features) -> String,
        workgroup: u32,
    ) -> Self {
        Self { text: Text::OfWith(format, features(), text), name, workgroup }
    }
}

impl KernelSource for Kernel {
    fn source(&self) -> SourceTemplate {
        match self.text {
            Text::Plain(text) => SourceTemplate::new(text),
            Text::Of(format, text) => SourceTemplate::new(text(format)),
            Text::With(features, text) => SourceTemplate::new(text(features)),
            Text::OfWith(format, features, text) => SourceTemplate::new(text(format, features)),
        }
    }

    fn id(&self) -> KernelId {
        let variant = match self.text {
            Text::Plain(_) => (None, None),
            Text::Of(format, _) => (Some(format), None),
            Text::With(features, _) => (None, Some(features)),
            Text::OfWith(format, features, _) => (Some(format), Some(features)),
        };
        KernelId::new::<Self>().info((self.name, variant))
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// Whether a tensor is on WebGPU, in single precision and not being differentiated, as the kernels need it.
pub(crate) fn is_gpu<const D: usize>(x: &Tensor<D>) -> bool {
    x.clone().try_into_primitive::<Wgpu>().is_ok_and(|x| x.dtype == DType::F32)
}

/// The buffer behind a tensor, contiguous.
///
/// # Panics
///
/// When the tensor is not on WebGPU.
pub(super) fn primitive<const D: usize>(x: &Tensor<D>) -> CubeTensor {
    let x = x.clone().try_into_primitive::<Wgpu>().expect("the caller checked that the tensor is on WebGPU");
    into_contiguous(x)
}

/// The same for whole numbers of 32 bits.
pub(super) fn int_primitive<const D: usize>(x: &Tensor<D, Int>) -> CubeTensor {
    let x = x.clone().try_into_primitive::<Wgpu>().expect("the caller checked that the tensor is on WebGPU");
    into_contiguous(x)
}

/// A tensor of `shape` on the device of `like`, not initialised.
pub(super) fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D], dtype: DType) -> CubeTensor {
    let size = shape.iter().product::<usize>() * size_of::<u32>();
    CubeTensor::new_contiguous(
        like.client.clone(),
        like.device.clone(),
        shape.into(),
        like.client.empty(size),
        dtype,
    )
}

/// A tensor of whole numbers with these bytes as content.
pub(super) fn words(bytes: &[u8], device: &Device) -> CubeTensor {
    let like = int_primitive(&Tensor::<1, Int>::empty([1], device));
    let handle = like.client.create_from_slice(bytes);
    let length = bytes.len() / size_of::<u32>();
    CubeTensor::new_contiguous(like.client.clone(), like.device.clone(), [length].into(), handle, DType::I32)
}

/// The tensor Burn sees.
pub(super) fn tensor<const D: usize>(x: CubeTensor) -> Tensor<D> {
    Tensor::from_primitive::<Wgpu>(x)
}

/// Stands for a buffer that a launch does not need: bindings cannot be left out, nor the same buffer bound twice.
pub(super) fn nothing(like: &CubeTensor) -> Handle {
    like.client.empty(size_of::<[u32; 4]>())
}

/// Spreads `count` workgroups over two directions, where the first alone has not enough.
pub(super) fn grid(count: usize) -> (u32, u32) {
    let across = count.clamp(1, GROUPS);
    (across as u32, count.div_ceil(across) as u32)
}

/// Appends a dispatch of `groups` workgroups. Bindings are the buffers in order, written ones marked, then the sizes.
///
/// Nothing is launched where there are no workgroups.
pub(super) fn launch(
    kernel: Kernel,
    on: &CubeTensor,
    groups: (u32, u32, u32),
    buffers: &[(&Handle, Access)],
    sizes: &[u32],
) {
    if groups.0 == 0 || groups.1 == 0 || groups.2 == 0 {
        return;
    }
    // A uniform is a multiple of 16 bytes long.
    let padded: Vec<u32> =
        sizes.iter().copied().chain([0; 3]).take(sizes.len().next_multiple_of(4)).collect();
    let info = padded.chunks_exact(2).map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32).collect();
    let arguments = buffers.iter().fold(KernelArguments::new(), |arguments, (buffer, access)| {
        let io = match access {
            Access::Read => BufferIOAttr::ReadOnly,
            Access::Write => BufferIOAttr::ReadWrite,
        };
        arguments.with_buffer_io((*buffer).clone().binding(), io)
    });
    let workgroup = CubeDim::new_1d(kernel.workgroup);
    on.client.launch(
        Box::new(SourceKernel::new(kernel, workgroup)),
        CubeCount::Static(groups.0, groups.1, groups.2),
        arguments.with_info(MetadataBindingInfo::custom(info)),
    );
}

/// What a kernel does with a buffer.
#[derive(Clone, Copy)]
pub(super) enum Access {
    Read,
    Write,
}
