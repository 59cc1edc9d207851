//! Countries, by the codes of ISO 3166-1.

use std::fmt;

use serde::{Serialize, Serializer};

/// A country by its two-letter code (ISO 3166-1 alpha-2): `DE`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode(&'static str);

impl TryFrom<String> for CountryCode {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        CODES
            .binary_search(&raw.as_str())
            .map(|index| Self(CODES[index]))
            .map_err(|_| "must be a country code of ISO 3166-1 alpha-2")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for CountryCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

lifecycle::checked!(CountryCode, String, { "title": "CountryCode", "type": "string", "enum": CODES });

/// The officially assigned codes, in alphabetical order.
#[rustfmt::skip]
const CODES: &[&str] = &[
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX",
    "AZ", "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ",
    "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK",
    "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM",
    "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR",
    "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS",
    "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN",
    "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN",
    "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV",
    "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ",
    "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI",
    "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM",
    "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC",
    "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV",
    "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR",
    "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI",
    "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_249_codes_of_two_capitals_sorted() {
        assert_eq!(CODES.len(), 249);
        assert!(CODES.is_sorted());
        assert!(CODES.iter().all(|code| {
            code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_uppercase())
        }));
    }

    #[test]
    fn a_country_is_shown_and_logged_as_its_code() {
        let germany = CountryCode::try_from("DE".to_owned()).unwrap();
        assert_eq!(format!("{germany} {germany:?}"), "DE DE");
    }

    #[test]
    fn only_codes_spelled_as_in_iso_3166_1_are_accepted() {
        for (raw, taken) in
            [("DE", true), ("AD", true), ("ZW", true), ("de", false), ("DEU", false), ("UK", false)]
        {
            assert_eq!(CountryCode::try_from(raw.to_owned()).is_ok(), taken, "{raw}");
        }
    }
}
