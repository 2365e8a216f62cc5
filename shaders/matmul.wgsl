// Linear map of many vectors: y = x · Wᵀ (+ bias) (+ residual), for weights in blocks of 32 along a row.
//
// A workgroup computes 64 rows for 64 vectors, block after block: both tiles go to workgroup memory as f32, and each invocation
// accumulates 8 × 8 outputs, a and b for either half of the vectors. The library compiles a variant per weight format by changing
// BITS, and for devices with f16 (src/features.rs): weights then lie in workgroup memory in half precision, which holds the whole
// numbers of q8 and q4 exactly, and their scales beside them, so that all is computed in f32 as before from a quarter less memory.
// CPU twin: src/matmul.rs.

// Bits of a weight: 4 and 8 with a scale per block, 16 and 32 floating-point without.
const BITS: u32 = 4u;
// Rows of W and vectors of a workgroup.
const TILE_ROWS: u32 = 64u;
const TILE_VECTORS: u32 = 64u;
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
    // Number of vectors.
    vectors: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
// Half-precision numbers, two to a word.
@group(0) @binding(2) var<storage, read_write> scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> info: Info;

alias Weight = f32; //-f16
//+f16 alias Weight = f16;
var<workgroup> tile_w: array<vec4<Weight>, 512>;
//+f16 var<workgroup> tile_scales: array<f32, 64>;
var<workgroup> tile_x: array<vec4<f32>, 512>;

// Four unsigned fields of a word, 8 bits apart, minus `zero`; as in matvec.wgsl.
fn fields(word: u32, first: u32, mask: u32, zero: f32) -> vec4<f32> {
    let shifted = vec4<u32>(word) >> (vec4<u32>(first) + vec4<u32>(0u, 8u, 16u, 24u));
    return bitcast<vec4<f32>>((shifted & vec4<u32>(mask)) | vec4<u32>(0x4b000000u)) - vec4<f32>(8388608.0 + zero);
}

// Where quad `k` of a tile's row lies: neighbouring rows permute their quads differently, so that reading the same quad of
// eight rows takes eight banks.
fn place(row: u32, k: u32) -> u32 {
    return row * 8u + (k ^ (row & 7u));
}

fn scale(b: u32) -> f32 {
    let pair = unpack2x16float(scales[b / 2u]);
    return select(pair.x, pair.y, (b & 1u) == 1u);
}

// Weights of block `b` as they lie in workgroup memory.
fn stored(quad: vec4<f32>, b: u32) -> vec4<Weight> {
    return quad * scale(b); //-f16
    //+f16 return vec4<Weight>(quad);
}

// What `stored` made of them; `s` is their scale, where it is not in them.
fn weights(at: u32, s: f32) -> vec4<f32> {
    return tile_w[at]; //-f16
    //+f16 return vec4<f32>(tile_w[at]) * s;
}

// Puts block `b` of 64 rows from `row` on into workgroup memory; rows beyond the last repeat it.
fn load_weights(row: u32, b: u32, local: u32) {
    //+f16 tile_scales[local] = 1.0;
    //+f16 if BITS < 16u {
    //+f16     tile_scales[local] = scale(min(row + local, info.rows - 1u) * info.blocks + b);
    //+f16 }
    if BITS == 4u {
        for (var i = local; i < TILE_ROWS * 4u; i += 64u) {
            let at = min(row + i / 4u, info.rows - 1u) * info.blocks + b;
            let word = values[at * 4u + i % 4u];
            tile_w[place(i / 4u, i % 4u)] = stored(fields(word, 0u, 15u, 8.0), at);
            tile_w[place(i / 4u, i % 4u + 4u)] = stored(fields(word, 4u, 15u, 8.0), at);
        }
        return;
    }
    for (var i = local; i < TILE_ROWS * 8u; i += 64u) {
        let at = min(row + i / 8u, info.rows - 1u) * info.blocks + b;
        var quad = vec4<Weight>(0.0);
        if BITS == 8u {
            quad = stored(fields(values[at * 8u + i % 8u] ^ 0x80808080u, 0u, 255u, 128.0), at);
        } else if BITS == 16u {
            let origin = at * 16u + (i % 8u) * 2u;
            quad = vec4<Weight>(vec4<f32>(unpack2x16float(values[origin]), unpack2x16float(values[origin + 1u])));
        } else {
            let origin = at * 32u + (i % 8u) * 4u;
            let bits = vec4<u32>(values[origin], values[origin + 1u], values[origin + 2u], values[origin + 3u]);
            quad = vec4<Weight>(bitcast<vec4<f32>>(bits));
        }
        tile_w[place(i / 8u, i % 8u)] = quad;
    }
}

fn dots(w: vec4<f32>, x0: vec4<f32>, x1: vec4<f32>, x2: vec4<f32>, x3: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(dot(w, x0), dot(w, x1), dot(w, x2), dot(w, x3));
}

fn store(row: u32, vector: u32, sum: f32) {
    if row < info.rows && vector < info.vectors {
        let at = vector * info.stride + info.offset + row;
        var value = sum;
        if info.has_bias == 1u {
            value += bias[row];
        }
        if info.has_residual == 1u {
            value += residual[at];
        }
        y[at] = value;
    }
}

