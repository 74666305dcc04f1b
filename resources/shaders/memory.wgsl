// The pattern test of the card's memory. Every quad's pattern (a quad is four words of 32 bits) follows from its address
// in the whole tested memory, so that a word which answers for another one is seen. What is wrong is counted on the
// card; only the count is read back.

const ADDRESS: u32 = 0u;
const HASH: u32 = 1u;
const WALKING: u32 = 2u;

// One invocation looks at this many quads: counting what was found is done once for all of them.
const ROUNDS: u32 = 32u;
const ROW: u32 = 256u;                        // neighbours read neighbouring quads
const GROUP: u32 = ROW * ROUNDS * 2u;         // quads of a workgroup: 256 KiB

// Counting stops here for a buffer until its count is fetched: on memory that is wrong everywhere the counting itself
// would take so long that the driver gives the card up for hung.
const MOST_COUNTED: u32 = 1048576u;

// Which pattern is expected, and which one is written by `fill` and `exchange`; fixed when the pipeline is made.
override expected_kind: u32 = 0u;
override written_kind: u32 = 0u;

struct Task {
    first: u32,               // quad of the buffer where this task begins
    base: u32,                // address of the buffer's first quad, its low 32 bits; the keys hold what is above
    slot: u32,                // where to count what is found
    downwards_from: u32,      // the number of workgroups when the order is from the end to the beginning, else 0
    expected_key: u32,
    written_key: u32,
    expected_flip: u32,       // all ones when the inverse is expected
    written_flip: u32,
    expected_masks: vec4<u32>,
    written_masks: vec4<u32>,
}

struct Found {
    count: atomic<u32>,
    first_inverse: atomic<u32>,   // the inverse of the first bad word's index: zero is the neutral start of all four
    last: atomic<u32>,
    bits: atomic<u32>,
}

struct Wrong {
    count: u32,
    first: u32,
    last: u32,
    bits: u32,
}

@group(0) @binding(0) var<storage, read_write> memory: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> found: array<Found>;
@group(0) @binding(2) var<uniform> task: Task;

fn mixed(value: u32) -> u32 {
    var x = value;
    x = (x ^ (x >> 16u)) * 0x21f0aaadu;
    x = (x ^ (x >> 15u)) * 0xd35a2d97u;
    return x ^ (x >> 15u);
}

fn pattern(kind: u32, key: u32, masks: vec4<u32>, quad: u32) -> vec4<u32> {
    let address = task.base + quad;
    if kind == ADDRESS {
        return vec4<u32>(((address << 2u) | (address >> 30u)) ^ key) ^ vec4<u32>(0u, 1u, 2u, 3u);
    }
    if kind == HASH {
        return vec4<u32>(mixed(address ^ key)) ^ masks;
    }
    if kind == WALKING {
        return vec4<u32>(1u) << ((vec4<u32>(address * 4u + key) + vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(31u));
    }
    return vec4<u32>(0x55555555u) ^ masks;    // CHECKER: the masks turn every other word round
}

fn expected(quad: u32) -> vec4<u32> {
    return pattern(expected_kind, task.expected_key, task.expected_masks, quad) ^ vec4<u32>(task.expected_flip);
}

fn written(quad: u32) -> vec4<u32> {
    return pattern(written_kind, task.written_key, task.written_masks, quad) ^ vec4<u32>(task.written_flip);
}

fn looked_at(wrong: Wrong, quad: u32, difference: vec4<u32>) -> Wrong {
    var result = wrong;
    let bits = difference.x | difference.y | difference.z | difference.w;
    if bits != 0u {
        let is_wrong = vec4<u32>(difference != vec4<u32>(0u));
        result.bits |= bits;
        result.count += is_wrong.x + is_wrong.y + is_wrong.z + is_wrong.w;
        let first = select(select(select(3u, 2u, is_wrong.z == 1u), 1u, is_wrong.y == 1u), 0u, is_wrong.x == 1u);
        let last = select(select(select(0u, 1u, is_wrong.y == 1u), 2u, is_wrong.z == 1u), 3u, is_wrong.w == 1u);
        result.first = min(result.first, quad * 4u + first);
        result.last = max(result.last, quad * 4u + last);
    }
    return result;
}

// Looks before it adds: where everything is wrong, hardly any invocation has something new to say.
fn tell(wrong: Wrong) {
    if wrong.bits == 0u { return; }
    if atomicLoad(&found[task.slot].count) < MOST_COUNTED {
        atomicAdd(&found[task.slot].count, wrong.count);
    }
    if atomicLoad(&found[task.slot].first_inverse) < ~wrong.first {
        atomicMax(&found[task.slot].first_inverse, ~wrong.first);
    }
    if atomicLoad(&found[task.slot].last) < wrong.last {
        atomicMax(&found[task.slot].last, wrong.last);
    }
    if (wrong.bits & ~atomicLoad(&found[task.slot].bits)) != 0u {
        atomicOr(&found[task.slot].bits, wrong.bits);
    }
}

fn nothing_wrong() -> Wrong {
    return Wrong(0u, 0xffffffffu, 0u, 0u);
}

// The first quad of this invocation in the order that was asked for, and the way to the next.
fn beginning(group: u32, local: u32) -> vec2<u32> {
    if task.downwards_from == 0u {
        return vec2<u32>(task.first + group * GROUP + local, ROW);
    }
    let from_end = task.downwards_from - group;
    return vec2<u32>(task.first + from_end * GROUP - ROW + local, 0u - ROW);
}

@compute @workgroup_size(256)
fn fill(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let way = beginning(group.x, local);
    var quad = way.x;
    for (var round = 0u; round < ROUNDS; round++) {
        memory[quad] = written(quad);
        memory[quad + way.y] = written(quad + way.y);
        quad += way.y * 2u;
    }
}

// Checks, then writes the inverse of what was expected; never of what was read, or an error would travel on unseen.
@compute @workgroup_size(256)
fn invert(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let way = beginning(group.x, local);
    var quad = way.x;
    var wrong = nothing_wrong();
    for (var round = 0u; round < ROUNDS; round++) {
        let next = quad + way.y;
        let here = memory[quad];
        let there = memory[next];
        let should = expected(quad);
        let should_there = expected(next);
        memory[quad] = ~should;
        memory[next] = ~should_there;
        wrong = looked_at(wrong, quad, here ^ should);
        wrong = looked_at(wrong, next, there ^ should_there);
        quad = next + way.y;
    }
    tell(wrong);
}

// Checks, then writes the next pattern.
@compute @workgroup_size(256)
fn exchange(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let way = beginning(group.x, local);
    var quad = way.x;
    var wrong = nothing_wrong();
    for (var round = 0u; round < ROUNDS; round++) {
        let next = quad + way.y;
        let here = memory[quad];
        let there = memory[next];
        memory[quad] = written(quad);
        memory[next] = written(next);
        wrong = looked_at(wrong, quad, here ^ expected(quad));
        wrong = looked_at(wrong, next, there ^ expected(next));
        quad = next + way.y;
    }
    tell(wrong);
}

@compute @workgroup_size(256)
fn verify(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let way = beginning(group.x, local);
    var quad = way.x;
    var wrong = nothing_wrong();
    for (var round = 0u; round < ROUNDS; round++) {
        let next = quad + way.y;
        wrong = looked_at(wrong, quad, memory[quad] ^ expected(quad));
        wrong = looked_at(wrong, next, memory[next] ^ expected(next));
        quad = next + way.y;
    }
    tell(wrong);
}
