//! Outside issuers: whose tokens are accepted beside our own (Cognito, Auth0, Keycloak).
//!
//! `ISSUERS` is a JSON list of `{"issuer", "jwksUrl", "audience", "rolesClaim"}`; empty accepts
//! nobody. Of a token of theirs are believed: who it is, the roles in the claim that is named, and
//! whether the e-mail address is verified.

use std::time::Duration;

use futures::FutureExt;
use lifecycle::failure::BoxError;
use lifecycle::{Deadline, Fault, Upstream};
use serde::Deserialize;
use uuid::Builder;

use super::{Issuer, KeySet};
use crate::Aws;
use crate::configuration::Configuration;
use crate::secrets::{Holding, Secret};
use crate::upstream::{Client, Request};

/// More issuers than anybody trusts.
const ISSUERS_MAX: usize = 5;
/// The largest set of keys that is read.
const JWKS_BYTES_MAX: usize = 64 * 1024;
/// How long the keys may take to come.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Keys are read again after an hour, and serve a day when they cannot be. A key that is not among
/// them is looked for at once, but no more than once a minute.
const KEYS: Holding = Holding { fresh: Duration::from_hours(1), usable: Duration::from_hours(24) };

/// Their keys, as the log calls them.
const NAME: &str = "outside_issuer";

/// Somebody whose tokens are accepted, as `ISSUERS` describes them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OutsideIssuer {
    issuer: String,
    /// Where the keys are published: by HTTPS, but for an address of this very machine.
    jwks_url: String,
    audience: String,
    /// The name of a claim, or a JSON Pointer into the claims: `cognito:groups`,
    /// `/realm_access/roles`.
    roles_claim: String,
}

/// Reads what `ISSUERS` says, which is no secret and may be repeated.
pub(crate) fn read(configuration: &Configuration) -> Result<Vec<OutsideIssuer>, BoxError> {
    let Some(text) = configuration.variable("ISSUERS") else { return Ok(Vec::new()) };
    let issuers: Vec<OutsideIssuer> =
        serde_json::from_str(&text).map_err(|error| format!("ISSUERS: {error}"))?;
    if issuers.len() > ISSUERS_MAX {
        return Err(format!("ISSUERS: more than {ISSUERS_MAX} issuers").into());
    }
    let mut known = vec![configuration.issuer.as_deref().unwrap_or_default()];
    for OutsideIssuer { issuer, jwks_url, audience, roles_claim } in &issuers {
        if known.contains(&issuer.as_str()) {
            return Err(format!("ISSUERS: `{issuer}` is empty, named twice, or our own").into());
        }
        if audience.is_empty() || roles_claim.is_empty() {
            return Err(format!("ISSUERS: `{issuer}` lacks an audience or a roles claim").into());
        }
        if !is_safe(jwks_url) {
            return Err(format!("ISSUERS: `{jwks_url}` is no address by HTTPS").into());
        }
        known.push(issuer);
    }
    Ok(issuers)
}

/// In the clear, keys may come from this very machine alone.
fn is_safe(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    match (url.scheme_str(), url.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => matches!(host, "127.0.0.1" | "[::1]" | "localhost"),
        _ => false,
    }
}

impl Issuer {
    /// Nothing is fetched before a token of theirs comes.
    pub(super) fn outside(aws: &Aws, described: &OutsideIssuer) -> Self {
        let client = Client::of(aws.clone(), Upstream::new(NAME), &described.jwks_url);
        let keys = Secret::held(NAME, KEYS, move || {
            let client = client.clone();
            async move { fetch(&client).await }.boxed()
        });
        let (issuer, audience) = (described.issuer.as_str(), described.audience.as_str());
        let mut outside = Self::new(issuer, audience, keys, &described.roles_claim);
        outside.is_ours = false;
        outside
    }
}

async fn fetch(client: &Client) -> Result<KeySet, Fault> {
    let answer = client.send_before(Deadline::after(TIMEOUT), &Request::get("")).await?;
    let body = answer.success()?.body;
    if body.len() > JWKS_BYTES_MAX {
        return Err(Fault::internal("a set of keys over 64 KiB"));
    }
    let text = str::from_utf8(&body).map_err(Fault::internal)?;
    KeySet::parse(text).map_err(Fault::internal)
}

/// Who somebody of an outside issuer is here: an id of their own (RFC 9562, version 8) from the
/// issuer and its subject, whatever form that has. No issuer can name somebody of another's, or of
/// ours, who never have ids of this version.
pub(super) fn subject(issuer: &str, subject: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new()
        .chain_update(issuer.len().to_be_bytes())
        .chain_update(issuer)
        .chain_update(subject)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(issuers: &str) -> Result<Vec<OutsideIssuer>, String> {
        let issuers = issuers.to_owned();
        let environment = move |name: &str| match name {
            "ISSUERS" => Some(issuers.clone()),
            _ => Some("https://ours.example".to_owned()),
        };
        let uses = [lifecycle::uses::Use::Secret(crate::VERIFICATION_KEYS)];
        let configuration = Configuration::read(&uses, Box::new(environment)).unwrap();
        super::read(&configuration).map_err(|error| error.to_string())
    }

    fn issuer(issuer: &str, url: &str) -> String {
        format!(
            r#"{{"issuer":"{issuer}","jwksUrl":"{url}","audience":"api","rolesClaim":"roles"}}"#
        )
    }

    #[test]
    fn what_is_configured_wrongly_is_said_at_the_start() {
        let good = issuer("https://a.example", "https://a.example/keys");
        assert_eq!(read("").unwrap().len(), 0);
        assert_eq!(read(&format!("[{good}]")).unwrap().len(), 1);
        for (issuers, said) in [
            ("{}".to_owned(), "invalid type"),
            (r#"[{"issuer":"a"}]"#.to_owned(), "missing field"),
            (format!("[{good},{good}]"), "named twice"),
            (format!("[{}]", issuer("https://ours.example", "https://a/keys")), "our own"),
            (format!("[{}]", issuer("a", "http://a.example/keys")), "no address by HTTPS"),
            (format!("[{}]", issuer("a", "http://127.0.0.1.example/keys")), "no address by HTTPS"),
            (format!("[{}]", issuer("a", "file:///keys")), "no address by HTTPS"),
            (format!("[{}]", vec![good; 6].join(",")), "more than 5"),
        ] {
            let error = read(&issuers).unwrap_err();
            assert!(error.starts_with("ISSUERS: ") && error.contains(said), "{error}");
        }
    }

    #[test]
    fn nobody_is_taken_for_somebody_of_another_issuer_or_of_ours() {
        let ada = subject("https://a.example", "ada");
        assert_eq!(ada, subject("https://a.example", "ada"));
        assert_ne!(ada, subject("https://b.example", "ada"));
        assert_ne!(subject("https://a", "b|ada"), subject("https://a b", "|ada"));
        assert_ne!(subject("https://a.example", &ada), ada);
        assert_eq!(ada.as_bytes()[14], b'8', "{ada}");
    }
}
