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
    for (var i = 0u; careful && i < STRIDE_Z * STRIDE_Y * STRIDE_X; i++) {
        let rz = i / (STRIDE_Y * STRIDE_X);
        let ry = i / STRIDE_X % STRIDE_Y;
        let four = i % STRIDE_X;
        var cells = vec4<u32>(0u);
        for (var lane = 0u; lane < 4u; lane++) {
            let x = (blocks.at.x * STRIDE_X + four) * 4u + lane + BEFORE_X;
            let cell = gather(blocks.at, blocks.z, blocks.y, x / STRIDE_X, rz, ry, x % STRIDE_X);
            cells = select(cells, cell, vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(lane));
        }
        put_four(blocks, rz, ry, four, cells);
    }
}
