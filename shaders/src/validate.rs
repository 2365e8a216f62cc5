//! Checks that a kernel is valid WGSL that runs wherever WebGPU does.

use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};

use crate::features::Features;

/// Unpacking half-precision numbers is core WGSL; only devices below WebGPU lack it.
const CORE: Capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;

/// Panics unless `source` parses, needs no optional feature, keeps within WebGPU's default limits, uses every binding it
/// declares and has `workgroup` invocations.
pub(crate) fn assert_valid(source: &str, workgroup: u32) {
    assert_valid_with(CORE, source, workgroup);
}

/// The same of a kernel with variants, each of which may need the features it is for.
pub(crate) fn assert_variants_valid(wgsl: impl Fn(Features) -> String, workgroup: u32) {
    assert_valid(&wgsl(Features::CORE), workgroup);
    for subgroup in [1, 4, 8, 16, 32, 64] {
        for f16 in [false, true] {
            let needed = [(subgroup > 1, Capabilities::SUBGROUP), (f16, Capabilities::SHADER_FLOAT16)];
            let needed = needed.iter().filter(|(is_needed, _)| *is_needed);
            let all = needed.fold(CORE, |all, (_, capability)| all | *capability);
            assert_valid_with(all, &wgsl(Features { subgroup, f16 }), workgroup);
        }
    }
}

fn assert_valid_with(capabilities: Capabilities, source: &str, workgroup: u32) {
    let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|error| panic!("{error}: {source}"));
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator.subgroup_stages(ShaderStages::COMPUTE).subgroup_operations(SubgroupOperationSet::all());
    let info = validator.validate(&module).expect("the kernel is valid");
    assert_eq!(module.entry_points.len(), 1);
    assert_eq!(module.entry_points[0].name, "main");
    assert_eq!(module.entry_points[0].workgroup_size, [workgroup, 1, 1]);

    let (mut storage, mut memory) = (0, 0);
    for (handle, variable) in module.global_variables.iter() {
        let is_used = !info.get_entry_point(0)[handle].is_empty();
        assert!(is_used, "{:?} is declared and not used", variable.name);
        match variable.space {
            naga::AddressSpace::Storage { .. } => storage += 1,
            naga::AddressSpace::WorkGroup => memory += module.types[variable.ty].inner.size(module.to_ctx()),
            _ => {}
        }
    }
    assert!(storage <= 8, "{storage} storage buffers");
    assert!(memory <= 16_384, "{memory} bytes of workgroup memory");
}
