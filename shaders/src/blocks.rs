//! Weights in blocks of 32 along a row, as the kernels and the files on disk hold them.

use half::f16;

/// Weights of a block; rows are whole blocks.
pub const BLOCK: usize = 32;

/// How a weight is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Signed bytes, times the block's scale.
    Q8,
    /// Half bytes: byte j of a block's 16 holds value j in its low and value j + 16 in its high half, each plus 8.
    Q4,
    /// Half-precision numbers, without scales.
    F16,
    /// Single-precision numbers, without scales.
    F32,
}

impl Format {
    /// Bits of a weight.
    pub const fn bits(self) -> usize {
        match self {
            Self::Q8 => 8,
            Self::Q4 => 4,
            Self::F16 => 16,
            Self::F32 => 32,
        }
    }

    /// Whether blocks have a scale.
    pub const fn has_scales(self) -> bool {
        matches!(self, Self::Q8 | Self::Q4)
    }

    /// The variant of a kernel that reads this format: the source is written for four bits.
    pub(crate) fn variant(self, source: &str) -> String {
        source.replace("const BITS: u32 = 4u;", &format!("const BITS: u32 = {}u;", self.bits()))
    }
}

/// A linear map's weights as bytes: values, and a half-precision scale per block where the format has them.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a> {
    /// How a weight is stored.
    pub format: Format,
    /// Little endian, row after row.
    pub values: &'a [u8],
    /// Half-precision numbers, little endian, row after row; empty where the format has none.
    pub scales: &'a [u8],
}

impl Blocks<'_> {
    /// The weights as numbers, row after row.
    pub fn decode(&self) -> Vec<f32> {
        let half = |bytes: &[u8]| f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
        let scale = |block: usize| half(&self.scales[2 * block..]);
        let blocks = self.values.chunks_exact(BLOCK * self.format.bits() / 8).enumerate();
        match self.format {
            Format::Q8 => blocks
                .flat_map(|(i, bytes)| bytes.iter().map(move |byte| f32::from(*byte as i8) * scale(i)))
                .collect(),
            Format::Q4 => blocks
                .flat_map(|(i, bytes)| {
                    let low = bytes.iter().map(|byte| byte & 15);
                    let high = bytes.iter().map(|byte| byte >> 4);
                    low.chain(high).map(move |value| (f32::from(value) - 8.0) * scale(i))
                })
                .collect(),
            Format::F16 => self.values.chunks_exact(2).map(half).collect(),
            Format::F32 => self
                .values
                .chunks_exact(4)
                .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_bytes_are_sixteen_apart() {
        let mut values = [0x88u8; 16];
        values[3] = 0xf1;
        let scales = f16::from_f32(0.5).to_le_bytes();
        let weights = Blocks { format: Format::Q4, values: &values, scales: &scales }.decode();
        let expected: Vec<f32> = (0..32)
            .map(|i| match i {
                3 => -3.5,
                19 => 3.5,
                _ => 0.0,
            })
            .collect();
        assert_eq!(weights, expected);
    }

    #[test]
    fn bytes_are_signed() {
        let mut values = [0u8; 64];
        values[33] = 0x81;
        let scales: Vec<u8> = [1.0, 2.0].iter().flat_map(|s| f16::from_f32(*s).to_le_bytes()).collect();
        let weights = Blocks { format: Format::Q8, values: &values, scales: &scales }.decode();
        assert_eq!((weights[33], weights.len()), (-254.0, 64));
    }
}
