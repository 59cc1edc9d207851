//! W3C trace context, incoming and outgoing; AWS X-Ray's header is accepted too.

use std::fmt;

use crate::hash::hex;
use crate::random::Draw;

/// The trace and the span of a request.
///
/// ```
/// use lifecycle::telemetry::TraceContext;
/// let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let context = TraceContext::continued(Some(parent), None, None);
/// assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
/// assert!(context.to_string().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    sampled: bool,
    state: Option<String>,
}

impl TraceContext {
    /// Starts a new span in the client's trace if its `traceparent` is valid. Otherwise in X-Ray's
    /// trace if there is one, or in a new trace.
    ///
    /// The flags of the client's `traceparent` decide whether the trace is recorded. `Sampled` of
    /// X-Ray's header is ignored: Lambda sets it by its own sampling rules, and to 0 where
    /// active tracing is off.
    pub fn continued(parent: Option<&str>, state: Option<&str>, x_ray: Option<&str>) -> Self {
        Self::continued_with(parent, state, x_ray, &mut Draw::new())
    }

    /// The same, with ids from a draw.
    pub(crate) fn continued_with(
        parent: Option<&str>,
        state: Option<&str>,
        x_ray: Option<&str>,
        draw: &mut Draw,
    ) -> Self {
        let span_id = hex(&draw.take::<8>());
        let state = state.map(str::trim).filter(|state| is_state(state)).map(str::to_owned);
        match (parent.and_then(of_traceparent), x_ray.and_then(of_x_ray)) {
            (Some((trace_id, parent, sampled)), _) => {
                Self { trace_id, span_id, parent_span_id: Some(parent), sampled, state }
            }
            (None, Some((trace_id, parent))) => {
                Self { trace_id, span_id, parent_span_id: parent, sampled: true, state: None }
            }
            (None, None) => {
                let trace_id = draw.uuid_v7().simple().to_string();
                Self { trace_id, span_id, parent_span_id: None, sampled: true, state: None }
            }
        }
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        &self.span_id
    }

    /// The parent span.
    pub fn parent_span_id(&self) -> Option<&str> {
        self.parent_span_id.as_deref()
    }

