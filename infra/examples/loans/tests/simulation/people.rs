//! The people of the library, and the issuer of their tokens.

use http::{Request, Response};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

/// The library of all people.
pub(crate) const LIBRARY: &str = "central";

/// A part of each message that no consumer can read.
pub(crate) const POISON: &str = "poison";

/// The key pair of RFC 8037, appendix A. It is public, and only tests trust it.
const PRIVATE_KEY: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const PUBLIC_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// The head of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];

/// A member or a librarian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Person {
    Member(usize),
    Librarian,
}

impl Person {
    fn name(self) -> String {
        match self {
            Self::Member(index) => format!("member-{index}"),
            Self::Librarian => "librarian".to_owned(),
        }
    }

    pub(crate) fn email(self) -> String {
        format!("{}@example.com", self.name())
    }

    /// An access token, which is valid in the whole run.
    pub(crate) fn token(self) -> String {
        let role = match self {
            Self::Member(_) => "MEMBER",
            Self::Librarian => "LIBRARIAN",
        };
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some("key-1".to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        let claims = json!({
            "iss": "https://id.example.com", "aud": "library", "sub": self.name(),
            "exp": 4_000_000_000_u64, "roles": [role], "library": LIBRARY, "email": self.email(),
        });
        let key = EncodingKey::from_ed_der(&[&PKCS8_HEAD[..], &PRIVATE_KEY].concat());
        encode(&header, &claims, &key).expect("the claims can be signed")
    }
}

/// The issuer's answer: its keys.
pub(crate) fn published_keys(_: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "x": PUBLIC_KEY, "kid": "key-1", "alg": "EdDSA", "use": "sig",
    });
    Response::new(json!({ "keys": [key] }).to_string().into_bytes())
}
