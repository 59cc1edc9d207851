//! An upstream's token response (RFC 6749, 5.1), in every form that servers send.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The lifetime of a token whose response has none, in seconds.
const UNTOLD_S: i64 = 300;
/// Tokens are replaced after this long, even if the upstream allows more.
const LIFETIME_S_MAX: f64 = 3600.0;
/// The longest token that is sent, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// A token response.
#[derive(Deserialize)]
pub(super) struct Given {
    pub(super) access_token: String,
    token_type: Option<String>,
    expires_in: Option<Box<RawValue>>,
}

impl Given {
    /// Returns the response if it has a bearer token that fits in a header.
    ///
    /// # Errors
    ///
    /// The mistake, without the token.
    pub(super) fn checked(self) -> Result<Self, &'static str> {
        let token = self.access_token.as_bytes();
        if !(1..=TOKEN_BYTES_MAX).contains(&token.len()) || !token.iter().all(u8::is_ascii_graphic)
        {
            return Err("access_token is not 1 to 8192 visible characters");
        }
        // Some servers call it `BearerToken`; the case does not matter.
        let is_bearer = |kind: &String| kind.to_ascii_lowercase().starts_with("bearer");
        if !self.token_type.as_ref().is_none_or(is_bearer) {
            return Err("token_type is not bearer");
        }
        Ok(self)
    }

    /// The token's lifetime in whole seconds; 0 if it serves one request.
    ///
    /// Servers send a number, possibly with a fraction or in quotes, or nothing. A value that is
    /// not a number counts as absent.
    pub(super) fn lifetime_s(&self) -> i64 {
        let told = self.expires_in.as_ref().and_then(|raw| {
            let quoted: Option<String> = serde_json::from_str(raw.get()).ok();
            let text = quoted.as_deref().unwrap_or(raw.get()).trim();
            text.parse::<f64>().ok().filter(|seconds| !seconds.is_nan())
        });
        #[expect(clippy::cast_possible_truncation, reason = "it is within the bounds")]
        told.map_or(UNTOLD_S, |seconds| seconds.clamp(0.0, LIFETIME_S_MAX) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_read_in_every_form_that_servers_send() {
        for (sent, lifetime_s) in [
            ("3600", 3600),
            ("3600.0", 3600),
            ("299.9", 299),
            ("3.6e3", 3600),
            ("0.4", 0),
            ("\"3600\"", 3600),
            ("\" 60 \"", 60),
            ("\"59.5\"", 59),
            ("0", 0),
            ("-1", 0),
            ("\"-5\"", 0),
            ("86400", 3600),
            ("1e400", 3600),
            ("99999999999999999999999", 3600),
            ("null", 300),
            ("\"\"", 300),
            ("\"soon\"", 300),
            ("\"NaN\"", 300),
            ("true", 300),
            ("{\"seconds\":3600}", 300),
            ("[3600]", 300),
        ] {
            let given = given(&format!(r#"{{"access_token":"t","expires_in":{sent}}}"#));
            assert_eq!(given.unwrap().lifetime_s(), lifetime_s, "{sent}");
        }
        assert_eq!(given(r#"{"access_token":"t"}"#).unwrap().lifetime_s(), 300);
    }

    #[test]
    fn only_a_bearer_token_that_fits_in_a_header_is_accepted() {
        let (longest, longer) = ("t".repeat(TOKEN_BYTES_MAX), "t".repeat(TOKEN_BYTES_MAX + 1));
        for (token, kind, taken) in [
            ("t", r#""Bearer""#, true),
            ("t", r#""bearer""#, true),
            ("t", r#""BEARER""#, true),
            ("t", r#""BearerToken""#, true),
            ("t", "null", true),
            (&longest, r#""Bearer""#, true),
            (&longer, r#""Bearer""#, false),
            ("", r#""Bearer""#, false),
            ("a b", r#""Bearer""#, false),
            (r"a\r\nb", r#""Bearer""#, false),
            ("ä", r#""Bearer""#, false),
            ("t", r#""mac""#, false),
            ("t", r#""DPoP""#, false),
        ] {
            let given = given(&format!(r#"{{"access_token":"{token}","token_type":{kind}}}"#));
            assert_eq!(given.is_ok(), taken, "{kind} {}", &token[..token.len().min(9)]);
        }
    }

    fn given(body: &str) -> Result<Given, &'static str> {
        serde_json::from_str::<Given>(body).unwrap().checked()
    }
}
