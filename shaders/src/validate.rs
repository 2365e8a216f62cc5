//! Checks that a kernel is valid WGSL that runs wherever WebGPU does.

/// Panics unless `source` parses, needs no optional feature, keeps within WebGPU's default limits, uses every binding it
/// declares and has `workgroup` invocations.
pub(crate) fn assert_valid(source: &str, workgroup: u32) {
    let module = naga::front::wgsl::parse_str(source).expect("the kernel parses");
    // Unpacking half-precision numbers is core WGSL; only devices below WebGPU lack it.
    let core = naga::valid::Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), core);
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
