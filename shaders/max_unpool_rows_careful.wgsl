// The cells of four stride blocks in a row from memory, for sums of floats that may meet subnormals:
// rare, and so short rather than fast. A loop, since drivers may run both sides of a condition.

// Padding before a row.
override BEFORE_X: u32 = 0u;

fn gather_values(source: Coord) -> vec4<u32> {
    return vec4<u32>(load(source / 4u)[source % 4u]);
}

fn gather_taps(source: Coord) -> vec4<u32> {
    return vec4<u32>(load_taps(source / 4u)[source % 4u]);
}

fn unpool_carefully(blocks: Blocks, careful: bool) {
    var cells = vec4<u32>(0u);
    for (var i = 0u; careful && i < STRIDE_Z * STRIDE_Y * STRIDE_X * 4u; i++) {
        let lane = i % 4u;
        let rz = i / (STRIDE_Y * STRIDE_X * 4u);
        let ry = i / (STRIDE_X * 4u) % STRIDE_Y;
        let four = i / 4u % STRIDE_X;
        let x = (blocks.at.x * STRIDE_X + four) * 4u + lane + BEFORE_X;
        let cell = gather(blocks.at, blocks.z, blocks.y, x / STRIDE_X, rz, ry, x % STRIDE_X);
        cells = vec4<u32>(cells.yzw, cell.x);
        if lane == 3u {
            put_four(blocks, rz, ry, four, cells);
        }
    }
}
