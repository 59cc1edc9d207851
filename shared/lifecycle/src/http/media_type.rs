//! Media types in headers (RFC 9110, sections 8.3 and 12.5.1).
//!
//! The crate `mime` parses one type, but neither lists nor weights. One small grammar serves both
//! headers, including quoted strings.

/// The media type of most successful responses, and of errors.
pub(super) const JSON: &str = "application/json";
/// The media type of errors, for clients that ask for it (RFC 9457).
const PROBLEM: &str = "application/problem+json";
/// The weight 1; weights are in thousandths.
const WHOLE: u16 = 1_000;

/// The media types that a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Whether a response may have the media type of the endpoint's replies.
    pub(super) reply: bool,
    /// Whether an error should be problem details.
    pub(super) problem: bool,
}

impl Accepted {
    /// Reads the values of `Accept`, for replies of this media type. Without values, or with blank
    /// ones, everything is accepted.
    ///
    /// The most specific range decides about a type. Errors are problem details if the client names
    /// that type and does not prefer JSON. Such a client accepts JSON for other responses, unless
    /// it excludes it.
    pub(super) fn read<'a>(values: impl Iterator<Item = &'a str>, of_reply: &str) -> Self {
        let values: Vec<&str> = values.flat_map(|value| split(value, b',')).collect();
        if values.iter().all(|value| value.trim().is_empty()) {
            return Self { reply: true, problem: false };
        }
        // An invalid range accepts nothing.
        let ranges: Vec<_> = values.iter().filter_map(|value| Range::weighted(value)).collect();
        let best = |wanted: &str| {
            let matching = ranges.iter().filter_map(|(range, weight)| {
                range.matches(wanted).map(|precision| (precision, *weight))
            });
            matching.max()
        };
        let json = best(JSON).map(|(_, weight)| weight);
        let problem = match best(PROBLEM) {
            Some((Precision::Type, weight)) => weight,
            _ => 0,
        };
        let of_reply = of_reply.split(';').next().unwrap_or_default().trim();
        let reply = if of_reply == JSON {
            json.unwrap_or(problem)
        } else {
            best(of_reply).map_or(0, |(_, weight)| weight)
        };
        Self { reply: reply > 0, problem: problem > 0 && problem >= json.unwrap_or_default() }
    }
}

/// Whether a `Content-Type` is one of these lower-case types, with the charset UTF-8 if any.
pub(super) fn is_one_of(content_type: &str, types: &[&str]) -> bool {
    let Some((range, parameters)) = Range::with_parameters(content_type) else {
        return false;
    };
    let name = range.0.join("/");
    types.contains(&name.as_str())
        && parameters.iter().all(|parameter| match parameter {
            Some((name, value)) => name != "charset" || value.eq_ignore_ascii_case("utf-8"),
            None => false,
        })
}

/// How precisely a range matches a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Anything,
    Kind,
    Type,
}

/// A type and a subtype in lower case; either may be `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range([String; 2]);

/// A parameter with its name in lower case; `None` if it is invalid.
type Parameter = Option<(String, String)>;

impl Range {
    /// Reads one media type and its parameters.
    fn with_parameters(text: &str) -> Option<(Self, Vec<Parameter>)> {
        let mut parts = split(text, b';').into_iter().map(str::trim);
        let name = parts.next()?;
        // Older Java clients send `*` for `*/*`.
        let (kind, subtype) = if name == "*" { ("*", "*") } else { name.split_once('/')? };
        let parameters = parts.filter(|part| !part.is_empty()).map(parameter).collect();
        let range = Self([kind, subtype].map(str::to_ascii_lowercase));
        (is_token(kind) && is_token(subtype)).then_some((range, parameters))
    }

