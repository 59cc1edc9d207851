//! Outside issuers, whose tokens are accepted in addition to our own (Cognito, Auth0, Keycloak).
//!
//! `ISSUERS` is a JSON list of objects. If it is empty, only our own tokens are accepted.
//!
//! | member | |
//! |---|---|
//! | `issuer` | the required `iss` |
//! | `jwksUrl` | the URL of the published keys |
//! | `audience` | the required `aud`, or one of its values; compared with `client_id` if a token has no `aud` |
//! | `rolesClaim` | the claim that holds the roles |
//! | `roles`, optional | the roles that the issuer may assign; without it, none |
//! | `accessClaim`, optional | `{"name", "value"}`: a claim that identifies access tokens, for an issuer that sets neither `typ: at+jwt` nor `token_use: access` |
//! | `claims`, optional | the names of further claims that are passed on |
//! | `subject`, optional | `hashed`, the default, or `plain`: how the subject is passed on; `plain` only if there is no other issuer |
//!
//! Only these claims of such a token are used: the subject, the allowed roles, whether the e-mail
//! address is verified, and the named ones. The service reads the named ones with the others in
//! its [`Identity`](lifecycle::Identity), and checks their form there.

use serde_json::{Map, Value};
use uuid::Builder;

use crate::config::Configuration;

/// Maximum outside issuers.
const ISSUERS_MAX: usize = 5;

/// The claims and members of the authorizer's result whose meaning is fixed. No other
/// claim is passed on under these names.
pub(super) const RESERVED: [&str; 8] =
    ["sub", "roles", "tier", "emailVerified", "exp", "verdict", "at", "claims"];

/// An issuer whose tokens are accepted, as `ISSUERS` describes it.
#[derive(Debug, Clone)]
pub(crate) struct OutsideIssuer {
    pub(super) issuer: String,
    /// The URL of the published keys: HTTPS, except on this machine.
    pub(super) jwks_url: String,
    pub(super) audience: String,
    /// The name of a claim, or a JSON Pointer into the claims: `cognito:groups`,
    /// `/realm_access/roles`.
    pub(super) roles_claim: String,
    pub(super) roles: Vec<String>,
    pub(super) access_claim: Option<AccessClaim>,
    /// The further claims that are passed on.
    pub(super) claims: Vec<String>,
    /// Whether its subjects are passed on as they are.
    pub(super) plain_subjects: bool,
}

/// A claim that an issuer's access tokens have, and its other tokens do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessClaim {
    /// Its name, or a JSON Pointer into the claims.
    pub(super) name: String,
    /// Its value, or one of its values.
    pub(super) value: String,
}

/// Reads `ISSUERS`. It is not a secret, so errors may quote it.
///
/// # Errors
///
/// Names the wrong member by a JSON Pointer: `ISSUERS: /0/jwksUrl is missing`.
pub(crate) fn read(configuration: &Configuration) -> Result<Vec<OutsideIssuer>, String> {
    let Some(text) = configuration.variable("ISSUERS") else { return Ok(Vec::new()) };
    let second = configuration.variable("SECOND_ISSUER");
    let own = [configuration.issuer.as_deref(), second.as_deref()];
    read_list(&text, &own.map(Option::unwrap_or_default))
        .map_err(|error| format!("ISSUERS: {error}"))
}

fn read_list(text: &str, own: &[&str]) -> Result<Vec<OutsideIssuer>, String> {
    let list: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let Value::Array(list) = list else { return Err("must be a list".to_owned()) };
    if list.len() > ISSUERS_MAX {
        return Err(format!("more than {ISSUERS_MAX} issuers"));
    }
    let mut issuers: Vec<OutsideIssuer> = Vec::new();
    for (number, described) in list.into_iter().enumerate() {
        let issuer = read_issuer(Members::of(format!("/{number}"), described)?)?;
        let name = &issuer.issuer;
        if own.contains(&name.as_str()) || issuers.iter().any(|before| before.issuer == *name) {
            return Err(format!("/{number}/issuer: `{name}` is named twice, or our own"));
        }
        if !is_safe(&issuer.jwks_url) {
            let url = &issuer.jwks_url;
            return Err(format!("/{number}/jwksUrl: `{url}` is not an HTTPS URL"));
        }
        issuers.push(issuer);
    }
    let is_alone = issuers.len() == 1 && own.iter().all(|own| own.is_empty());
    match issuers.iter().position(|issuer| issuer.plain_subjects) {
        // Another issuer could name its subjects.
        Some(number) if !is_alone => {
            Err(format!("/{number}/subject: `plain` needs an issuer without others"))
        }
        _ => Ok(issuers),
    }
}

