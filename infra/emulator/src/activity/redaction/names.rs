//! Names of headers, members and parameters that have secret values.

use std::slice;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Parts of a name that make its value secret, in lower case and without separators.
const SECRET: [&str; 21] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "cookie",
    "apikey",
    "signature",
    "credential",
    "privatekey",
    "signingkey",
    "accesskey",
    "licensekey",
    "jwt",
    "otp",
    "onetimecode",
    "pwd",
    "bearer",
    // Misspelled or of another language: `passwort`, `pasword`.
    "passwo",
    "pasword",
];

/// The parts of [`SECRET`] that are also parts of common words. They are whole words of a name.
const WHOLE: [&str; 4] = ["otp", "jwt", "pwd", "bearer"];

/// Parts of names that contain a part of [`SECRET`] and are no secrets.
const HARMLESS: [&str; 5] = ["secretsmanager", "secretar", "tokeniz", "tokenis", "passwordless"];

/// Secret names whose values are never numbers: a number is a measurement, such as the time of the
/// stage `authorization`.
const NEVER_NUMBERS: [&str; 4] = ["authorization", "cookie", "signature", "bearer"];

/// Last words of names that count or measure a secret, such as `tokenCount`.
const MEASURES: [&str; 24] = [
    "count", "counts", "total", "number", "length", "size", "bytes", "limit", "max", "min", "ms",
    "s", "seconds", "minutes", "hours", "days", "ttl", "lifetime", "units", "version", "attempts",
    "age", "in", "timeout",
];

/// Last words of names of times, such as `passwordResetAt`.
const TIMES: [&str; 11] = [
    "at",
    "on",
    "date",
    "time",
    "expires",
    "expiry",
    "expiration",
    "since",
    "until",
    "before",
    "after",
];

/// Last words of names that label a secret, such as `tokenType`. Their values are shown, but for the
/// forms that are secret in any text.
const LABELS: [&str; 26] = [
    "type",
    "types",
    "id",
    "ids",
    "arn",
    "name",
    "names",
    "status",
    "state",
    "kind",
    "algorithm",
    "alg",
    "issuer",
    "url",
    "uri",
    "endpoint",
    "error",
    "errors",
    "reason",
    "message",
    "policy",
    "scope",
    "required",
    "stage",
    "format",
    "field",
];

/// The header by which `CloudFront` proves to an API that a request came through it.
const ORIGIN_VERIFY: &str = "x-origin-verify";

/// Parts of names of headers that are secret.
const HEADER_PARTS: [&str; 8] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "signature",
    "credential",
    "api-key",
];

/// Words of names of headers and parameters whose values are secret. Members with these names often
/// are objects without a secret.
const WORDS: [&str; 9] = ["auth", "csrf", "hmac", "pass", "pin", "session", "sid", "sig", "xsrf"];

/// Members of an event of API Gateway or a load balancer with headers by their names.
const HEADERS: [&str; 2] = ["headers", "multiValueHeaders"];

/// Members of such an event with the parameters of the query.
const PARAMETERS: [&str; 2] = ["queryStringParameters", "multiValueQueryStringParameters"];

/// Parts of names of parameters with a place in a list. It may look random.
const PLACES: [&str; 7] = ["cursor", "after", "before", "next", "page", "start", "offset"];

/// Names around a `code` that make it one that is sent to prove something.
const CODES: [&str; 12] = [
    "verification",
    "verify",
    "confirm",
    "reset",
    "activation",
    "activate",
    "onetime",
    "mfa",
    "twofactor",
    "2fa",
    "challenge",
    "invitation",
];

/// Parts of a path's part after which a random text is a one-time token:
/// `/password-resets/{token}`.
const INTRODUCING: [&str; 8] =
    ["verif", "confirm", "reset", "activat", "invit", "unsubscribe", "magic", "login"];

