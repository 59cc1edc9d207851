//! The partner's response to a request for products.

use std::borrow::Cow;

use lifecycle::DomainError;
use lifecycle::upstream_call::{FailedCall, FailureClass};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::refused::{Meaning, meaning};
use super::{PageSize, PartnerProduct, Sku};

/// A response that is no list of products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedResponse {
    meaning: Meaning,
    code: Option<String>,
}

/// A page of the partner's catalogue, as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The products that could be read, in the partner's order.
    pub products: Vec<PartnerProduct>,
    /// The products that could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// A product of the partner that is left out of its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its place in the page, from 0.
    pub place: usize,
    /// Its id, if that can be read.
    pub sku: Option<Sku>,
    /// The kind and the place of the error, without data of the product.
    pub mistake: String,
}

/// From this many unreadable products on, a page without a readable one is an outage. The client
/// chooses the page, so a few bad products must not make one: any client could cut off all others.
const OUTAGE_FROM: usize = 10;

/// Reads the response with this status and this body to a request for at most `wanted` products.
/// Further products are not read.
///
/// An unreadable product is left out, and the others are still read.
///
/// # Errors
///
/// If the partner refuses, or its response is no list of products, or no product of the list can be
/// read.
pub fn read_products(status: u16, body: &[u8], wanted: PageSize) -> Result<Page, FailedResponse> {
    #[derive(Deserialize)]
    struct Listed<'a> {
        #[serde(borrow)]
        products: Vec<&'a RawValue>,
    }
    if !(200..=202).contains(&status) {
        return Err(FailedResponse::of(status, body));
    }
    let unreadable = || FailedResponse::of(status, b"null");
    // Invalid UTF-8 makes only the product that contains it unreadable.
    let text = String::from_utf8_lossy(body);
    let is_damaged = |product: &RawValue| {
        matches!(text, Cow::Owned(_)) && product.get().contains(char::REPLACEMENT_CHARACTER)
    };
    let listed: Listed<'_> = serde_json::from_str(&text).map_err(|_| unreadable())?;
    let wanted = usize::try_from(wanted.get()).unwrap_or(usize::MAX);
    let mut page = Page::default();
    for (place, product) in listed.products.into_iter().take(wanted).enumerate() {
        match serde_json::from_str(product.get()) {
            Ok(product_read) if !is_damaged(product) => page.products.push(product_read),
            Ok(_) => page.unreadable.push(Unreadable::at(place, product, "bytes that are no text")),
            Err(error) => {
                let mistake = format!("{:?} error in column {}", error.classify(), error.column());
                page.unreadable.push(Unreadable::at(place, product, &mistake));
            }
        }
    }
    match page.unreadable.len() {
        left_out if page.products.is_empty() && left_out > 0 => {
            let mut failed = unreadable();
            if left_out < OUTAGE_FROM {
                failed.meaning.consequence = FailureClass::None;
            }
            Err(failed)
        }
        _ => Ok(page),
    }
}

impl Unreadable {
    fn at(place: usize, product: &RawValue, mistake: &str) -> Self {
        #[derive(Deserialize)]
        struct Named {
            sku: Sku,
        }
        let named: Option<Named> = serde_json::from_str(product.get()).ok();
        Self { place, sku: named.map(|named| named.sku), mistake: mistake.to_owned() }
    }
}

impl FailedResponse {
    /// A code counts only if it has the form of one: `P08`.
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

    /// The error for the client, with the partner's code in its details.
    pub fn rejection(&self) -> DomainError {
        let rejection = DomainError::from(self.meaning.refusal);
        match &self.code {
            Some(code) => rejection.at("upstream.code", code),
            None => rejection,
        }
    }
}

impl FailedCall for FailedResponse {
    fn missing() -> Self {
        Self::of(0, b"")
    }

    fn class(&self) -> FailureClass {
        self.meaning.consequence
    }

    fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn products_with_unknown_fields_are_read() {
        let body = json!({ "page": 1, "products": [{
            "sku": "SKU-1", "name": "Tea", "price": { "amount": 199, "currency": "EUR" },
            "available": true, "category": "tea",
        }]});
        let products = read(&body.to_string()).unwrap().products;
        assert_eq!((products[0].sku.as_str(), products[0].price.amount.get()), ("SKU-1", 199));
    }

