//! A stub of DynamoDB, SQS and Secrets Manager behind TLS 1.3, with a certificate generated for the
//! run.
//!
//! It always responds at once, with success.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::tokens::KeyPair;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair as CertificateKey,
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto, version};
use tooling::Error;

use super::items::{Items, stored};

/// The pause after a failed accept.
const PAUSE: Duration = Duration::from_millis(50);

/// The running services; they end when this value is dropped.
pub(super) struct Services {
    /// `https://127.0.0.1:…`
    pub(super) url: String,
    /// The certificate to trust, as PEM.
    pub(super) root: String,
    answers: Arc<Answers>,
    server: JoinHandle<()>,
}

impl Services {
    pub(super) async fn start(items: &Items, keys: &KeyPair) -> Result<Self, Error> {
        let (config, root) = certified()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let answers = Arc::new(Answers::new(items, keys)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let server = tokio::spawn(accept(listener, acceptor, Arc::clone(&answers)));
        Ok(Self { url, root, answers, server })
    }

    /// The number of calls so far.
    pub(super) fn calls(&self) -> u64 {
        self.answers.calls.load(Ordering::Relaxed)
    }

    /// The number of connections so far, with or without a call.
    pub(super) fn connections(&self) -> u64 {
        self.answers.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A certificate for this machine from a new authority, and that authority's certificate.
fn certified() -> Result<(ServerConfig, String), Error> {
    let mut authority = CertificateParams::new(Vec::<String>::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, CertificateKey::generate()?)?;
    let key = CertificateKey::generate()?;
    let names = vec![Ipv4Addr::LOCALHOST.to_string()];
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, authority.pem()))
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, answers: Arc<Answers>) {
    // If a connection fails, its function fails and reports it.
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            // With too many open files, the next attempt may succeed.
            sleep(PAUSE).await;
            continue;
        };
        answers.connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(connection, acceptor.clone(), Arc::clone(&answers)));
    }
}

async fn serve(connection: TcpStream, acceptor: TlsAcceptor, answers: Arc<Answers>) {
    // Responses are small, so send packets at once.
    let _ = connection.set_nodelay(true);
    let Ok(connection) = acceptor.accept(connection).await else { return };
    let service = service_fn(move |request| {
        let answers = Arc::clone(&answers);
        async move { Ok::<_, Infallible>(answers.answer(request).await) }
    });
    // Ignore errors: functions end without closing their connections.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

/// The prepared responses.
struct Answers {
    product: String,
    product_id: String,
    order_facts: Bytes,
    user: Bytes,
    signing_keys: Bytes,
    verification_keys: Bytes,
    calls: AtomicU64,
    connections: AtomicU64,
}

impl Answers {
    fn new(items: &Items, keys: &KeyPair) -> Result<Self, Error> {
        let product = stored(&items.product)?;
        let user = stored(&items.user)?;
        let order_facts = json!({
            "Responses": {
                "products": [product], "addresses": [stored(&items.address)?], "users": [user],
            },
            "UnprocessedKeys": {},
        });
        let secret = |name: &str, value: String| {
            let arn = format!("arn:aws:secretsmanager:eu-west-1:000000000000:secret:{name}");
            json!({ "ARN": arn, "Name": name, "SecretString": value }).to_string()
        };
        let verification_keys = json!({ "keys": [keys.verification] }).to_string();
        Ok(Self {
            product: json!({ "Item": product }).to_string(),
            product_id: items.product.product_id.to_string(),
            order_facts: order_facts.to_string().into(),
            user: json!({ "Item": user }).to_string().into(),
            signing_keys: secret("signing_keys", keys.signing.to_string()).into(),
            verification_keys: secret("verification_keys", verification_keys).into(),
            calls: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        })
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes);
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let action = target.and_then(|target| target.split_once('.')).map(|(_, action)| action);
        let answer = self.answer_to(action, &body.unwrap_or_default());
        let mut response = Response::new(Full::new(answer));
        let json = hyper::header::HeaderValue::from_static("application/x-amz-json-1.0");
        response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
        response
    }

    fn answer_to(&self, action: Option<&str>, body: &[u8]) -> Bytes {
        match action {
            Some("GetItem") => self.item(&read(body)),
            Some("BatchGetItem") => self.order_facts.clone(),
            Some("UpdateItem") => r#"{"Attributes":{"total":{"N":"1"}}}"#.into(),
            Some("GetSecretValue") => match &read(body)["SecretId"] {
                Value::String(name) if name == "signing_keys" => self.signing_keys.clone(),
                _ => self.verification_keys.clone(),
            },
            Some("SendMessageBatch") => sent(&read(body)).to_string().into(),
            // A committed transaction. A request without an action only opens a connection.
            _ => "{}".into(),
        }
    }

    /// Every product exists; settings are at their defaults.
    fn item(&self, call: &Value) -> Bytes {
        match (call["TableName"].as_str(), call["Key"]["pk"]["S"].as_str()) {
            (Some("products"), Some(id)) => self.product.replace(&self.product_id, id).into(),
            (Some("users"), _) => self.user.clone(),
            _ => "{}".into(),
        }
    }
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// The response for a batch in which every message was accepted.
fn sent(batch: &Value) -> Value {
    let entries = batch["Entries"].as_array().into_iter().flatten();
    let taken = entries.map(
        |entry| json!({ "Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": "" }),
    );
    json!({ "Successful": taken.collect::<Vec<_>>(), "Failed": [] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_has_the_requested_id() {
        let keys = aws::tokens::generate().unwrap();
        let answers = Answers::new(&Items::new(), &keys).unwrap();
        let call = br#"{"TableName":"products","Key":{"pk":{"S":"p-1"}}}"#;
        let answer: Value =
            serde_json::from_slice(&answers.answer_to(Some("GetItem"), call)).unwrap();
        assert_eq!(answer["Item"]["pk"]["S"], "p-1");
        assert_eq!(answer["Item"]["productId"]["S"], "p-1");
        assert_eq!(answer["Item"]["name"]["S"], "Lamp");
    }
}
