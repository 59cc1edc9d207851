//! The body as an HTML form.

use std::marker::PhantomData;

use super::notes::Place;
use super::readable::Readable;
use super::{FORM, Input, Schemas, decoded, keep, read, strict};
use crate::error::{BodyOffer, FieldErrors, RequestError};
use crate::http::Request;
use crate::route::Route;

/// The body as an HTML form (`application/x-www-form-urlencoded`); an unknown field is a field
/// error.
///
/// Fields are as strictly typed as those of a JSON body, and field errors have the same places:
/// `/name`. A body of another media type is a 415. Forms with files (`multipart/form-data`) are not
/// read: see [`http`](crate::http#ways-in).
#[derive(Debug)]
pub struct Form<F>(PhantomData<F>);

impl<F: Readable> Input for Form<F> {
    type Value = F;

    fn read(
        request: &Request,
        _: &Route,
        field_errors: &mut FieldErrors,
    ) -> Result<Option<Self::Value>, RequestError> {
        if !request.body.is_empty() {
            let checked = request.check_body_is(&[FORM], BodyOffer::Form);
            checked.map_err(RequestError::UnsupportedMediaType)?;
        }
        let pairs: Vec<_> = decoded(&request.body).collect();
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        Ok(keep(read::pairs(Place::Form, pairs), field_errors))
    }

    fn describe(_: &Route, schemas: &mut Schemas) {
        schemas.body = Some(strict(schemars::schema_for!(F)));
        schemas.body_type = Some(FORM);
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    struct SignUp {
        full_name: String,
        copies: u8,
    }

    const ROUTE: Route = Route::post("/sign-ups");

    fn read(content_type: &str, body: &str) -> Result<(Option<SignUp>, FieldErrors), RequestError> {
        let event = json!({
            "rawPath": "/sign-ups", "body": body, "headers": { "content-type": content_type },
            "requestContext": { "http": { "method": "POST", "sourceIp": "192.0.2.1" } },
        });
        let request = Request::from_event(event.to_string().as_bytes(), &ROUTE).unwrap();
        let mut field_errors = FieldErrors::none();
        let value = Form::<SignUp>::read(&request, &ROUTE, &mut field_errors)?;
        Ok((value, field_errors))
    }

    #[test]
    fn a_form_is_decoded_and_as_strictly_typed_as_json() {
        let (value, _) = read(FORM, "fullName=Ada+L%C3%B6w&copies=2").unwrap();
        assert_eq!(value, Some(SignUp { full_name: "Ada Löw".to_owned(), copies: 2 }));
        for (body, expected) in [
            ("", &[("/copies", "is required"), ("/fullName", "is required")][..]),
            ("fullName=a&copies=many", &[("/copies", "must be a whole number")]),
            ("fullName=a&copies=1&x=", &[("/x", "is not a known field")]),
            ("fullName=a&copies=1&copies=2", &[("/copies", "must not be repeated")]),
            ("fullName=%FF&copies=1", &[("/fullName", "must be UTF-8")]),
        ] {
            let (value, field_errors) = read(FORM, body).unwrap();
            assert_eq!(value, None, "{body}");
            let (details, _) = field_errors.into_details();
            let details = details.iter().map(|found| (&found.field[..], &found.message[..]));
            assert_eq!(details.collect::<Vec<_>>(), expected, "{body}");
        }
    }

    #[test]
    fn a_body_of_another_type_is_offered_a_form() {
        for content_type in ["application/json", "multipart/form-data; boundary=x", "text/plain"] {
            let refused = read(content_type, "fullName=a&copies=1").unwrap_err();
            let is_offered = matches!(refused, RequestError::UnsupportedMediaType(BodyOffer::Form));
            assert!(is_offered, "{content_type}");
        }
    }

    #[test]
    fn a_form_is_described_with_its_media_type() {
        let mut schemas = Schemas::default();
        Form::<SignUp>::describe(&ROUTE, &mut schemas);
        assert_eq!(schemas.body_offer(false), Some(BodyOffer::Form));
        let schemas = serde_json::to_value(schemas).unwrap();
        assert_eq!(schemas["bodyType"], FORM);
        assert_eq!(schemas["body"]["additionalProperties"], false);
    }
}
