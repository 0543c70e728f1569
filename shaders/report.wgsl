// The report of a check of indices: `IndexReport` of src/gpu/report.rs, field for field.

struct Report {
    // How many indices were refused, and the first element of which one was.
    wrong: atomic<u32>,
    element: atomic<u32>,
    index: u32,
}

@group(0) @binding(5) var<storage, read_write> report: Report;

// Nothing is wrong; for one thread.
fn start_report() {
    atomicStore(&report.wrong, 0u);
    atomicStore(&report.element, NO_CELL);
    report.index = NO_CELL;
}

// Reports an element whose index is refused.
fn report_wrong(element: u32) {
    atomicAdd(&report.wrong, 1u);
    atomicMin(&report.element, element);
}
