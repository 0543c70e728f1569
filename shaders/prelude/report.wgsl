// The report of a check of indices: `IndexReport` of src/gpu/report.rs, field for field.

struct Report {
    // Number of indices that were refused.
    refused: atomic<u32>,
    // The first element whose index was refused, and that index.
    element: atomic<u32>,
    index: u32,
}

@group(0) @binding(5) var<storage, read_write> report: Report;

// A report without a refused index; called by one invocation.
fn clear_report() {
    atomicStore(&report.refused, 0u);
    atomicStore(&report.element, NONE);
    report.index = NONE;
}

// Adds an element whose index is refused.
fn report_refused(element: u32) {
    atomicAdd(&report.refused, 1u);
    atomicMin(&report.element, element);
}
