//! The meaning of the partner's refusals: a table, the most specific rule first.

use lifecycle::ErrorCode;
use lifecycle::upstream_call::FailureClass;

use crate::error_codes;

/// The error for the client, and the consequence for later requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) refusal: ErrorCode,
    pub(super) consequence: FailureClass,
}

/// The condition of a rule.
enum When {
    /// The partner's own code: a letter and a range of numbers.
    Code(char, u8, u8),
    /// The status.
    Status(u16),
    /// Any status from 400 to 499.
    ClientError,
    /// No condition.
    Always,
}

/// The first rule that fits holds.
const RULES: [(When, ErrorCode, FailureClass); 8] = [
    (When::Code('P', 8, 8), error_codes::PARTNER_FORBIDDEN, FailureClass::TokenRefused),
    (When::Code('U', 1, 3), error_codes::BILL_NOT_VALID, FailureClass::None),
    (When::Code('P', 1, 19), error_codes::PARTNER_FORBIDDEN, FailureClass::None),
    (When::Code('S', 0, 4), error_codes::PRODUCT_CLOSED, FailureClass::None),
    (When::Status(401), error_codes::PARTNER_AUTHENTICATION_FAILED, FailureClass::TokenRefused),
    (When::Status(429), error_codes::PARTNER_ERROR, FailureClass::Busy),
    // A client may have caused it, so it must not cut off all the others.
    (When::ClientError, error_codes::PARTNER_ERROR, FailureClass::None),
    (When::Always, error_codes::PARTNER_ERROR, FailureClass::Outage),
];

/// The meaning of a refusal, by its status and the partner's code, if there is one: `P08`.
pub(super) fn meaning(status: u16, code: Option<&str>) -> Meaning {
    let number = |letter, code: &str| code.strip_prefix(letter)?.parse::<u8>().ok();
    let fits = |when: &When| match *when {
        When::Code(letter, first, last) => {
            let number = code.and_then(|code| number(letter, code));
            number.is_some_and(|number| (first..=last).contains(&number))
        }
        When::Status(wanted) => wanted == status,
        When::ClientError => (400..500).contains(&status),
        When::Always => true,
    };
    let (_, refusal, consequence) =
        RULES.iter().find(|(when, ..)| fits(when)).expect("the last rule always fits");
    Meaning { refusal: *refusal, consequence: *consequence }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_rule_holds() {
        use crate::error_codes::{
            BILL_NOT_VALID, PARTNER_AUTHENTICATION_FAILED, PARTNER_ERROR, PARTNER_FORBIDDEN,
            PRODUCT_CLOSED,
        };
        use FailureClass::{Busy, None as Nothing, Outage, TokenRefused};
        for (status, code, refusal, consequence) in [
            (403, Some("P08"), PARTNER_FORBIDDEN, TokenRefused),
            (401, Some("P08"), PARTNER_FORBIDDEN, TokenRefused),
            (403, Some("P01"), PARTNER_FORBIDDEN, Nothing),
            (403, Some("P07"), PARTNER_FORBIDDEN, Nothing),
            (500, Some("P19"), PARTNER_FORBIDDEN, Nothing),
            (403, Some("P00"), PARTNER_ERROR, Nothing),
            (403, Some("P20"), PARTNER_ERROR, Nothing),
            (400, Some("U01"), BILL_NOT_VALID, Nothing),
            (400, Some("U03"), BILL_NOT_VALID, Nothing),
            (400, Some("U04"), PARTNER_ERROR, Nothing),
            (409, Some("S00"), PRODUCT_CLOSED, Nothing),
            (409, Some("S04"), PRODUCT_CLOSED, Nothing),
            (409, Some("S05"), PARTNER_ERROR, Nothing),
            (401, None, PARTNER_AUTHENTICATION_FAILED, TokenRefused),
            (401, Some("X01"), PARTNER_AUTHENTICATION_FAILED, TokenRefused),
            (400, None, PARTNER_ERROR, Nothing),
            (404, None, PARTNER_ERROR, Nothing),
            (408, None, PARTNER_ERROR, Nothing),
            (422, Some("X01"), PARTNER_ERROR, Nothing),
            (499, None, PARTNER_ERROR, Nothing),
            (429, None, PARTNER_ERROR, Busy),
            (429, Some("X01"), PARTNER_ERROR, Busy),
            (429, Some("P05"), PARTNER_FORBIDDEN, Nothing),
            (0, None, PARTNER_ERROR, Outage),
            (204, None, PARTNER_ERROR, Outage),
            (302, None, PARTNER_ERROR, Outage),
            (500, None, PARTNER_ERROR, Outage),
            (500, Some("U04"), PARTNER_ERROR, Outage),
            (503, None, PARTNER_ERROR, Outage),
            (599, None, PARTNER_ERROR, Outage),
        ] {
            let meaning = meaning(status, code);
            assert_eq!(meaning, Meaning { refusal, consequence }, "{status} {code:?}");
        }
    }
}
