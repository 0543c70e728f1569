// The maximum of the windows of four words of elements by the keys of tagged.wgsl.

// The keys of the first elements of the four words, of the second, and of the third and fourth where there are.
struct Maximum {
    first: vec4<u32>,
    second: vec4<u32>,
    third: vec4<u32>,
    fourth: vec4<u32>,
}

// The maximum of one cell each. All cells of the four words lie in the input, or none of them does.
fn maximum_of_cells(elements: vec4<u32>, inside: vec4<bool>, tap: u32) -> Maximum {
    let words = select(vec4<u32>(LEAST), elements, inside.x);
    let tag = tag_of_cells(inside.x, tap);
    if BITS == 16u {
        let first = tagged_key(words << vec4<u32>(16u), tag);
        let second = tagged_key(words & vec4<u32>(0xffff0000u), tag);
        return Maximum(first, second, vec4<u32>(0u), vec4<u32>(0u));
    }
    return Maximum(
        tagged_key(words << vec4<u32>(24u), tag),
        tagged_key((words << vec4<u32>(16u)) & vec4<u32>(0xff000000u), tag),
        tagged_key((words << vec4<u32>(8u)) & vec4<u32>(0xff000000u), tag),
        tagged_key(words & vec4<u32>(0xff000000u), tag),
    );
}

fn later(maximum: Maximum, next: Maximum) -> Maximum {
    return Maximum(
        later_key(maximum.first, next.first),
        later_key(maximum.second, next.second),
        later_key(maximum.third, next.third),
        later_key(maximum.fourth, next.fourth),
    );
}

fn in_window(row: Maximum, first_tap: u32) -> Maximum {
    let tag = first_tap * TAG;
    return Maximum(row.first - tag, row.second - tag, row.third - tag, row.fourth - tag);
}

fn elements_of(maximum: Maximum) -> vec4<u32> {
    let first = top_of_key(maximum.first);
    let second = top_of_key(maximum.second);
    if BITS == 16u {
        return (first >> vec4<u32>(16u)) | (second & vec4<u32>(0xffff0000u));
    }
    let third = (top_of_key(maximum.third) >> vec4<u32>(8u)) & vec4<u32>(0xff0000u);
    let fourth = top_of_key(maximum.fourth) & vec4<u32>(0xff000000u);
    let lower = (first >> vec4<u32>(24u)) | ((second >> vec4<u32>(16u)) & vec4<u32>(0xff00u));
    let upper = third | fourth;
    return lower | upper;
}

fn taps_of(maximum: Maximum) -> TapWords {
    let first = inverse_tap_of_key(maximum.first) & vec4<u32>(0xffu);
    let second = (inverse_tap_of_key(maximum.second) & vec4<u32>(0xffu)) << vec4<u32>(8u);
    let lower = first | second;
    if BITS == 16u {
        return taps_of_words(lower ^ vec4<u32>(0xffffu));
    }
    let third = (inverse_tap_of_key(maximum.third) & vec4<u32>(0xffu)) << vec4<u32>(16u);
    let fourth = inverse_tap_of_key(maximum.fourth) << vec4<u32>(24u);
    let upper = third | fourth;
    return taps_of_words(~(lower | upper));
}
