//! Error responses that the typed client receives.

use std::fmt::Debug;

use client::{ApiError, Error};

/// Checks of a result of the typed client that must be a refusal.
pub(crate) trait Refused {
    /// A function's refusal with this status and code.
    fn refused(self, status: u16, code: &str) -> ApiError;

    /// The fields that a function's refusal names, in its order.
    fn refused_fields(self, status: u16, code: &str) -> Vec<String>;

    /// Checks for a refusal of the gateway, made without a function.
    fn refused_by_gateway(self, status: u16);
}

impl<T: Debug> Refused for Result<T, Error> {
    fn refused(self, status: u16, code: &str) -> ApiError {
        let refusal = refusal_of(self);
        let told = (refusal.status.as_u16(), refusal.code.as_deref());
        assert_eq!(told, (status, Some(code)), "{refusal:?}");
        refusal
    }

    fn refused_fields(self, status: u16, code: &str) -> Vec<String> {
        let field_errors = self.refused(status, code).field_errors.into_iter();
        field_errors.map(|field_error| field_error.field).collect()
    }

    fn refused_by_gateway(self, status: u16) {
        let refusal = refusal_of(self);
        assert_eq!((refusal.status.as_u16(), refusal.code), (status, None), "{}", refusal.message);
    }
}

fn refusal_of<T: Debug>(answer: Result<T, Error>) -> ApiError {
    match answer.expect_err("a refusal is expected") {
        Error::Refused(refusal) => *refusal,
        other => panic!("a refusal is expected: {other}"),
    }
}