/// Names of query parameters whose random value gives access to the target of a link:
/// `?share={token}`. Other random values, such as the cursor of a list, are shown.
const GRANTING: [&str; 10] =
    ["access", "auth", "grant", "invitation", "invite", "key", "link", "share", "sig", "ticket"];

/// The types of DynamoDB's attributes.
const TYPES: [&str; 10] = ["S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"];

/// A value without members.
#[derive(Clone, Copy)]
pub(super) enum Leaf<'a> {
    Text(&'a str),
    Number,
}

impl Leaf<'_> {
    pub(super) fn is_empty(self) -> bool {
        matches!(self, Self::Text(""))
    }

    fn is_number(self) -> bool {
        match self {
            Self::Text(text) => is_number(text),
            Self::Number => true,
        }
    }
}

/// Whether a header of this name is secret.
pub(super) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == ORIGIN_VERIFY || HEADER_PARTS.iter().any(|part| name.contains(part))
}

/// Whether the value of a header is hidden.
pub(super) fn hides_header(name: &str, value: &str) -> bool {
    !value.is_empty() && (is_secret_header(name) || hides_parameter(name, value))
}

/// Whether the members of an object of this name are headers or parameters.
pub(super) fn has_headers(name: &str) -> bool {
    HEADERS.iter().any(|it| it.eq_ignore_ascii_case(name)) || has_parameters(name)
}

/// Whether the members of an object of this name are parameters.
pub(super) fn has_parameters(name: &str) -> bool {
    PARAMETERS.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// Whether the value of a parameter is hidden because of its name.
pub(super) fn hides_parameter(name: &str, value: &str) -> bool {
    let is_word = |word: &str| WORDS.iter().any(|it| it.eq_ignore_ascii_case(word));
    hides(name, "", Leaf::Text(value)) || !value.is_empty() && words(name).any(is_word)
}

/// Whether a parameter has a place in a list.
pub(super) fn is_place(name: &str) -> bool {
    let name = plain(name);
    PLACES.iter().any(|part| name.contains(part))
}

/// Whether a member or parameter of this name has secret values.
pub(super) fn is_secret(name: &str) -> bool {
    part_of(name).is_some()
}

/// The secret name of `{"name": "x-api-key", "value": "…"}`, which hides the other member. A repeated
/// member is an array of its values.
pub(super) fn secret_name_in(members: &Map<String, Value>) -> Option<String> {
    let named = ["name", "Name", "key", "Key"].into_iter().filter_map(|it| members.get(it));
    let named = named.flat_map(|it| it.as_array().map_or(slice::from_ref(it), Vec::as_slice));
    let is_one = |name: &&str| is_secret(name) || is_secret_header(name);
    named.filter_map(Value::as_str).find(is_one).map(str::to_owned)
}

/// Whether the value of a member is hidden because of its name, or of the name of its parent.
pub(super) fn hides(name: &str, parent: &str, leaf: Leaf<'_>) -> bool {
    if leaf.is_empty() {
        return false;
    }
    (is_secret(name) && !is_about(name, leaf)) || is_code(name, parent, leaf)
}

/// Whether the value is only about a secret: its count, time or label.
pub(super) fn is_about(name: &str, leaf: Leaf<'_>) -> bool {
    let last = last_word(name).to_ascii_lowercase();
    let last = last.as_str();
    match leaf {
        Leaf::Number => {
            let is_plural = last.strip_suffix('s').is_some_and(|one| SECRET.contains(&one));
            let part = part_of(name).unwrap_or_default();
            is_plural
                || MEASURES.contains(&last)
                || TIMES.contains(&last)
                || NEVER_NUMBERS.contains(&part)
        }
        Leaf::Text(text) => {
            is_label(name)
                || (MEASURES.contains(&last) && leaf.is_number())
                || (TIMES.contains(&last) && (leaf.is_number() || is_time(text)))
        }
    }
}

/// Whether all values of this name only label a secret.
pub(super) fn is_label(name: &str) -> bool {
    LABELS.contains(&&*last_word(name).to_ascii_lowercase())
}

/// Whether a random text after this part of a path is a token.
pub(super) fn introduces_token(part: &str) -> bool {
    let part = plain(part);
    INTRODUCING.iter().chain(&SECRET[..]).any(|word| part.contains(word))
}

/// Whether the value of a query parameter gives access, such as that of a link that is shared.
pub(super) fn grants_access(parameter: &str, value: &str) -> bool {
    let is_granting = GRANTING.contains(&&*plain(parameter)) || introduces_token(parameter);
    is_granting && super::patterns::is_random(value)
}

/// Whether the only member of an object is an attribute's type.
pub(super) fn is_type(name: &str) -> bool {
    TYPES.contains(&name)
}

/// Whether a text is a decimal number.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|it: char| it.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// The part of a name that makes it secret.
fn part_of(name: &str) -> Option<&'static str> {
    // No service has such a name; the bound keeps the search short.
    if name.len() > 200 {
        return Some("secret");
    }
    let whole = plain(name);
    if !SECRET.iter().any(|part| whole.contains(part)) {
        return None;
    }
    let rest = HARMLESS.iter().fold(whole, |rest, harmless| rest.replace(harmless, " "));
    let found = |part: &&&str| {
        if WHOLE.contains(*part) {
            rest == ***part || words(name).any(|word| word.eq_ignore_ascii_case(part))
        } else {
            rest.contains(**part)
        }
    };
    SECRET.iter().find(found).copied()
}

