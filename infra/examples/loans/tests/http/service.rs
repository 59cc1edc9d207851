//! The service on the local platform, and the issuer of its members' tokens.

use emulator::options::Options;
use emulator::{Account, Application, BoxError, Platform, SignIn};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use testkit::{Api, Running, Suite, SystemUnderTest, unique};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The key pair of RFC 8037, appendix A. It is public, and only tests trust it.
const PRIVATE_KEY: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const PUBLIC_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// The head of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];

const ISSUER: &str = "https://id.example.com";
/// The expiry of tokens, in the year 2096: tests move the clock by weeks.
const EXPIRES_S: u64 = 4_000_000_000;

static LENDING: Suite<Lending> = Suite::new(Lending);

/// The API that most tests share. Its template is that of the tests' package.
pub async fn shared() -> Api<Library> {
    LENDING.shared_platform().await
}

/// An API whose clock and faults no other test sees.
pub async fn fresh() -> Api<Library> {
    LENDING.fresh_platform(Options::default()).await.expect("a platform in this process")
}

struct Lending;

/// A running platform, which trusts the issuer below.
pub struct Library(Platform);

impl SystemUnderTest for Lending {
    type Running = Library;

    /// Cargo has built the functions, as the binaries of the tested packages.
    async fn start(&self, options: Options) -> Result<Library, BoxError> {
        let issuers = json!([{
            "issuer": ISSUER, "jwksUrl": publish_keys().await?, "audience": "library",
            "rolesClaim": "roles", "roles": ["MEMBER", "LIBRARIAN"], "claims": ["library", "email"],
        }]);
        let parameters = vec![("OutsideIssuers".to_owned(), issuers.to_string())];
        let options = Options { no_build: true, parameters, ..options };
        Ok(Library(Platform::start(options, &People).await?))
    }
}

/// The accounts as which the console sends requests: their tokens are of the issuer below.
struct People;

impl Application for People {
    fn accounts(&self, _demo: bool) -> Vec<Account> {
        let account = |name: &str, role: &str| {
            let token = Person { name: name.to_owned() }.token(ISSUER, "central", role);
            Account::new(name, role, SignIn::Token(token)).note("of the central library")
        };
        vec![account("ada", "MEMBER"), account("bob", "MEMBER"), account("lena", "LIBRARIAN")]
    }
}

impl Running for Library {
    fn platform(&self) -> &Platform {
        &self.0
    }

    fn into_platform(self) -> Platform {
        self.0
    }
}

/// Serves the issuer's keys. Returns their URL.
async fn publish_keys() -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/jwks.json", listener.local_addr()?);
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "x": PUBLIC_KEY, "kid": "key-1", "alg": "EdDSA", "use": "sig",
    });
    let body = json!({ "keys": [key] }).to_string();
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
    let response = format!("{head} {}\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            // A request for keys fits into one read.
            let _ = client.read(&mut [0; 4096]).await;
            let _ = client.write_all(response.as_bytes()).await;
        }
    });
    Ok(url)
}

/// A person with a name that no other test uses.
pub struct Person {
    name: String,
}

impl Person {
    pub fn new() -> Self {
        Self { name: unique("ada") }
    }

    pub fn email(&self) -> String {
        format!("{}@example.com", self.name)
    }

    /// An access token as a member of the central library.
    pub fn member(&self) -> String {
        self.token(ISSUER, "central", "MEMBER")
    }

    /// An access token with this role, of this issuer and library.
    pub fn token(&self, issuer: &str, library: &str, role: &str) -> String {
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some("key-1".to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        let claims = json!({
            "iss": issuer, "aud": "library", "sub": self.name, "exp": EXPIRES_S,
            "roles": [role], "library": library, "email": self.email(),
        });
        let key = EncodingKey::from_ed_der(&[&PKCS8_HEAD[..], &PRIVATE_KEY].concat());
        encode(&header, &claims, &key).expect("the claims can be signed")
    }

    /// An access token as a librarian of the central library.
    #[allow(dead_code, reason = "the plain service has no endpoint for librarians")]
    pub fn librarian(&self) -> String {
        self.token(ISSUER, "central", "LIBRARIAN")
    }
}

/// Stores a book of the central library. Returns its id.
pub fn new_book(api: &Api<Library>, copies: u32) -> String {
    let book_id = uuid::Uuid::new_v4().to_string();
    let book = json!({
        "pk": book_id, "bookId": book_id, "library": "central", "title": "Emma",
        "copies": copies, "available": copies, "version": 1,
    });
    api.put_item("BooksTable", book);
    book_id
}

/// The body of a request for a loan.
pub fn loan_of(book_id: &str) -> Value {
    json!({ "bookId": book_id })
}
