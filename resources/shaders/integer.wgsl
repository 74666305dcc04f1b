// Whole-number arithmetic whose result every card must agree on. All invocations compute the same, but the compiler
// cannot know: each reads its start from memory.

const ROUND: u32 = 512u;

struct Task {
    rounds: u32,
    golden: u32,
}

struct Found {
    count: atomic<u32>,
    first_inverse: atomic<u32>,
    last: atomic<u32>,
    bits: atomic<u32>,
}

@group(0) @binding(0) var<storage, read_write> starts: array<vec4<u32>>;   // 256 times the same
@group(0) @binding(1) var<storage, read_write> found: array<Found>;
@group(0) @binding(2) var<uniform> task: Task;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) local: u32) {
    var differences = 0u;
    for (var round = 0u; round < task.rounds; round++) {
        var x = starts[(local + round) & 255u];
        for (var step = 0u; step < ROUND; step++) {
            x = x * vec4<u32>(1664525u) + vec4<u32>(1013904223u);
            x = x ^ (x >> vec4<u32>(13u));
            x = (x << vec4<u32>(7u)) | (x >> vec4<u32>(25u));
            x = x + x.yzwx;
        }
        differences |= (x.x ^ x.y ^ x.z ^ x.w) ^ task.golden;
    }
    if differences != 0u {
        atomicAdd(&found[0].count, 1u);
        atomicOr(&found[0].bits, differences);
    }
}
