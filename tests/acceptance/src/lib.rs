//! Nothing: the stories are in `tests/stories`, one binary, so that they share one system.
