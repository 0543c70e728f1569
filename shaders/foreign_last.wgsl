// Foreign indices, the last value in raster order: each cell keeps the greatest number of an element
// that comes to it, which does not depend on who comes first. Four passes: clear, place, close,
// gather.

// For each cell one more than the number of its element, 0 if it has none.
@group(0) @binding(6) var<storage, read_write> last: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP)
fn foreign_clear(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let cell = thread(workgroup, local);
    if cell == 0u {
        start_report();
    }
    if cell < foreign.cells {
        atomicStore(&last[cell], 0u);
    }
}

@compute @workgroup_size(WORKGROUP)
fn foreign_place(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let element = thread(workgroup, local);
    if element >= foreign.pooled {
        return;
    }
    let cell = destination(element);
    if cell == NO_CELL {
        report_wrong(element);
    } else {
        atomicMax(&last[cell], element + 1u);
    }
}

// A thread takes four adjacent cells of the output.
@compute @workgroup_size(WORKGROUP)
fn foreign_gather(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let unit = thread(workgroup, local);
    var cells = vec4<u32>(0u);
    for (var lane = 0u; lane < 4u; lane++) {
        let cell = unit * 4u + lane;
        if cell < foreign.cells {
            let element = atomicLoad(&last[cell]);
            if element > 0u {
                cells[lane] = value(element - 1u);
            }
        }
    }
    store_four(unit, cells);
}
