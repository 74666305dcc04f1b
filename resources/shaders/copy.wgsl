// Copies from one buffer to another, in several shapes: which is the fastest differs from card to card.

struct Task {
    first: u32,     // quad where this task begins
}

@group(0) @binding(0) var<storage, read_write> from_here: array<vec4<u32>>;
@group(0) @binding(2) var<uniform> task: Task;
@group(0) @binding(3) var<storage, read_write> to_there: array<vec4<u32>>;

// One quad by each invocation: 4 KiB by a workgroup.
@compute @workgroup_size(256)
fn one(@builtin(global_invocation_id) id: vec3<u32>) {
    let quad = task.first + id.x;
    to_there[quad] = from_here[quad];
}

// Four quads by each invocation, all read before the first is written: 16 KiB by a workgroup.
@compute @workgroup_size(256)
fn four(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let quad = task.first + group.x * 1024u + local;
    let a = from_here[quad];
    let b = from_here[quad + 256u];
    let c = from_here[quad + 512u];
    let d = from_here[quad + 768u];
    to_there[quad] = a;
    to_there[quad + 256u] = b;
    to_there[quad + 512u] = c;
    to_there[quad + 768u] = d;
}

// Sixteen quads by each invocation, one after the other: 64 KiB by a workgroup.
@compute @workgroup_size(256)
fn sixteen(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var quad = task.first + group.x * 4096u + local;
    for (var round = 0u; round < 16u; round++) {
        to_there[quad] = from_here[quad];
        quad += 256u;
    }
}
