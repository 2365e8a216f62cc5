// Number of each row's largest value, the lowest where several are; not-a-number never wins.
//
// One workgroup per row. CPU twin: src/argmax.rs.

struct Info {
    // Length of a row.
    width: u32,
    // Where in `y` the first row's number goes.
    first: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> info: Info;

const LANES: u32 = 256u;
const NOTHING: u32 = 0xffffffffu;
const LOWEST: f32 = -3.4e38;

var<workgroup> best: array<u32, 256>;

// The better of two columns of the row that starts at `row`; either may be NOTHING.
fn better(row: u32, a: u32, b: u32) -> u32 {
    if a == NOTHING || b == NOTHING {
        return min(a, b);
    }
    let p = x[row + a];
    let q = x[row + b];
    return select(select(a, b, q > p), min(a, b), p == q);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * info.width;
    var column = NOTHING;
    var value = LOWEST;
    for (var i = lane; i < info.width; i += LANES) {
        let next = x[row + i];
        // False for what is not a number.
        if next > value {
            column = i;
            value = next;
        }
    }
    best[lane] = column;
    workgroupBarrier();
    // Two steps of sixteen, so that there are two barriers and not eight.
    if lane % 16u == 0u {
        for (var i = 1u; i < 16u; i += 1u) {
            column = better(row, column, best[lane + i]);
        }
        best[lane] = column;
    }
    workgroupBarrier();
    if lane == 0u {
        for (var i = 16u; i < LANES; i += 16u) {
            column = better(row, column, best[i]);
        }
        y[info.first + group.x] = select(column, 0u, column == NOTHING);
    }
}