    /// Reads a range with its weight, and ignores other parameters.
    fn weighted(text: &str) -> Option<(Self, u16)> {
        let (range, parameters) = Self::with_parameters(text)?;
        let mut weights = parameters.into_iter().flatten().filter(|(name, _)| name == "q");
        let weight = weights.next().map_or(Some(WHOLE), |(_, value)| weight(&value))?;
        Some((range, weight))
    }

    fn matches(&self, wanted: &str) -> Option<Precision> {
        let (kind, subtype) = wanted.split_once('/')?;
        match self.0.each_ref().map(String::as_str) {
            ["*", "*"] => Some(Precision::Anything),
            [named, "*"] if named == kind => Some(Precision::Kind),
            [named, exactly] if named == kind && exactly == subtype => Some(Precision::Type),
            _ => None,
        }
    }
}

fn parameter(text: &str) -> Parameter {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let value = match value.strip_prefix('"') {
        Some(quoted) => unquoted(quoted)?,
        None => is_token(value).then(|| value.to_owned())?,
    };
    is_token(name).then(|| (name.to_ascii_lowercase(), value))
}

/// Returns the text up to the closing quote, which must be the end.
fn unquoted(quoted: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => return rest.as_str().is_empty().then_some(text),
            '\\' => text.push(rest.next()?),
            other => text.push(other),
        }
    }
}

/// Returns a weight in thousandths, rounded up, so that only zero becomes 0. A weight above 1
/// becomes 1.
fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    if whole.bytes().any(|digit| digit != b'0') {
        return Some(WHOLE);
    }
    let thousandths = format!("{fraction:0<3.3}").parse::<u16>().ok()?;
    let more = fraction.bytes().skip(3).any(|digit| digit != b'0');
    Some(thousandths + u16::from(more))
}