    #[test]
    fn a_response_without_a_readable_list_is_an_outage() {
        for body in [
            "",
            "<html>",
            "[]",
            r#"{"products": 1}"#,
            r#"{"products": [], "products": []}"#,
            r#"{"products": []"#,
            r#"{"products": [0,1,2,3,4,5,6,7,8,9]}"#,
        ] {
            let failed = read(body).unwrap_err();
            assert_eq!(failed.class(), FailureClass::Outage, "{body}");
            assert_eq!(failed.rejection().code, "PARTNER_ERROR");
        }
        assert_eq!(read(r#"{"products": []}"#), Ok(Page::default()), "a page beyond the last");
    }

    #[test]
    fn a_page_of_a_few_unreadable_products_is_an_error_but_no_outage() {
        for body in [
            r#"{"products": [1]}"#,
            r#"{"products": [0,1,2,3,4,5,6,7,8]}"#,
            r#"{"products": [{"sku": "1", "name": "Tea", "available": true}]}"#,
            r#"{"products": [{"sku": "1", "name": "Tea", "available": true, "price": {"amount": 1.99, "currency": "EUR"}}]}"#,
        ] {
            let failed = read(body).unwrap_err();
            assert_eq!(failed.class(), FailureClass::None, "{body}");
            assert_eq!(failed.rejection().code, "PARTNER_ERROR");
        }
    }

    #[test]
    fn only_an_outage_of_the_partner_is_an_outage() {
        let no_code = r#"{"message":"no"}"#;
        let one_odd = r#"{"products":[{"sku":"odd"},{"sku":"1","name":"Tea","price":{"amount":1,"currency":"EUR"},"available":true}]}"#;
        let all_odd = r#"{"products":[{"sku":"odd"},null]}"#;
        for (what, status, body, class) in [
            ("products", 200, r#"{"products":[]}"#, None),
            ("no", 403, r#"{"code":"P01"}"#, Some(FailureClass::None)),
            ("a token refused", 401, "", Some(FailureClass::TokenRefused)),
            ("no such page", 404, "", Some(FailureClass::None)),
            ("a bad request", 400, no_code, Some(FailureClass::None)),
            ("too many requests", 429, "", Some(FailureClass::Busy)),
            ("one odd product", 200, one_odd, None),
            ("odd products alone", 200, all_odd, Some(FailureClass::None)),
            ("nonsense", 200, "{}", Some(FailureClass::Outage)),
            ("a failure", 502, "", Some(FailureClass::Outage)),
        ] {
            let failed = read_products(status, body.as_bytes(), PageSize::default()).err();
            assert_eq!(failed.map(|failed| failed.class()), class, "{what}");
        }
        assert_eq!(FailedResponse::missing().class(), FailureClass::Outage);
    }

    #[test]
    fn only_a_code_as_the_partner_documents_it_is_kept() {
        for (body, code) in [
            (r#"{"code":"P01"}"#, Some("P01")),
            (r#"{"code":"p01"}"#, None),
            (r#"{"code":"P1"}"#, None),
            (r#"{"code":"P0a"}"#, None),
            (r#"{"code":"PP01"}"#, None),
            ("{}", None),
        ] {
            let refused = read_products(403, body.as_bytes(), PageSize::default()).unwrap_err();
            assert_eq!(refused.code(), code, "{body}");
        }
    }

    #[test]
    fn an_unreadable_product_is_left_out_of_its_page_and_named() {
        let good = br#"{"sku":"SKU-1","name":"Tea","price":{"amount":199,"currency":"EUR"},"available":true}"#;
        let deep =
            [&b"{\"sku\":\"odd\",\"more\":"[..], &b"[".repeat(4_000), &b"]".repeat(4_000), b"}"];
        for (odd, sku) in [
            (&b"null"[..], None),
            (b"{}", None),
            (b"[[]]", None),
            (br#"{"sku":"odd"}"#, Some("odd")),
            (br#"{"sku":7,"name":"Tea","price":{"amount":1,"currency":"EUR"},"available":true}"#, None),
            (br#"{"sku":"odd","name":"Tea","price":{"amount":1,"currency":"XTS"},"available":true}"#, Some("odd")),
            (br#"{"sku":"odd","name":"Tea","price":{"amount":1e400,"currency":"EUR"},"available":true}"#, Some("odd")),
            (br#"{"sku":"odd","name":"Tea","price":{"amount":-1,"currency":"EUR"},"available":true}"#, Some("odd")),
            (br#"{"sku":"odd","name":"\ud800","price":{"amount":1,"currency":"EUR"},"available":true}"#, Some("odd")),
            (br#"{"sku":"odd","sku":"odd","name":"Tea","price":{"amount":1,"currency":"EUR"},"available":true}"#, None),
            (b"{\"sku\":\"odd\",\"name\":\"T\xff\",\"price\":{\"amount\":1,\"currency\":\"EUR\"},\"available\":true}", Some("odd")),
            (&deep.concat(), Some("odd")),
        ] {
            let body = [b"{\"products\":[", &good[..], b",", odd, b",", good, b"]}"].concat();
            let told = String::from_utf8_lossy(&odd[..odd.len().min(120)]);
            let page = read_products(200, &body, PageSize::MAX).unwrap();
            assert_eq!(page.products.len(), 2, "{told}");
            let [left_out] = &page.unreadable[..] else { panic!("{told}: {page:?}") };
            assert_eq!((left_out.place, left_out.sku.as_ref().map(Sku::as_str)), (1, sku), "{told}");
        }
    }

    #[test]
    fn no_more_products_are_read_than_were_asked_for() {
        let body = format!(r#"{{"products":[{}0]}}"#, "0,".repeat(500_000));
        assert_eq!(read(&body).unwrap_err().class(), FailureClass::Outage);
        let tea =
            r#"{"sku":"1","name":"Tea","price":{"amount":1,"currency":"EUR"},"available":true}"#;
        let body = format!(r#"{{"products":[{tea}{}]}}"#, ",0".repeat(500_000));
        let page = read(&body).unwrap();
        assert_eq!((page.products.len(), page.unreadable.len()), (1, 99));
    }

    fn read(body: &str) -> Result<Page, FailedResponse> {
        read_products(200, body.as_bytes(), PageSize::MAX)
    }

    #[test]
    fn the_error_has_the_partners_code_only_if_it_has_the_form_of_one() {
        for (body, told) in [
            (json!({ "code": "U02", "message": "no" }), Some("U02")),
            (json!({ "code": "drop table", "message": "no" }), None),
            (json!({ "code": "É1", "message": "no" }), None),
            (json!({ "code": 7 }), None),
        ] {
            let failed = read_products(400, body.to_string().as_bytes(), PageSize::MAX);
            let failed = failed.unwrap_err();
            let details = failed.rejection().details;
            assert_eq!(details.first().map(|detail| detail.message.as_str()), told, "{body}");
        }
    }
}
