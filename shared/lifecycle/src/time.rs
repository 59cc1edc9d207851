//! Time on the wire: RFC 3339, UTC, milliseconds.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, to the millisecond: `2026-01-31T23:59:59.000Z`.
///
/// ```
/// use lifecycle::Timestamp;
/// let at: Timestamp = "2026-01-31T23:59:59Z".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-01-31T23:59:59.000Z");
/// assert_eq!(at.plus_seconds(1).to_string(), "2026-02-01T00:00:00.000Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z; values out of range become the nearest limit.
    pub fn from_millis(millis: i64) -> Self {
        let end = if millis < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Self(jiff::Timestamp::from_millisecond(millis).unwrap_or(end))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, as in JWT and the store's time to live.
    pub fn as_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Returns the time this many seconds later; earlier if negative.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_millis(self.as_millis().saturating_add(seconds.saturating_mul(1000)))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser also takes other forms of ISO 8601, such as a blank in place of the `T`, and
        // names of zones.
        let is_rfc_3339 = matches!(text.as_bytes().get(10), Some(b'T' | b't'))
            && text.as_bytes().get(16) == Some(&b':')
            && !text.contains('[');
        if !is_rfc_3339 {
            return Err(jiff::Error::from_args(format_args!("no RFC 3339 time")));
        }
        let exact: jiff::Timestamp = text.parse()?;
        Ok(Self::from_millis(exact.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom("expected an RFC 3339 time"))
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_of_rfc_3339_are_read() {
        for text in
            ["2026-03-01T12:00:00Z", "2026-03-01t13:00:00.000+01:00", "2026-03-01T12:00:00.0z"]
        {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), "2026-03-01T12:00:00.000Z");
        }
        for text in [
            "",
            "2026-03-01",
            "2026-03-01 12:00:00Z",
            "2026-03-01T12:00Z",
            "20260301T120000Z",
            "2026-03-01T12:00:00",
            "2026-03-01T12:00:00+01:00[Europe/Berlin]",
            "+002026-03-01T12:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_schema_has_the_format_of_a_time_at_its_place() {
        let schema = SchemaGenerator::default().subschema_for::<Timestamp>();
        assert_eq!(
            schema.to_value(),
            serde_json::json!({ "type": "string", "format": "date-time" })
        );
        assert_eq!(schemars::schema_for!(Timestamp).get("title").unwrap(), "Timestamp");
    }

    #[test]
    fn a_time_out_of_range_becomes_the_nearest_limit() {
        for (millis, year) in [(i64::MIN, "-009999"), (i64::MAX, "9999")] {
            let time = Timestamp::from_millis(millis);
            assert!(time.to_string().starts_with(year), "{time}");
            assert_eq!(format!("{time:?}"), time.to_string());
        }
    }
}
