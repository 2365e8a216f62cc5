//! What some devices have beyond WebGPU's core, and the variants of the kernels that make use of it.
//!
//! A kernel's text runs everywhere as it stands. In the variant for a feature, what follows `//+feature` on a line is there too, and
//! lines that end in `//-feature` are not.

/// Optional features of a device, as far as kernels use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Features {
    /// Neighbouring invocations that are known to be in one subgroup, and so exchange values without a barrier: a power of
    /// two; 1 where the device has no subgroups.
    pub subgroup: u32,
    /// Numbers of 16 bits.
    pub f16: bool,
}

impl Features {
    /// What every device has: none.
    pub const CORE: Self = Self { subgroup: 1, f16: false };

    /// How a kernel with subgroups begins in a browser. wgpu outside of one does not know the line, and does without.
    pub const ENABLE_SUBGROUPS: &str = "enable subgroups;\n";

    /// The part of the features that `source` makes use of.
    fn used_by(self, source: &str) -> Self {
        Self {
            subgroup: if source.contains("//+subgroups ") { self.subgroup } else { 1 },
            f16: self.f16 && source.contains("//+f16 "),
        }
    }

    /// The variant of a kernel for these features.
    pub(crate) fn variant(self, source: &str) -> String {
        let Self { subgroup, f16 } = self.used_by(source);
        let mut text = String::new();
        if subgroup > 1 && cfg!(target_family = "wasm") {
            text.push_str(Self::ENABLE_SUBGROUPS);
        }
        if f16 {
            text.push_str("enable f16;\n");
        }
        for line in source.lines() {
            let is_dropped = |feature, has: bool| has && line.ends_with(feature);
            if is_dropped("//-subgroups", subgroup > 1) || is_dropped("//-f16", f16) {
                continue;
            }
            let is_added = |feature, has: bool| line.trim_start().strip_prefix(feature).filter(|_| has);
            let added = is_added("//+subgroups ", subgroup > 1).or_else(|| is_added("//+f16 ", f16));
            text.push_str(added.unwrap_or(line));
            text.push('\n');
        }
        text.replace("const SUBGROUP: u32 = 1u;", &format!("const SUBGROUP: u32 = {subgroup}u;"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "alias Number = f32; //-f16\n\
        //+f16 alias Number = f16;\n\
        const SUBGROUP: u32 = 1u;\n  //+subgroups let sum = subgroupAdd(x);\n";

    #[test]
    fn the_core_variant_is_the_text_itself() {
        assert_eq!(Features::CORE.variant(SOURCE), SOURCE);
    }

    #[test]
    fn a_feature_adds_its_lines_and_drops_those_it_replaces() {
        let all = Features { subgroup: 8, f16: true };
        assert_eq!(
            all.variant(SOURCE),
            "enable f16;\nalias Number = f16;\nconst SUBGROUP: u32 = 8u;\nlet sum = subgroupAdd(x);\n"
        );
    }

    #[test]
    fn features_that_a_kernel_does_not_use_make_no_variant() {
        let all = Features { subgroup: 8, f16: true };
        assert_eq!(all.used_by("fn main() {}"), Features::CORE);
        assert_eq!(all.variant("fn main() {}\n"), "fn main() {}\n");
    }
}
