// A product of matrices in tiles, for conv.wgsl and conv_transpose.wgsl, which say what the
// matrices are: `weight(group, row, depth)` and, of one column, `cell(depth)`.
//
// A workgroup of 64 threads makes a tile of 32 rows × 32 columns of one group, each thread 4×4 of
// it. Rows are channels that are written, columns are positions of all images, and the depth is
// every channel and tap that is summed. Sixteen steps of depth lie in workgroup memory at a time:
// 4 KiB. Sums run in one order, so a device gives the same bits on every run.

const TILE: u32 = 32u;
const DEPTH: u32 = 16u;

var<workgroup> weights_tile: array<f32, 512>;
var<workgroup> cells_tile: array<f32, 512>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = workgroup.x + workgroup.y * workgroups.x;
    let columns = column_count();
    let column_tiles = (columns + TILE - 1u) / TILE;
    let row_tiles = (row_count() + TILE - 1u) / TILE;
    let group = number / (row_tiles * column_tiles);
    let in_group = number % (row_tiles * column_tiles);
    let first_row = in_group / column_tiles * TILE;
    let first_column = in_group % column_tiles * TILE;
    // The grid is a rectangle and may have more workgroups than there are tiles. A workgroup past the end
    // goes through the loop and writes nothing, so that every barrier is met by all.
    let real = group < params.groups;

    let own_column = first_column + thread % TILE;
    let column = position_of(min(own_column, columns - 1u));
    let depth_in_tile = thread % DEPTH;

    var sums: array<vec4<f32>, 4>;
    let depths = depth_count();
    for (var start = 0u; start < depths; start += DEPTH) {
        for (var i = 0u; i < 8u; i++) {
            let row = thread / DEPTH + 4u * i;
            let depth = start + depth_in_tile;
            var w = 0.0;
            if (real && first_row + row < row_count() && depth < depths) {
                w = weight(group, first_row + row, depth);
            }
            weights_tile[depth_in_tile * TILE + row] = w;
        }
        for (var i = 0u; i < 8u; i++) {
            let step = thread / TILE + 2u * i;
            var x = 0.0;
            if (real && own_column < columns && start + step < depths) {
                x = cell(group, start + step, column);
            }
            cells_tile[step * TILE + thread % TILE] = x;
        }
        workgroupBarrier();
        let row = thread / 8u * 4u;
        let at = thread % 8u * 4u;
        for (var d = 0u; d < DEPTH; d++) {
            let w = d * TILE + row;
            let c = d * TILE + at;
            let cells =
                vec4(cells_tile[c], cells_tile[c + 1u], cells_tile[c + 2u], cells_tile[c + 3u]);
            sums[0] += weights_tile[w] * cells;
            sums[1] += weights_tile[w + 1u] * cells;
            sums[2] += weights_tile[w + 2u] * cells;
            sums[3] += weights_tile[w + 3u] * cells;
        }
        workgroupBarrier();
    }
    if (!real) {
        return;
    }
    for (var i = 0u; i < 4u; i++) {
        let row = first_row + thread / 8u * 4u + i;
        for (var j = 0u; j < 4u; j++) {
            let at = first_column + thread % 8u * 4u + j;
            if (row < row_count() && at < columns) {
                store(group, row, position_of(at), sums[i][j]);
            }
        }
    }
}
