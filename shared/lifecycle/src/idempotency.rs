//! placeholder
/// placeholder
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// Every request is a new one.
    None,
    /// A request with an `Idempotency-Key` is recognised when it comes again.
    Accepted,
    /// A request without an `Idempotency-Key` is refused.
    Required,
}