    /// Whether the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// The `tracestate` to pass on unchanged; an invalid one is dropped.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// The `traceparent` to pass on.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// `version-trace-parent-flags`; versions after 00 may append more, and `ff` is not allowed.
fn of_traceparent(header: &str) -> Option<(String, String, bool)> {
    let mut fields = header.trim().split('-');
    let (version, trace, parent, flags) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let known =
        is_hex(version, 2) && version != "ff" && (version != "00" || fields.next().is_none());
    let valid = known && is_id(trace, 32) && is_id(parent, 16) && is_hex(flags, 2);
    let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
    valid.then(|| (trace.to_owned(), parent.to_owned(), sampled))
}

/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`
fn of_x_ray(header: &str) -> Option<(String, Option<String>)> {
    let field = |name: &str| {
        header.split(';').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let trace: String = field("Root")?.strip_prefix("1-")?.split('-').collect();
    let parent = field("Parent").filter(|parent| is_id(parent, 16)).map(str::to_owned);
    is_id(&trace, 32).then_some((trace, parent))
}

/// The longest `tracestate` that is passed on, in characters (W3C Trace Context, 3.3.1.5).
const STATE_CHARS_MAX: usize = 512;
/// The most members of a `tracestate` (W3C Trace Context, 3.3.1.1).
const STATE_MEMBERS_MAX: usize = 32;
/// The longest key, and the longest value, of a member.
const MEMBER_CHARS_MAX: usize = 256;

/// Whether a text is a valid `tracestate` within the limits: `key=value` members separated by
/// commas, with distinct keys. Members may be empty, but not all of them.
pub(crate) fn is_state(text: &str) -> bool {
    // The keys are compared pairwise, so the limits come first.
    let within = text.len() <= STATE_CHARS_MAX && text.split(',').count() <= STATE_MEMBERS_MAX;
    if !within {
        return false;
    }
    let members = text.split(',').map(|member| member.trim_matches([' ', '\t']));
    let named = members.filter(|member| !member.is_empty());
    let keys: Option<Vec<&str>> = named.map(key_of_member).collect();
    let Some(keys) = keys else { return false };
    let repeated = keys.iter().enumerate().any(|(index, key)| keys[..index].contains(key));
    !keys.is_empty() && !repeated
}

/// Returns the key of a member if key and value are valid.
fn key_of_member(member: &str) -> Option<&str> {
    let (key, value) = member.split_once('=')?;
    let in_key =
        |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    let begins =
        key.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
    let in_value = |byte| matches!(byte, b' '..=b'~') && byte != b'=';
    let fits = |text: &str| (1..=MEMBER_CHARS_MAX).contains(&text.len());
    let valid = begins && fits(key) && fits(value);
    (valid && key.bytes().all(in_key) && value.bytes().all(in_value)).then_some(key)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn a_valid_parent_is_continued_with_a_new_span() {
        let parent = format!("00-{TRACE}-b7ad6b7169203331-00");
        let context = TraceContext::continued(Some(&parent), Some("vendor=1"), None);
        assert_eq!(context.trace_id(), TRACE);
        assert_eq!(context.parent_span_id(), Some("b7ad6b7169203331"));
        assert_eq!((context.is_sampled(), context.state()), (false, Some("vendor=1")));
        assert_ne!(context.span_id(), "b7ad6b7169203331");
    }

    #[test]
    fn an_invalid_traceparent_starts_a_new_trace() {
        for parent in [
            "",
            "00",
            &format!("00-{TRACE}-b7ad6b7169203331"),
            &format!("ff-{TRACE}-b7ad6b7169203331-01"),
            &format!("00-{TRACE}-b7ad6b7169203331-01-more"),
            &format!("00-{TRACE}-0000000000000000-01"),
            &format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()),
        ] {
            let context = TraceContext::continued(Some(parent), Some("vendor=1"), None);
            assert_ne!(context.trace_id(), TRACE, "{parent}");
            assert_eq!(context.state(), None, "{parent}");
        }
    }

    #[test]
    fn a_tracestate_beyond_the_w3c_limits_is_dropped_and_the_trace_continues() {
        let members =
            |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        for (state, kept) in [
            ("vendor=1", true),
            ("a=1, b@c=2,\t0d=3", true),
            ("a=1,,b=2", true),
            (&members(32), true),
            (&members(33), false),
            (&format!("a={},b={}", "x".repeat(256), "x".repeat(251)), true),
            (&format!("a={},b={}", "x".repeat(256), "x".repeat(252)), false),
            (&format!("a={}", "x".repeat(257)), false),
            ("a=1,a=2", false),
            ("A=1", false),
            ("_a=1", false),
            ("a", false),
            ("a=", false),
            ("=1", false),
            ("a=1=2", false),
            ("a=ä", false),
            ("", false),
            (",", false),
        ] {
            let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
            let context = TraceContext::continued(Some(&parent), Some(state), None);
            assert_eq!(context.state(), kept.then_some(state), "{state:?}");
            assert_eq!(context.trace_id(), TRACE, "{state:?}");
        }
    }

    #[test]
    fn a_long_tracestate_is_dropped_without_comparing_its_keys() {
        let members: Vec<String> = (0..150_000).map(|n| format!("k{n}=1")).collect();
        let text = members.join(",");
        let began = tokio::time::Instant::now();
        assert!(!is_state(&text));
        assert!(began.elapsed() < std::time::Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[test]
    fn an_x_ray_trace_is_continued_and_recorded_despite_sampled_0() {
        for sampled in ["", ";Sampled=0", ";Sampled=1", ";Sampled=?", ";Sampled=0;Lineage=1:2:3"] {
            let root = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8";
            let header = format!("{root}{sampled}");
            let context = TraceContext::continued(None, None, Some(&header));
            assert_eq!(context.trace_id(), "5759e988bd862e3fe1be46a994272793");
            assert_eq!(context.parent_span_id(), Some("53995c3f42cd8ad8"));
            assert!(context.is_sampled(), "{header}");
            assert!(context.to_string().ends_with("-01"), "outgoing traceparent: {header}");
        }
    }

    #[test]
    fn only_the_flags_of_traceparent_disable_recording() {
        let x_ray = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
        for (flags, sampled) in [("00", false), ("01", true), ("03", true), ("02", false)] {
            let parent = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
            let context = TraceContext::continued(Some(&parent), None, x_ray);
            assert_eq!(context.is_sampled(), sampled, "{flags}");
        }
        assert!(TraceContext::continued(None, None, None).is_sampled());
        assert!(TraceContext::continued(Some("nonsense-00"), None, None).is_sampled());
    }
}
