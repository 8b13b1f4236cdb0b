//! Deep recursion on a growing stack.

const RED_ZONE: usize = 512 << 10;
const SEGMENT: usize = 8 << 20;

/// Runs `work` with at least the red zone of stack left.
pub fn deep<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, SEGMENT, work)
}
