//! The list of a service's error codes.

/// Defines error codes in one list, so that no code is used twice: each with its kind, which has the
/// status, and the sentence for the client.
///
/// ```
/// lifecycle::error_codes! {
///     /// Another reader has the book.
///     BOOK_LENT: Conflict = "The book is lent.";
///     /// The reader owes a fine.
///     FINE_DUE: Forbidden = "A fine is due.";
/// }
///
/// assert_eq!(BOOK_LENT.code(), "BOOK_LENT");
/// assert_eq!(lifecycle::DomainError::from(FINE_DUE).code, "FINE_DUE");
/// ```
///
/// The kinds are those of [`ErrorKind`](crate::error::ErrorKind). An endpoint names the codes that it
/// returns in [`ERRORS`](crate::Endpoint::ERRORS), for the API description.
#[macro_export]
macro_rules! error_codes {
    ($($(#[$doc:meta])+ $code:ident: $kind:ident = $message:literal;)+) => {
        $(
            $(#[$doc])+
            pub const $code: $crate::ErrorCode =
                $crate::ErrorCode::new($crate::error::ErrorKind::$kind, stringify!($code), $message);
        )+
    };
}
