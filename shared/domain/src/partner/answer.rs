//! The partner's answer to a request for products.

use lifecycle::Rejection;
use serde::Deserialize;

use super::refused::{Meaning, meaning};
use super::{Consequence, PartnerProduct};
use crate::notices::UpstreamFailure;

/// An answer that is no list of products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAnswer {
    meaning: Meaning,
    code: Option<String>,
}

/// Reads the answer with this status and this body.
///
/// # Errors
///
/// When the partner refuses, or its answer is not what it should be.
pub fn read_products(status: u16, body: &[u8]) -> Result<Vec<PartnerProduct>, FailedAnswer> {
    #[derive(Deserialize)]
    struct Listed {
        products: Vec<PartnerProduct>,
    }
    if !(200..=202).contains(&status) {
        return Err(FailedAnswer::of(status, body));
    }
    let listed: Listed =
        serde_json::from_slice(body).map_err(|_| FailedAnswer::of(status, b"null"))?;
    Ok(listed.products)
}

impl FailedAnswer {
    /// A code is believed to be one only if it looks like one: `P08`.
    fn of(status: u16, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Refused {
            code: String,
        }
        let is_code = |code: &String| {
            let (letters, digits) = code.split_at_checked(1).unwrap_or_default();
            letters.bytes().all(|letter| letter.is_ascii_uppercase())
                && digits.len() == 2
                && digits.bytes().all(|digit| digit.is_ascii_digit())
        };
        let code = serde_json::from_slice(body).ok().map(|refused: Refused| refused.code);
        let code = code.filter(is_code);
        Self { meaning: meaning(status, code.as_deref()), code }
    }

    /// That there is no answer.
    pub fn missing() -> Self {
        Self::of(0, b"")
    }

    /// What follows from it for those that come after it.
    pub fn consequence(&self) -> Consequence {
        self.meaning.consequence
    }

    /// The partner's own code.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What operators are told of it; nothing where the partner works.
    pub fn kind(&self) -> Option<UpstreamFailure> {
        match self.meaning.consequence {
            Consequence::None => None,
            Consequence::TokenRefused => Some(UpstreamFailure::AuthenticationFailed),
            Consequence::Outage => Some(UpstreamFailure::Failed),
        }
    }

    /// What the client is told, the partner's own code among the details.
    pub fn rejection(&self) -> Rejection {
        let rejection = Rejection::from(self.meaning.refusal);
        match &self.code {
            Some(code) => rejection.at("upstream.code", code),
            None => rejection,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn products_are_read_whatever_else_is_said_of_them() {
        let body = json!({ "page": 1, "products": [{
            "sku": "SKU-1", "name": "Tea", "price": { "amount": 199, "currency": "EUR" },
            "available": true, "category": "tea",
        }]});
        let products = read_products(200, body.to_string().as_bytes()).unwrap();
        assert_eq!((products[0].sku.as_str(), products[0].price.amount.get()), ("SKU-1", 199));
    }

    #[test]
    fn an_answer_that_is_not_what_it_should_be_is_an_outage() {
        for body in [
            "",
            "<html>",
            "[]",
            r#"{"products": 1}"#,
            r#"{"products": [{"sku": "1", "name": "Tea", "available": true}]}"#,
            r#"{"products": [{"sku": "1", "name": "Tea", "available": true, "price": {"amount": 1.99, "currency": "EUR"}}]}"#,
        ] {
            let failed = read_products(200, body.as_bytes()).unwrap_err();
            assert_eq!(failed.consequence(), Consequence::Outage, "{body}");
            assert_eq!(failed.rejection().code, "PARTNER_ERROR");
        }
    }

    #[test]
    fn a_client_is_told_the_partners_code_only_if_it_is_one() {
        for (body, told) in [
            (json!({ "code": "U02", "message": "no" }), Some("U02")),
            (json!({ "code": "drop table", "message": "no" }), None),
            (json!({ "code": "É1", "message": "no" }), None),
            (json!({ "code": 7 }), None),
        ] {
            let failed = read_products(400, body.to_string().as_bytes()).unwrap_err();
            let details = failed.rejection().details;
            assert_eq!(details.first().map(|detail| detail.message.as_str()), told, "{body}");
        }
    }
}
