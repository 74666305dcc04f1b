// Arithmetic with fractions: x becomes x * x + c again and again. With this c the sequence is chaotic, so that one wrong
// bit grows until everything differs. It stays between -2 and 2 and is never so small that a card could round it to zero.
// `fma` may round once or twice; both results are known, and a card must keep to one of them.

const CHAINS: u32 = 4u;
const FOLDS: u32 = 16u;      // the sequence is folded into a number this often,
const STEPS: u32 = 16u;      // every so many steps
const C: f32 = -1.8125;

struct Task {
    rounds: u32,
    golden_fused: u32,
    golden_separate: u32,
}

struct Found {
    count: atomic<u32>,
    first_inverse: atomic<u32>,
    last: atomic<u32>,
    bits: atomic<u32>,
}

@group(0) @binding(0) var<storage, read_write> starts: array<vec4<f32>>;   // 256 times the same, for each chain
@group(0) @binding(1) var<storage, read_write> found: array<Found>;        // [1] against the fused, [2] the separate
@group(0) @binding(2) var<uniform> task: Task;

fn folded(sum: vec4<u32>, x: vec4<f32>) -> vec4<u32> {
    let mixed = (sum ^ bitcast<vec4<u32>>(x)) * vec4<u32>(0x9e3779b1u);
    return mixed ^ (mixed >> vec4<u32>(15u));
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) local: u32) {
    let c = vec4<f32>(C);
    var fused = 0u;
    var separate = 0u;
    for (var round = 0u; round < task.rounds; round++) {
        let at = (local + round) & 255u;
        var a = starts[at];
        var b = starts[at + 256u];
        var d = starts[at + 512u];
        var e = starts[at + 768u];
        var sum = vec4<u32>(0u);
        for (var fold = 0u; fold < FOLDS; fold++) {
            for (var step = 0u; step < STEPS; step++) {
                a = fma(a, a, c);
                b = fma(b, b, c);
                d = fma(d, d, c);
                e = fma(e, e, c);
            }
            sum = folded(folded(folded(folded(sum, a), b), d), e);
        }
        let result = sum.x ^ ((sum.y << 8u) | (sum.y >> 24u)) ^ ((sum.z << 16u) | (sum.z >> 16u)) ^ ((sum.w << 24u) | (sum.w >> 8u));
        fused |= result ^ task.golden_fused;
        separate |= result ^ task.golden_separate;
    }
    if fused != 0u {
        atomicAdd(&found[1].count, 1u);
    }
    if separate != 0u {
        atomicAdd(&found[2].count, 1u);
    }
}
