// Stores the cells of a strip of max_unpool_block.wgsl, with exact sums.
fn unpool_exactly(block: Block) {
    for (var cell = 0u; cell < STRIDE_Z * STRIP * STRIDE_Y * STRIDE_X; cell++) {
        let rz = cell / (STRIP * STRIDE_Y * STRIDE_X);
        let ry = cell / STRIDE_X % (STRIP * STRIDE_Y);
        let rx = cell % STRIDE_X;
        let z = block.z * STRIDE_Z + rz;
        let y = block.y * STRIDE_Y + ry;
        let x = block.x * STRIDE_X + rx;
        store_cell(block, rz, ry, rx, gather(block.at, z, y, x));
    }
}
