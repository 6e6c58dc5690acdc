//! Nothing to use: the simulation is `tests/simulation`, and its first page is `main.rs` there.
