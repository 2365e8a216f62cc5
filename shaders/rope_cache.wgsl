// Prepares attention in place: normalises (where the model does) and rotates queries and keys, and puts keys and values into
// the cache.
//
// A workgroup takes one head of one vector: query heads first, then key heads, then value heads, as they lie in `qkv`. Each
// invocation rotates the pairs (i, i + d_head / 2) it owns. CPU twin: src/rope_cache.rs.

struct Info {
    heads: u32,
    kv_heads: u32,
    d_head: u32,
    // Positions the cache has room for.
    capacity: u32,
    // 1 where queries and keys are normalised, and what is added to their mean square.
    has_norms: u32,
    epsilon: f32,
}

// Vectors of (heads + 2 · kv_heads) · d_head values; the queries in it are rotated in place.
@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
// Factors of queries, then of keys; d_head each.
@group(0) @binding(1) var<storage, read_write> norms: array<f32>;
// Cosine and sine of each position's d_head / 2 angles.
@group(0) @binding(2) var<storage, read_write> rotation: array<vec2<f32>>;
// Position of the first vector.
@group(0) @binding(3) var<storage, read_write> step: array<u32>;
// [kv_heads, capacity, d_head]
@group(0) @binding(4) var<storage, read_write> keys: array<f32>;
@group(0) @binding(5) var<storage, read_write> values: array<f32>;
@group(0) @binding(6) var<uniform> info: Info;

const LANES: u32 = 64u;

var<workgroup> squares: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let position = step[0] + group.y;
    let all = info.heads + 2u * info.kv_heads;
    let at = (group.y * all + head) * info.d_head;
    let half = info.d_head / 2u;
    let is_query = head < info.heads;
    let is_value = head >= info.heads + info.kv_heads;

    var scale = 1.0;
    if info.has_norms == 1u {
        var sum = 0.0;
        for (var i = lane; i < info.d_head; i += LANES) {
            sum += qkv[at + i] * qkv[at + i];
        }
        squares[lane] = sum;
        workgroupBarrier();
        sum = 0.0;
        for (var i = 0u; i < LANES; i += 1u) {
            sum += squares[i];
        }
        scale = inverseSqrt(sum / f32(info.d_head) + info.epsilon);
    }
    // The caller keeps within the cache; beyond its end nothing is written.
    if position >= info.capacity {
        return;
    }
    let kv_head = (head - info.heads) % info.kv_heads;
    let to = (kv_head * info.capacity + position) * info.d_head;
    for (var i = lane; i < half; i += LANES) {
        var a = qkv[at + i];
        var b = qkv[at + i + half];
        if is_value {
            values[to + i] = a;
            values[to + i + half] = b;
            continue;
        }
        if info.has_norms == 1u {
            let origin = select(info.d_head, 0u, is_query);
            a *= scale * norms[origin + i];
            b *= scale * norms[origin + i + half];
        }
        let turn = rotation[position * half + i];
        let first = a * turn.x - b * turn.y;
        let second = b * turn.x + a * turn.y;
        if is_query {
            qkv[at + i] = first;
            qkv[at + i + half] = second;
        } else {
            keys[to + i] = first;
            keys[to + i + half] = second;
        }
    }
}
