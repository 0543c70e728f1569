//! Cases computed by other frameworks.
