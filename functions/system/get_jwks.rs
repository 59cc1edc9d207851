//! `GET /.well-known/jwks.json`: the public keys that access tokens are verified with (RFC 7517).

use std::process::ExitCode;

use aws::functions::Jwks;

pub(crate) fn main() -> ExitCode {
    aws::functions::jwks::<Store>()
}

struct Store;

impl Jwks for Store {}
