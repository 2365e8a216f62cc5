// Causal attention of many queries over the cache: y = softmax(q · kᵀ · scale) · v, eight queries of a head per workgroup.
//
// Keys come in tiles of 64. Each invocation scores one key for the eight queries; running maxima are exchanged; then each
// invocation owns columns `lane` and `lane + 64` of v. No more than a tile of scores is ever stored.
// CPU twin: src/attention_prefill.rs.

struct Info {
    heads: u32,
    kv_heads: u32,
    // Width of a head in vectors of four: at most 32.
    quads: u32,
    // Positions the cache has room for.
    capacity: u32,
    // Length of a vector of `q`, in vectors of four; its first heads · d_head values are the queries.
    stride: u32,
    scale: f32,
    // Number of queries.
    queries: u32,
}

@group(0) @binding(0) var<storage, read_write> q: array<vec4<f32>>;
// [kv_heads, capacity, d_head]
@group(0) @binding(1) var<storage, read_write> keys: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
// Position of the first query.
@group(0) @binding(3) var<storage, read_write> step: array<u32>;
// [queries, heads · d_head]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> info: Info;

const LANES: u32 = 64u;
const QUERIES: u32 = 8u;
// Far below any score, and finite: infinities are not portable.
const LOWEST: f32 = -3.0e38;

var<workgroup> start: u32;
var<workgroup> tile_q: array<vec4<f32>, 256>;
// Of each key for queries 0 to 3, then 4 to 7.
var<workgroup> scores: array<vec4<f32>, 128>;
var<workgroup> weights: array<vec4<f32>, 128>;
// Maxima of an eighth of the tile.
var<workgroup> tops: array<f32, 64>;
// Running maximum of each query, and what its sums shrink by as it grows.
var<workgroup> highest: array<f32, 8>;
var<workgroup> shrink: array<f32, 8>;

// Writes column `column` of query `i` of this workgroup.
fn store(group: vec3<u32>, i: u32, column: u32, value: f32) {
    let query = group.y * QUERIES + i;
    let d_head = info.quads * 4u;
    if query < info.queries && column < d_head {
        y[(query * info.heads + group.x) * d_head + column] = value;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let first = group.y * QUERIES;
    let d_head = info.quads * 4u;
    if lane == 0u {
        start = step[0];
    }
    // Uniform, as barriers in the loop below need it.
    let position = workgroupUniformLoad(&start) + first;
    // Keys that the last of the eight queries sees.
    let length = min(position + min(QUERIES, info.queries - first), info.capacity);
    let cache = (head / (info.heads / info.kv_heads)) * info.capacity * info.quads;
    for (var i = lane; i < QUERIES * info.quads; i += LANES) {
        let query = min(first + i / info.quads, info.queries - 1u);
        tile_q[i] = q[query * info.stride + head * info.quads + i % info.quads] * info.scale;
    }
    if lane < QUERIES {
        highest[lane] = LOWEST;
    }
    workgroupBarrier();

    let seen0 = vec4<u32>(position) + vec4<u32>(0u, 1u, 2u, 3u);
    let seen1 = seen0 + vec4<u32>(4u);
    var total0 = vec4<f32>(0.0);
    var total1 = vec4<f32>(0.0);
    var left0 = vec4<f32>(0.0);
    var left1 = vec4<f32>(0.0);
    var right0 = vec4<f32>(0.0);
    var right1 = vec4<f32>(0.0);
    for (var tile = 0u; tile < length; tile += LANES) {
        let key = tile + lane;
        var score0 = vec4<f32>(LOWEST);
        var score1 = vec4<f32>(LOWEST);
        if key < length {
            score0 = vec4<f32>(0.0);
            score1 = vec4<f32>(0.0);
            for (var i = 0u; i < info.quads; i += 1u) {
                let k = keys[cache + key * info.quads + i];
                score0 += vec4<f32>(
                    dot(k, tile_q[i]),
                    dot(k, tile_q[info.quads + i]),
                    dot(k, tile_q[2u * info.quads + i]),
                    dot(k, tile_q[3u * info.quads + i]),
                );
                score1 += vec4<f32>(
                    dot(k, tile_q[4u * info.quads + i]),
                    dot(k, tile_q[5u * info.quads + i]),
                    dot(k, tile_q[6u * info.quads + i]),
                    dot(k, tile_q[7u * info.quads + i]),
                );
            }
            score0 = select(vec4<f32>(LOWEST), score0, vec4<u32>(key) <= seen0);
            score1 = select(vec4<f32>(LOWEST), score1, vec4<u32>(key) <= seen1);
        }
        scores[2u * lane] = score0;
        scores[2u * lane + 1u] = score1;
        workgroupBarrier();
        let query = lane % QUERIES;
        var top = LOWEST;
        for (var i = lane / QUERIES; i < LANES; i += 8u) {
            top = max(top, scores[2u * i + query / 4u][query % 4u]);
        }
        tops[lane] = top;
        workgroupBarrier();
        if lane < QUERIES {
            for (var i = lane; i < LANES; i += QUERIES) {
                top = max(top, tops[i]);
            }
            top = max(top, highest[lane]);
            shrink[lane] = exp(highest[lane] - top);
            highest[lane] = top;
        }
        workgroupBarrier();
        weights[2u * lane] = exp(score0 - vec4<f32>(highest[0], highest[1], highest[2], highest[3]));
        weights[2u * lane + 1u] = exp(score1 - vec4<f32>(highest[4], highest[5], highest[6], highest[7]));
        let shrink0 = vec4<f32>(shrink[0], shrink[1], shrink[2], shrink[3]);
        let shrink1 = vec4<f32>(shrink[4], shrink[5], shrink[6], shrink[7]);
        workgroupBarrier();
        total0 *= shrink0;
        total1 *= shrink1;
        left0 *= shrink0;
        left1 *= shrink1;
        right0 *= shrink0;
        right1 *= shrink1;
        for (var i = 0u; i < min(LANES, length - tile); i += 1u) {
            let weight0 = weights[2u * i];
            let weight1 = weights[2u * i + 1u];
            let origin = cache * 4u + (tile + i) * d_head + lane;
            total0 += weight0;
            total1 += weight1;
            if lane < d_head {
                left0 += weight0 * values[origin];
                left1 += weight1 * values[origin];
            }
            if lane + LANES < d_head {
                right0 += weight0 * values[origin + LANES];
                right1 += weight1 * values[origin + LANES];
            }
        }
    }
    left0 /= total0;
    left1 /= total1;
    right0 /= total0;
    right1 /= total1;
    for (var i = 0u; i < 4u; i += 1u) {
        store(group, i, lane, left0[i]);
        store(group, i + 4u, lane, left1[i]);
        store(group, i, lane + LANES, right0[i]);
        store(group, i + 4u, lane + LANES, right1[i]);
    }
}
