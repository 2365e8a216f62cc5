// Linear map of a few vectors: y = W · x (+ bias) (+ residual), for weights in blocks of 32 along a row.
//
// Sixteen invocations share four rows and take every sixteenth block; each loads a block of x once and uses it for all four
// rows. Partial sums meet in workgroup memory behind a single barrier, the only one. One vector per group in z.
// The library compiles a variant per weight format by changing BITS, and for devices with subgroups (src/features.rs): neighbours
// exchange sums directly, and where sixteen can there is no barrier. CPU twin: src/matvec.rs.

// Bits of a weight: 4 and 8 with a scale per block, 16 and 32 floating-point without.
const BITS: u32 = 4u;
// What undoes the powers of two of `low` and `signed`.
const PLACES: vec4<f32> = vec4<f32>(1.0, 0.00390625, 1.0, 0.00390625);
// Invocations that share rows, and rows they share.
const LANES: u32 = 16u;
const ROWS: u32 = 4u;
// Rows of a workgroup of 64.
const TILE: u32 = 16u;
// Neighbours that are in one subgroup, and those of them that share rows.
const SUBGROUP: u32 = 1u;
const WIDTH: u32 = min(SUBGROUP, LANES);

struct Info {
    // Rows of W, and blocks of 32 in a row.
    rows: u32,
    blocks: u32,
    // Length of an output vector and where in it this map writes.
    stride: u32,
    offset: u32,
    // 1 where a bias, a residual is added.
    has_bias: u32,
    has_residual: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> values: array<vec4<u32>>;
// Half-precision numbers, two to a word.
@group(0) @binding(2) var<storage, read_write> scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> info: Info;

var<workgroup> partial: array<f32, 256>;

// Four weights of a word, one from each byte, each times 2^0 or 2^8 (2^4 or 2^12 for high halves); see PLACES. The bits stay where
// they are: written into the mantissa of 2^23 they add to it exactly, so that neither a shift nor an integer conversion,
// which many GPUs do at a quarter of the speed, is needed per weight.
fn low(word: u32) -> vec4<f32> {
    let half = word >> 16u;
    return bitcast<vec4<f32>>(vec4<u32>(word & 0xfu, word & 0xf00u, half & 0xfu, half & 0xf00u) | vec4<u32>(0x4b000000u))
        - vec4<f32>(8388616.0, 8390656.0, 8388616.0, 8390656.0);
}

fn high(word: u32) -> vec4<f32> {
    let half = word >> 16u;
    return bitcast<vec4<f32>>(vec4<u32>(word & 0xf0u, word & 0xf000u, half & 0xf0u, half & 0xf000u) | vec4<u32>(0x4b000000u))
        - vec4<f32>(8388736.0, 8421376.0, 8388736.0, 8421376.0);
}

fn signed(word: u32) -> vec4<f32> {
    let all = word ^ 0x80808080u;
    let half = all >> 16u;
    return bitcast<vec4<f32>>(vec4<u32>(all & 0xffu, all & 0xff00u, half & 0xffu, half & 0xff00u) | vec4<u32>(0x4b000000u))
        - vec4<f32>(8388736.0, 8421376.0, 8388736.0, 8421376.0);
}

fn halves(a: u32, b: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(a), unpack2x16float(b));
}