fn read_issuer(mut members: Members) -> Result<OutsideIssuer, String> {
    let issuer = OutsideIssuer {
        issuer: members.text("issuer")?,
        jwks_url: members.text("jwksUrl")?,
        audience: members.text("audience")?,
        roles_claim: members.text("rolesClaim")?,
        roles: members.texts("roles")?,
        access_claim: members.object("accessClaim")?.map(read_access_claim).transpose()?,
        claims: members.texts("claims")?,
        plain_subjects: members.choice("subject", ["hashed", "plain"])? == Some("plain"),
    };
    if let Some(name) = issuer.claims.iter().find(|name| RESERVED.contains(&name.as_str())) {
        let place = &members.place;
        return Err(format!("{place}/claims: the meaning of `{name}` is fixed"));
    }
    members.finish()?;
    Ok(issuer)
}

fn read_access_claim(mut members: Members) -> Result<AccessClaim, String> {
    let claim = AccessClaim { name: members.text("name")?, value: members.text("value")? };
    members.finish()?;
    Ok(claim)
}

/// The members of an object that are not read yet, and the object's JSON Pointer.
struct Members {
    place: String,
    members: Map<String, Value>,
}

impl Members {
    fn of(place: String, value: Value) -> Result<Self, String> {
        match value {
            Value::Object(members) => Ok(Self { place, members }),
            _ => Err(format!("{place} must be an object")),
        }
    }

    /// Takes a text that is not empty.
    fn text(&mut self, name: &str) -> Result<String, String> {
        match self.members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            None => Err(format!("{}/{name} is missing", self.place)),
            Some(_) => Err(format!("{}/{name} must be a text that is not empty", self.place)),
        }
    }

    /// Takes a list of texts; empty if absent.
    fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        let Some(list) = self.members.remove(name) else { return Ok(Vec::new()) };
        serde_json::from_value(list)
            .map_err(|_| format!("{}/{name} must be a list of texts", self.place))
    }

    /// Takes one of two words, if it is given.
    fn choice(
        &mut self,
        name: &str,
        words: [&'static str; 2],
    ) -> Result<Option<&'static str>, String> {
        let Some(given) = self.members.remove(name) else { return Ok(None) };
        let known = words.into_iter().find(|word| given == *word);
        let [first, second] = words;
        let wrong = || format!("{}/{name} must be `{first}` or `{second}`", self.place);
        known.map(Some).ok_or_else(wrong)
    }

    fn object(&mut self, name: &str) -> Result<Option<Self>, String> {
        let place = format!("{}/{name}", self.place);
        self.members.remove(name).map(|value| Self::of(place, value)).transpose()
    }

    /// Fails if a member is left: an unknown member is a mistake in its name.
    fn finish(self) -> Result<(), String> {
        match self.members.keys().next() {
            Some(unknown) => Err(format!("{}/{unknown} is an unknown member", self.place)),
            None => Ok(()),
        }
    }
}

/// Plain HTTP is allowed only from this machine.
fn is_safe(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    match (url.scheme_str(), url.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => matches!(host, "127.0.0.1" | "[::1]" | "localhost"),
        _ => false,
    }
}

