// Root-mean-square normalisation of every row: y = x / sqrt(mean(x²) + epsilon) · weight.
//
// One workgroup per row; its invocations stride over the row, add up squares in workgroup memory, then scale. Sums are in f32.
// Needs nothing beyond WebGPU's default limits; on devices with subgroups (src/features.rs) neighbours add up their squares first.
// CPU twin: src/rms_norm.rs.

struct Info {
    rows: u32,
    width: u32,
    // Added to the mean square.
    epsilon: f32,
}

// Rows of `width` values, one after the other.
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
// One factor per column.
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> info: Info;

const LANES: u32 = 64u;
// Neighbours that are in one subgroup.
const SUBGROUP: u32 = 1u;
const WIDTH: u32 = min(SUBGROUP, LANES);

var<workgroup> squares: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let width = info.width;
    // A dispatch has at most 65,535 groups in one direction, so rows go on in the second.
    let row = group.y * groups.x + group.x;
    // Groups beyond the last row compute along on row 0, since barriers must be reached by all, and write nothing.
    let start = select(0u, row * width, row < info.rows);

    var sum = 0.0;
    for (var column = lane; column < width; column += LANES) {
        let value = x[start + column];
        sum += value * value;
    }
    //+subgroups for (var step = 1u; step < WIDTH; step *= 2u) {
    //+subgroups     sum += subgroupShuffleXor(sum, step);
    //+subgroups }
    if lane % WIDTH == 0u {
        squares[lane / WIDTH] = sum;
    }
    workgroupBarrier();
    // Every invocation adds them all up, which costs one barrier where halving them would cost six.
    sum = 0.0;
    for (var i = 0u; i < LANES / WIDTH; i += 1u) {
        sum += squares[i];
    }
    let scale = inverseSqrt(sum / f32(width) + info.epsilon);
    if row < info.rows {
        for (var column = lane; column < width; column += LANES) {
            y[start + column] = x[start + column] * scale * weight[column];
        }
    }
}
