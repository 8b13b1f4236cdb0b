//! End-to-end tests: real clients against a real server. The tests themselves are this crate's test targets.
