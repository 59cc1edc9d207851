//! Currencies, by the codes of ISO 4217.

use std::fmt;

use serde::{Serialize, Serializer};

/// A currency by its three-letter code (ISO 4217): `EUR`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(&'static str);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self("EUR");

    /// How many decimal digits the minor unit stands for: 2 for `EUR`, 0 for `JPY`.
    pub const fn minor_digits(self) -> u32 {
        match self.0.as_bytes() {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        CODES
            .binary_search(&raw.as_str())
            .map(|index| Self(CODES[index]))
            .map_err(|_| "must be a currency code of ISO 4217")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

lifecycle::checked!(Currency, String, { "title": "Currency", "type": "string", "enum": CODES });

/// The currencies of ISO 4217 that money is counted in, in alphabetical order. Precious metals,
/// bond units, special drawing rights and the codes for tests and for no currency are left out.
#[rustfmt::skip]
const CODES: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN",
    "BHD", "BIF", "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD",
    "CDF", "CHE", "CHF", "CHW", "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CUP", "CVE", "CZK",
    "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS",
    "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD",
    "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD",
    "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT",
    "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK",
    "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD",
    "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP",
    "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS",
    "UAH", "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED", "VES", "VND", "VUV", "WST",
    "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_sorted_and_have_three_capitals() {
        assert!(CODES.is_sorted());
        assert!(CODES.iter().all(|code| {
            code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase())
        }));
    }

    #[test]
    fn only_codes_spelled_as_in_iso_4217_are_accepted() {
        for (raw, taken) in [
            ("EUR", true),
            ("AED", true),
            ("ZWG", true),
            ("eur", false),
            ("EURO", false),
            ("XXX", false),
        ] {
            assert_eq!(Currency::try_from(raw.to_owned()).is_ok(), taken, "{raw}");
        }
    }

    #[test]
    fn a_currency_is_shown_and_logged_as_its_code() {
        assert_eq!(format!("{0} {0:?}", Currency::EUR), "EUR EUR");
    }

    #[test]
    fn minor_units_have_the_digits_of_the_standard() {
        for (code, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)] {
            assert_eq!(
                Currency::try_from(code.to_owned()).unwrap().minor_digits(),
                digits,
                "{code}"
            );
        }
    }
}