/// The id here of an outside issuer's subject: a UUID (RFC 9562, version 8) made from issuer and
/// subject. So no issuer can name another issuer's subject, or one of our users, whose ids never
/// have this version.
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
            "SECOND_ISSUER" => Some("https://new.example".to_owned()),
            _ => Some("https://ours.example".to_owned()),
        };
        let uses = [lifecycle::resource::Resource::Secret(crate::VERIFICATION_KEYS)];
        let configuration = Configuration::read(&uses, Box::new(environment)).unwrap();
        super::read(&configuration)
    }

    fn issuer(issuer: &str, url: &str) -> String {
        format!(
            r#"{{"issuer":"{issuer}","jwksUrl":"{url}","audience":"api","rolesClaim":"roles"}}"#
        )
    }

    #[test]
    fn a_configuration_error_is_named_by_its_json_pointer() {
        let good = issuer("https://a.example", "https://a.example/keys");
        assert_eq!(read("").unwrap().len(), 0);
        assert_eq!(read(&format!("[{good}]")).unwrap().len(), 1);
        let with = |member: &str| format!("[{}]", good.replacen('{', &format!("{{{member},"), 1));
        for allowed in [
            r#""roles":[]"#,
            r#""roles":["WRITER","EDITOR"]"#,
            r#""accessClaim":{"name":"typ","value":"Bearer"}"#,
            r#""claims":["tenant","/org/id"]"#,
            r#""subject":"hashed""#,
        ] {
            assert_eq!(read(&with(allowed)).unwrap().len(), 1, "{allowed}");
        }
        for (issuers, said) in [
            ("[".to_owned(), "not JSON: "),
            ("{}".to_owned(), "must be a list"),
            ("[7]".to_owned(), "/0 must be an object"),
            (r#"[{"issuer":"a"}]"#.to_owned(), "/0/jwksUrl is missing"),
            (format!("[{good},{{}}]"), "/1/issuer is missing"),
            (format!("[{}]", good.replace(r#""api""#, "7")), "/0/audience must be a text"),
            (format!("[{}]", good.replace(r#""api""#, r#""""#)), "/0/audience must be a text"),
            (format!("[{}]", good.replace("rolesClaim", "roleClaim")), "/0/rolesClaim is missing"),
            (with(r#""tier":"GOLD""#), "/0/tier is an unknown member"),
            (with(r#""roles":"ADMIN""#), "/0/roles must be a list of texts"),
            (with(r#""roles":[7]"#), "/0/roles must be a list of texts"),
            (with(r#""claims":["tenant","roles"]"#), "/0/claims: the meaning of `roles`"),
            (with(r#""claims":["claims"]"#), "/0/claims: the meaning of `claims`"),
            (with(r#""claims":"tenant""#), "/0/claims must be a list of texts"),
            (with(r#""subject":"clear""#), "/0/subject must be `hashed` or `plain`"),
            (with(r#""subject":"plain""#), "/0/subject: `plain` needs an issuer without others"),
            (with(r#""accessClaim":"typ""#), "/0/accessClaim must be an object"),
            (with(r#""accessClaim":{"name":"typ"}"#), "/0/accessClaim/value is missing"),
            (
                with(r#""accessClaim":{"name":"typ","value":"a","or":"b"}"#),
                "/0/accessClaim/or is an unknown member",
            ),
            (format!("[{good},{good}]"), "/1/issuer: `https://a.example` is named twice"),
            (format!("[{}]", issuer("https://ours.example", "https://a/keys")), "our own"),
            (format!("[{}]", issuer("https://new.example", "https://a/keys")), "our own"),
            (
                format!("[{}]", issuer("a", "http://a.example/keys")),
                "/0/jwksUrl: `http://a.example/keys` is not an HTTPS URL",
            ),
            (format!("[{}]", issuer("a", "http://127.0.0.1.example/keys")), "not an HTTPS URL"),
            (format!("[{}]", issuer("a", "file:///keys")), "not an HTTPS URL"),
            (format!("[{}]", vec![good.clone(); 6].join(",")), "more than 5"),
        ] {
            let error = read(&issuers).unwrap_err();
            assert!(error.starts_with("ISSUERS: ") && error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_subject_never_equals_one_of_another_issuer_or_of_ours() {
        let ada = subject("https://a.example", "ada");
        assert_eq!(ada, subject("https://a.example", "ada"));
        assert_ne!(ada, subject("https://b.example", "ada"));
        assert_ne!(subject("https://a", "b|ada"), subject("https://a b", "|ada"));
        assert_ne!(subject("https://a.example", &ada), ada);
        assert_eq!(ada.as_bytes()[14], b'8', "{ada}");
    }
}