// Scalar product of a block of weights and a block of x.
fn dot_block(b: u32, x0: vec4<f32>, x1: vec4<f32>, x2: vec4<f32>, x3: vec4<f32>, x4: vec4<f32>, x5: vec4<f32>, x6: vec4<f32>, x7: vec4<f32>) -> f32 {
    if BITS == 4u {
        let w = values[b];
        let lows = low(w.x) * x0 + low(w.y) * x1 + low(w.z) * x2 + low(w.w) * x3;
        let highs = high(w.x) * x4 + high(w.y) * x5 + high(w.z) * x6 + high(w.w) * x7;
        return dot(lows + highs * 0.0625, PLACES) * scale(b);
    } else if BITS == 8u {
        let v = values[2u * b];
        let w = values[2u * b + 1u];
        let sum = signed(v.x) * x0 + signed(v.y) * x1 + signed(v.z) * x2 + signed(v.w) * x3
            + signed(w.x) * x4 + signed(w.y) * x5 + signed(w.z) * x6 + signed(w.w) * x7;
        return dot(sum, PLACES) * scale(b);
    } else if BITS == 16u {
        let u = values[4u * b];
        let v = values[4u * b + 1u];
        let w = values[4u * b + 2u];
        let z = values[4u * b + 3u];
        return dot(halves(u.x, u.y), x0) + dot(halves(u.z, u.w), x1) + dot(halves(v.x, v.y), x2) + dot(halves(v.z, v.w), x3)
            + dot(halves(w.x, w.y), x4) + dot(halves(w.z, w.w), x5) + dot(halves(z.x, z.y), x6) + dot(halves(z.z, z.w), x7);
    }
    let w = 8u * b;
    return dot(bitcast<vec4<f32>>(values[w]), x0) + dot(bitcast<vec4<f32>>(values[w + 1u]), x1)
        + dot(bitcast<vec4<f32>>(values[w + 2u]), x2) + dot(bitcast<vec4<f32>>(values[w + 3u]), x3)
        + dot(bitcast<vec4<f32>>(values[w + 4u]), x4) + dot(bitcast<vec4<f32>>(values[w + 5u]), x5)
        + dot(bitcast<vec4<f32>>(values[w + 6u]), x6) + dot(bitcast<vec4<f32>>(values[w + 7u]), x7);
}

fn scale(b: u32) -> f32 {
    let pair = unpack2x16float(scales[b / 2u]);
    return select(pair.x, pair.y, (b & 1u) == 1u);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let lane = local % LANES;
    let first = (local / LANES) * ROWS;
    // A dispatch has at most 65,535 groups in one direction, so tiles of rows go on in the second.
    let row = (group.y * groups.x + group.x) * TILE + first;
    // Rows beyond the last compute the last again and write nothing.
    let last = info.rows - 1u;
    let starts = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(last)) * info.blocks;

    var sums = vec4<f32>(0.0);
    for (var b = lane; b < info.blocks; b += LANES) {
        let at = (group.z * info.blocks + b) * 8u;
        let x0 = x[at];
        let x1 = x[at + 1u];
        let x2 = x[at + 2u];
        let x3 = x[at + 3u];
        let x4 = x[at + 4u];
        let x5 = x[at + 5u];
        let x6 = x[at + 6u];
        let x7 = x[at + 7u];
        sums += vec4<f32>(
            dot_block(starts.x + b, x0, x1, x2, x3, x4, x5, x6, x7),
            dot_block(starts.y + b, x0, x1, x2, x3, x4, x5, x6, x7),
            dot_block(starts.z + b, x0, x1, x2, x3, x4, x5, x6, x7),
            dot_block(starts.w + b, x0, x1, x2, x3, x4, x5, x6, x7),
        );
    }
    //+subgroups for (var step = 1u; step < WIDTH; step *= 2u) {
    //+subgroups     sums += subgroupShuffleXor(sums, step);
    //+subgroups }
    if WIDTH < LANES {
        if lane % WIDTH == 0u {
            partial[first * LANES + lane] = sums.x;
            partial[(first + 1u) * LANES + lane] = sums.y;
            partial[(first + 2u) * LANES + lane] = sums.z;
            partial[(first + 3u) * LANES + lane] = sums.w;
        }
        workgroupBarrier();
    }

    let mine = row + lane;
    if lane < ROWS && mine < info.rows {
        var sum = sums[lane];
        if WIDTH < LANES {
            sum = 0.0;
            for (var i = 0u; i < LANES; i += WIDTH) {
                sum += partial[(first + lane) * LANES + i];
            }
        }
        let at = group.z * info.stride + info.offset + mine;
        if info.has_bias == 1u {
            sum += bias[mine];
        }
        if info.has_residual == 1u {
            sum += residual[at];
        }
        y[at] = sum;
    }
}