fn store_row(row: u32, vector: u32, sums: vec4<f32>) {
    store(row, vector, sums.x);
    store(row, vector + 8u, sums.y);
    store(row, vector + 16u, sums.z);
    store(row, vector + 24u, sums.w);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group.x * TILE_ROWS;
    let vector = group.y * TILE_VECTORS;
    // This invocation's rows are `r`, `r + 8`, …, its vectors `v`, `v + 8`, ….
    let r = local / 8u;
    let v = local % 8u;

    var sums0a = vec4<f32>(0.0);
    var sums0b = vec4<f32>(0.0);
    var sums1a = vec4<f32>(0.0);
    var sums1b = vec4<f32>(0.0);
    var sums2a = vec4<f32>(0.0);
    var sums2b = vec4<f32>(0.0);
    var sums3a = vec4<f32>(0.0);
    var sums3b = vec4<f32>(0.0);
    var sums4a = vec4<f32>(0.0);
    var sums4b = vec4<f32>(0.0);
    var sums5a = vec4<f32>(0.0);
    var sums5b = vec4<f32>(0.0);
    var sums6a = vec4<f32>(0.0);
    var sums6b = vec4<f32>(0.0);
    var sums7a = vec4<f32>(0.0);
    var sums7b = vec4<f32>(0.0);
    for (var b = 0u; b < info.blocks; b += 1u) {
        load_weights(row, b, local);
        for (var i = local; i < TILE_VECTORS * 8u; i += 64u) {
            let origin = min(vector + i / 8u, info.vectors - 1u);
            tile_x[place(i / 8u, i % 8u)] = x[(origin * info.blocks + b) * 8u + i % 8u];
        }
        workgroupBarrier();
        var s = vec4<f32>(1.0);
        var t = vec4<f32>(1.0);
        //+f16 s = vec4<f32>(tile_scales[r], tile_scales[r + 8u], tile_scales[r + 16u], tile_scales[r + 24u]);
        //+f16 t = vec4<f32>(tile_scales[r + 32u], tile_scales[r + 40u], tile_scales[r + 48u], tile_scales[r + 56u]);
        for (var k = 0u; k < 8u; k += 1u) {
            let x0 = tile_x[(v + 0u) * 8u + (k ^ v)];
            let x1 = tile_x[(v + 8u) * 8u + (k ^ v)];
            let x2 = tile_x[(v + 16u) * 8u + (k ^ v)];
            let x3 = tile_x[(v + 24u) * 8u + (k ^ v)];
            let x4 = tile_x[(v + 32u) * 8u + (k ^ v)];
            let x5 = tile_x[(v + 40u) * 8u + (k ^ v)];
            let x6 = tile_x[(v + 48u) * 8u + (k ^ v)];
            let x7 = tile_x[(v + 56u) * 8u + (k ^ v)];
            let w0 = weights((r + 0u) * 8u + (k ^ r), s.x);
            sums0a += dots(w0, x0, x1, x2, x3);
            sums0b += dots(w0, x4, x5, x6, x7);
            let w1 = weights((r + 8u) * 8u + (k ^ r), s.y);
            sums1a += dots(w1, x0, x1, x2, x3);
            sums1b += dots(w1, x4, x5, x6, x7);
            let w2 = weights((r + 16u) * 8u + (k ^ r), s.z);
            sums2a += dots(w2, x0, x1, x2, x3);
            sums2b += dots(w2, x4, x5, x6, x7);
            let w3 = weights((r + 24u) * 8u + (k ^ r), s.w);
            sums3a += dots(w3, x0, x1, x2, x3);
            sums3b += dots(w3, x4, x5, x6, x7);
            let w4 = weights((r + 32u) * 8u + (k ^ r), t.x);
            sums4a += dots(w4, x0, x1, x2, x3);
            sums4b += dots(w4, x4, x5, x6, x7);
            let w5 = weights((r + 40u) * 8u + (k ^ r), t.y);
            sums5a += dots(w5, x0, x1, x2, x3);
            sums5b += dots(w5, x4, x5, x6, x7);
            let w6 = weights((r + 48u) * 8u + (k ^ r), t.z);
            sums6a += dots(w6, x0, x1, x2, x3);
            sums6b += dots(w6, x4, x5, x6, x7);
            let w7 = weights((r + 56u) * 8u + (k ^ r), t.w);
            sums7a += dots(w7, x0, x1, x2, x3);
            sums7b += dots(w7, x4, x5, x6, x7);
        }
        workgroupBarrier();
    }
    store_row(row + r + 0u, vector + v, sums0a);
    store_row(row + r + 0u, vector + v + 32u, sums0b);
    store_row(row + r + 8u, vector + v, sums1a);
    store_row(row + r + 8u, vector + v + 32u, sums1b);
    store_row(row + r + 16u, vector + v, sums2a);
    store_row(row + r + 16u, vector + v + 32u, sums2b);
    store_row(row + r + 24u, vector + v, sums3a);
    store_row(row + r + 24u, vector + v + 32u, sums3b);
    store_row(row + r + 32u, vector + v, sums4a);
    store_row(row + r + 32u, vector + v + 32u, sums4b);
    store_row(row + r + 40u, vector + v, sums5a);
    store_row(row + r + 40u, vector + v + 32u, sums5b);
    store_row(row + r + 48u, vector + v, sums6a);
    store_row(row + r + 48u, vector + v + 32u, sums6b);
    store_row(row + r + 56u, vector + v, sums7a);
    store_row(row + r + 56u, vector + v + 32u, sums7b);
}