/// Whether a member is a code that was sent to a person: by its name (`verificationCode`), by the
/// name around it, or as `code` with six to eight digits or a random text. Codes of errors, such as
/// `OUT_OF_STOCK`, and numbers such as a status are none.
fn is_code(name: &str, parent: &str, leaf: Leaf<'_>) -> bool {
    if !last_word(name).eq_ignore_ascii_case("code") && !plain(name).ends_with("code") {
        return false;
    }
    let is_about_error = |text: &str| {
        text.contains(|it: char| it.is_ascii_uppercase())
            && text.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_')
            && !text.contains(|it: char| it.is_ascii_digit())
    };
    let around = [plain(name), plain(parent)];
    let is_named = around.iter().any(|around| CODES.iter().any(|code| around.contains(code)));
    match leaf {
        Leaf::Number => is_named,
        Leaf::Text(text) if is_named => !is_about_error(text),
        Leaf::Text(text) => {
            let are_digits = text.bytes().all(|it| it.is_ascii_digit());
            let is_bare = plain(name) == "code";
            is_bare
                && ((are_digits && (6..=8).contains(&text.len()))
                    || super::patterns::is_random(text))
        }
    }
}

/// A name in lower case and without separators.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect()
}

/// The words of a name, at separators only: `one`, `time`, `CODE` of `one_time-CODE`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let parts = name.split(|it: char| !it.is_ascii_alphanumeric());
    parts.chain(std::iter::once(last_word(name)))
}

/// The last part of a name in any style: `At` of `passwordResetAt`, `COUNT` of `TOKEN_COUNT`.
fn last_word(name: &str) -> &str {
    let part = name.rsplit(|it: char| !it.is_ascii_alphanumeric()).find(|part| !part.is_empty());
    let part = part.unwrap_or_default();
    let is_upper = part.ends_with(|it: char| it.is_ascii_uppercase());
    let begins = if is_upper {
        part.rfind(|it: char| !it.is_ascii_uppercase()).map_or(0, |at| at + 1)
    } else {
        part.rfind(|it: char| it.is_ascii_uppercase()).unwrap_or(0)
    };
    &part[begins..]
}

/// Whether a text is a time or a date.
fn is_time(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok() || text.parse::<jiff::civil::Date>().is_ok()
}

/// Whether the name is also one of a stage or a decision, which sentences are about.
pub(super) fn is_stage(name: &str) -> bool {
    part_of(name).is_some_and(|part| NEVER_NUMBERS.contains(&part))
}
