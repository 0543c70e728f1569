// The cells of stride blocks from memory, for sums of floats that may meet subnormals: rare, and so
// short rather than fast. A loop, since drivers may run both sides of a condition.

fn gather_values(source: Coord) -> vec4<u32> {
    return load(source);
}

fn gather_taps(source: Coord) -> vec4<u32> {
    return load_taps(source);
}

fn unpool_carefully(blocks: Blocks, careful: bool) {
    for (var cell = 0u; careful && cell < STRIDE_Z * STRIDE_Y * STRIDE_X; cell++) {
        let rz = cell / (STRIDE_Y * STRIDE_X);
        let ry = cell / STRIDE_X % STRIDE_Y;
        let rx = cell % STRIDE_X;
        let cells = gather(blocks.at, blocks.z, blocks.y, blocks.x, Coord(rz), Coord(ry), Coord(rx));
        put_cell(blocks, rz, ry, rx, cells);
    }
}