/// Splits a text at separators outside quotes.
fn split(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepted(accept: &str) -> (bool, bool) {
        let accepted = Accepted::read([accept].into_iter(), JSON);
        (accepted.reply, accepted.problem)
    }

    #[test]
    fn a_reply_of_another_media_type_is_negotiated_by_that_type() {
        for (accept, csv) in [
            ("", true),
            ("text/csv", true),
            ("text/*", true),
            ("*/*", true),
            ("TEXT/CSV;q=0.1", true),
            ("application/json, text/csv;q=0.5", true),
            ("application/json", false),
            ("application/problem+json", false),
            ("text/csv;q=0, */*", false),
            ("text/html", false),
            ("image/*", false),
        ] {
            let accepted = Accepted::read([accept].into_iter(), "text/csv; charset=utf-8");
            assert_eq!(accepted.reply, csv, "{accept}");
        }
    }

    #[test]
    fn the_most_specific_range_decides_and_weight_0_excludes_a_type() {
        for (accept, json, problem) in [
            ("", true, false),
            (" , ", true, false),
            ("*/*", true, false),
            ("*", true, false),
            ("application/*", true, false),
            ("Application/JSON", true, false),
            ("application/json; charset=utf-8", true, false),
            ("application/json;profile=\"a,b;q=0\"", true, false),
            ("text/html, */*;q=0.1", true, false),
            ("text/html, image/gif, *; q=.2", true, false),
            ("text/html, application/json;q=0.001", true, false),
            ("*/*;q=0, application/json", true, false),
            ("application/*;q=0, application/json;q=0.2, */*", true, false),
            ("application/json;q=0.00001", true, false),
            ("application/json;q=2", true, false),
            // JSON is not acceptable.
            ("text/html", false, false),
            ("application/json;q=0", false, false),
            ("application/json;Q=0", false, false),
            ("application/json;q=0.000", false, false),
            ("application/json ; q = 0", false, false),
            ("application/json;q=\"0\"", false, false),
            ("application/json;q=0, */*", false, false),
            ("*/*, application/json;q=0", false, false),
            ("application/json;q=0, application/*", false, false),
            ("application/*;q=0, */*", false, false),
            ("*/*;q=0", false, false),
            ("application/jsonp", false, false),
            ("*/json", false, false),
            ("json", false, false),
            ("application/json;q=high", false, false),
            ("application/json;q=", true, false),
            ("application/json;q=., */*", true, false),
            ("application/json;q=0.0000", false, false),
            ("application/json;q=0.x", false, false),
            ("text/html\\, application/json", true, false),
            ("application/ json", false, false),
            ("application/", false, false),
            ("application/json;a=\"\\\",\";q=0", false, false),
            // Problem details are requested.
            ("application/problem+json", true, true),
            ("application/problem+json, application/json", true, true),
            ("application/json;q=0.5, application/problem+json;q=0.5", true, true),
            ("application/json;q=0.4, application/problem+json;q=0.5", true, true),
            ("application/problem+json, application/json;q=0", false, true),
            // They are not requested, or JSON is preferred.
            ("application/problem+json;q=0.5, application/json", true, false),
            ("application/problem+json;Q=0, application/json", true, false),
            ("application/problem+json;q=0", false, false),
            ("application/problem+json;q=0.1, */*", true, false),
        ] {
            assert_eq!(accepted(accept), (json, problem), "{accept}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let read = |values: &[&str]| Accepted::read(values.iter().copied(), JSON).reply;
        assert!(read(&["text/html", "application/json"]));
        assert!(!read(&["*/*", "application/json;q=0"]));
        assert!(read(&[]));
    }

    #[test]
    fn a_content_type_is_one_type_in_utf_8() {
        for (content_type, is_ours) in [
            ("application/json", true),
            ("APPLICATION/Json", true),
            (" application/json ", true),
            ("application/json;charset=utf-8", true),
            ("application/json ; Charset = \"UTF-8\" ;", true),
            ("application/json;charset=\"ut\\f-8\"", true),
            ("application/json; version=1", true),
            ("application/json; charset=utf-16", false),
            ("application/json; charset=iso-8859-1", false),
            ("application/json; charset=utf-8; charset=latin1", false),
            ("application/json; charset=", false),
            ("application/json; charset", false),
            ("application/json; charset=\"\\\";utf-8\"", false),
            ("application/json; version=1 2", false),
            ("application/j son", false),
            ("application /json", false),
            ("application/json; charset=\"utf-8", false),
            ("application/json; charset=\"utf-8\"x", false),
            ("application/json, application/json", false),
            ("application/json, text/html", false),
            ("application/problem+json", false),
            ("application/ld+json", false),
            ("application/vnd.api+json", false),
            ("application/merge-patch+json", false),
            ("application/json-patch+json", false),
            ("application/jsonp", false),
            ("application/json/x", false),
            ("application", false),
            ("text/json", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(is_one_of(content_type, &["application/json"]), is_ours, "{content_type}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            accepted(&text);
            is_one_of(&text, &["application/json"]);
        }

        #[test]
        fn blanks_case_and_other_parameters_are_ignored(
            blanks in prop::collection::vec("[ \t]{0,2}", 6), zeros in "0{0,3}", value in "[a-z,;= ]{0,8}",
        ) {
            let [a, b, c, d, e, f] = <[String; 6]>::try_from(blanks).unwrap();
            let refused = format!("{a}Application/JSON{b};{c}x=\"{value}\";{d}Q{e}={f}0.{zeros}, */*");
            prop_assert_eq!(accepted(&refused), (false, false), "{}", refused);
            let taken = format!("{a}Application/JSON{b};{c}x=\"{value}\";{d}Charset{e}={f}UTF-8");
            prop_assert!(is_one_of(&taken, &["application/json"]), "{}", taken);
        }

        #[test]
        fn a_weight_is_zero_only_if_all_its_digits_are_zero(digits in "[0-9]{1,9}") {
            let weight = weight(&format!("0.{digits}")).unwrap();
            prop_assert_eq!(weight == 0, digits.bytes().all(|digit| digit == b'0'));
            prop_assert!(weight <= WHOLE);
        }
    }
}
