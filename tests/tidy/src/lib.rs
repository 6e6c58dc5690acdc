//! The house rules, as tests: see `tests/tidy/`. This library is empty on purpose.
