# What the scripts build: one set of packages and features, so that nothing is compiled twice. Sourced.
release=(--release --workspace --features unpool/ndarray,unpool/serde)
