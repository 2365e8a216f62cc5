// Rows of a table by number, as an embedding needs them: y[i] = W[ids[i]], for weights in blocks of 32 along a row.
//
// One invocation per four values. A table may lie in parts, each with its own dispatch into the same y: a row that is not in
// this part is left alone, or set to zero by the first dispatch. CPU twin: src/gather.rs.

// Bits of a weight: 4 and 8 with a scale per block, 16 and 32 floating-point without.
const BITS: u32 = 4u;

struct Info {
    // Rows of this part, blocks of 32 in a row, number of this part's first row.
    rows: u32,
    blocks: u32,
    first: u32,
    // Number of ids.
    count: u32,
    // 1 where rows outside this part become zero.
    clear: u32,
}

@group(0) @binding(0) var<storage, read_write> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
// Half-precision numbers, two to a word.
@group(0) @binding(2) var<storage, read_write> scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> info: Info;

// Four unsigned fields of a word, 8 bits apart.
fn fields(word: u32, first: u32, mask: u32) -> vec4<f32> {
    let shifted = vec4<u32>(word) >> (vec4<u32>(first) + vec4<u32>(0u, 8u, 16u, 24u));
    return vec4<f32>(shifted & vec4<u32>(mask));
}

fn scale(b: u32) -> f32 {
    let pair = unpack2x16float(scales[b / 2u]);
    return select(pair.x, pair.y, (b & 1u) == 1u);
}

// Weights 4k to 4k + 3 of a block.
fn quad(b: u32, k: u32) -> vec4<f32> {
    if BITS == 4u {
        // The first sixteen values are the low halves of the block's bytes, the other sixteen the high halves.
        return (fields(values[4u * b + k % 4u], (k / 4u) * 4u, 15u) - 8.0) * scale(b);
    } else if BITS == 8u {
        return (fields(values[8u * b + k] ^ 0x80808080u, 0u, 255u) - 128.0) * scale(b);
    } else if BITS == 16u {
        let at = 16u * b + 2u * k;
        return vec4<f32>(unpack2x16float(values[at]), unpack2x16float(values[at + 1u]));
    }
    let at = 32u * b + 4u * k;
    return bitcast<vec4<f32>>(vec4<u32>(values[at], values[at + 1u], values[at + 2u], values[at + 3u]));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + local;
    let width = info.blocks * 8u;
    if i >= info.count * width {
        return;
    }
    // Below the part's first row this wraps around to a large number.
    let row = ids[i / width] - info.first;
    let column = i % width;
    if row < info.rows {
        y[i] = quad(row * info.blocks + column / 8u, column % 8u);
    } else if info.clear == 1u {
        y[i] = vec4<f32>(0.0);
    }
}
