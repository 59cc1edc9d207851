//! What the partner's refusals mean: a table, the most specific rule first.

use crate::Refusal;

/// What a refusal is to the client, and what else follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) refusal: Refusal,
    pub(super) consequence: Consequence,
}

/// What follows from a refusal for those that come after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing: the partner works, and says no.
    None,
    /// The token that was sent is of no use any more.
    TokenRefused,
    /// The partner does not do what it is for: a failure for the circuit breaker.
    Outage,
}

/// What a rule looks at.
enum When {
    /// The partner's own code: a letter and a range of numbers.
    Code(char, u8, u8),
    /// The status.
    Status(u16),
    /// Nothing.
    Always,
}

/// The first rule that fits holds.
const RULES: [(When, Refusal, Consequence); 6] = [
    (When::Code('P', 8, 8), Refusal::PartnerForbidden, Consequence::TokenRefused),
    (When::Code('U', 1, 3), Refusal::BillNotValid, Consequence::None),
    (When::Code('P', 1, 19), Refusal::PartnerForbidden, Consequence::None),
    (When::Code('S', 0, 4), Refusal::ProductClosed, Consequence::None),
    (When::Status(401), Refusal::PartnerAuthenticationFailed, Consequence::TokenRefused),
    (When::Always, Refusal::PartnerError, Consequence::Outage),
];

/// What the partner's refusal means, by its status and its own code, if that is one: `P08`.
pub(super) fn meaning(status: u16, code: Option<&str>) -> Meaning {
    let number = |letter, code: &str| code.strip_prefix(letter)?.parse::<u8>().ok();
    let fits = |when: &When| match *when {
        When::Code(letter, first, last) => {
            let number = code.and_then(|code| number(letter, code));
            number.is_some_and(|number| (first..=last).contains(&number))
        }
        When::Status(wanted) => wanted == status,
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
        use Consequence::{None as Nothing, Outage, TokenRefused};
        use Refusal::{
            BillNotValid, PartnerAuthenticationFailed, PartnerError, PartnerForbidden,
            ProductClosed,
        };
        for (status, code, refusal, consequence) in [
            (403, Some("P08"), PartnerForbidden, TokenRefused),
            (401, Some("P08"), PartnerForbidden, TokenRefused),
            (403, Some("P01"), PartnerForbidden, Nothing),
            (403, Some("P07"), PartnerForbidden, Nothing),
            (500, Some("P19"), PartnerForbidden, Nothing),
            (403, Some("P00"), PartnerError, Outage),
            (403, Some("P20"), PartnerError, Outage),
            (400, Some("U01"), BillNotValid, Nothing),
            (400, Some("U03"), BillNotValid, Nothing),
            (400, Some("U04"), PartnerError, Outage),
            (409, Some("S00"), ProductClosed, Nothing),
            (409, Some("S04"), ProductClosed, Nothing),
            (409, Some("S05"), PartnerError, Outage),
            (401, None, PartnerAuthenticationFailed, TokenRefused),
            (401, Some("X01"), PartnerAuthenticationFailed, TokenRefused),
            (404, None, PartnerError, Outage),
            (429, None, PartnerError, Outage),
            (503, None, PartnerError, Outage),
        ] {
            let meaning = meaning(status, code);
            assert_eq!(meaning, Meaning { refusal, consequence }, "{status} {code:?}");
        }
    }
}
