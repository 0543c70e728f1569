// The baseline of every ratio: a plain copy, one vec4 of words per invocation.

@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(128)
fn copy(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (workgroup.y * grid.x + workgroup.x) * 128u + local;
    if i < arrayLength(&source) {
        destination[i] = source[i];
    }
}
