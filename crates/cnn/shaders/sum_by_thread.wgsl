// One thread for each of params.count sums: the end of a kernel with few terms, for each.wgsl.

fn run(i: u32) {
    let terms = terms_of(i);
    var sum = 0.0;
    for (var n = 0u; n < terms.count; n++) {
        sum += term(terms, n);
    }
    store(i, terms, sum);
}
