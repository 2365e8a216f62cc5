// Causal attention of few queries over the cache: y = softmax(q · kᵀ · scale) · v, one workgroup per query and head.
//
// Keys come in tiles of 128. Each invocation scores one key; then the workgroup regroups into slices of d_head / 4 invocations,
// each of which owns four columns of v and takes every slices-th key with a running maximum of its own, so that a tile costs one
// barrier. Slices are joined at the end. CPU twin: src/attention_decode.rs.

struct Info {
    heads: u32,
    kv_heads: u32,
    // Width of a head in vectors of four: at most 64.
    quads: u32,
    // Positions the cache has room for.
    capacity: u32,
    // Length of a vector of `q`, in vectors of four; its first heads · d_head values are the queries.
    stride: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read_write> q: array<vec4<f32>>;
// [kv_heads, capacity, d_head]
@group(0) @binding(1) var<storage, read_write> keys: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
// Position of the first query.
@group(0) @binding(3) var<storage, read_write> step: array<u32>;
// [queries, heads · d_head]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> info: Info;

const LANES: u32 = 128u;
// Far below any score, and finite: infinities are not portable.
const LOWEST: f32 = -3.0e38;

var<workgroup> start: u32;
// Two tiles' scores, used in turn.
var<workgroup> scores: array<f32, 256>;
var<workgroup> sums: array<vec4<f32>, 128>;
// Each invocation's maximum and sum of weights.
var<workgroup> totals: array<vec2<f32>, 128>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let query = group.y;
    if lane == 0u {
        start = step[0];
    }
    // Uniform, as barriers in the loop below need it.
    let length = min(workgroupUniformLoad(&start) + query + 1u, info.capacity);
    let origin = query * info.stride + head * info.quads;
    let cache = (head / (info.heads / info.kv_heads)) * info.capacity * info.quads;

    let slices = LANES / info.quads;
    let slice = lane / info.quads;
    let column = lane % info.quads;
    var highest = LOWEST;
    var total = 0.0;
    var sum = vec4<f32>(0.0);
    for (var tile = 0u; tile < length; tile += LANES) {
        let turn = (tile / LANES % 2u) * LANES;
        if tile + lane < length {
            let key = cache + (tile + lane) * info.quads;
            var score = vec4<f32>(0.0);
            for (var i = 0u; i < info.quads; i += 1u) {
                score += q[origin + i] * keys[key + i];
            }
            scores[turn + lane] = dot(score, vec4<f32>(info.scale));
        }
        workgroupBarrier();
        let count = min(LANES, length - tile);
        if slice < slices {
            var top = highest;
            for (var i = slice; i < count; i += slices) {
                top = max(top, scores[turn + i]);
            }
            let shrink = exp(highest - top);
            sum *= shrink;
            total *= shrink;
            highest = top;
            for (var i = slice; i < count; i += slices) {
                let weight = exp(scores[turn + i] - top);
                total += weight;
                sum += weight * values[cache + (tile + i) * info.quads + column];
            }
        }
    }
    sums[lane] = sum;
    totals[lane] = vec2<f32>(highest, total);
    workgroupBarrier();
    if lane < info.quads {
        for (var i = 1u; i < slices; i += 1u) {
            highest = max(highest, totals[i * info.quads].x);
        }
        sum = vec4<f32>(0.0);
        total = 0.0;
        for (var i = 0u; i < slices; i += 1u) {
            let weight = exp(totals[i * info.quads].x - highest);
            total += weight * totals[i * info.quads].y;
            sum += weight * sums[i * info.quads + lane];
        }
        y[(query * info.heads + head) * info.quads + lane] = sum / total;
    }
}
