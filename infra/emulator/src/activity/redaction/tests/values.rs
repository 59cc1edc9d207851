//! Headers and members, by their names.

use serde_json::json;

use super::{JWT, redaction};
use crate::activity::redaction::MASK;

#[test]
fn headers_with_secrets_are_hidden_by_their_names() {
    for name in [
        "authorization",
        "Authorization",
        "Proxy-Authorization",
        "cookie",
        "Set-Cookie",
        "x-api-key",
        "X-Origin-Verify",
        "x-amz-security-token",
        "x-csrf-token",
        "x-hub-signature-256",
        "stripe-signature",
        "x-client-secret",
        "x-old-password",
        "apikey",
        "x-access-key",
        "x-jwt",
        "X-Passwd",
        "x-passphrase",
        "X-Auth",
        "x-session-id",
        "x-hmac",
        "x-csrf",
        "x-forwarded-auth",
    ] {
        assert_eq!(redaction().header(name, "hush"), MASK, "{name}");
        assert_eq!(redaction().header(name, ""), "", "{name}");
    }
    for (name, value) in [
        ("content-type", "application/json"),
        ("idempotency-key", "018f6b1e-0000-7000-8000-000000000001"),
        ("etag", "\"3\""),
        ("host", "127.0.0.1:3000"),
        ("www-authenticate", "Bearer realm=\"shop\", error=\"invalid_token\""),
        ("access-control-allow-headers", "authorization, content-type"),
    ] {
        assert_eq!(redaction().header(name, value), value, "{name}");
    }
    assert_eq!(redaction().header("x-forwarded-by", &format!("Bearer {JWT}")), "Bearer •••");
}

#[test]
fn headers_and_parameters_in_an_event_are_hidden_as_those_of_a_request() {
    let event = |secret: &str| {
        json!({
            "headers": {"X-Origin-Verify": secret, "x-auth": secret, "accept": "*/*"},
            "multiValueHeaders": {"x-session-id": [secret, secret], "accept": ["a", "b"]},
            "queryStringParameters": {"sid": secret, "limit": "10", "tokenType": "Bearer"},
            "rawQueryString": format!("sid={secret}&limit=10"),
            "x-auth": "a member with another meaning",
        })
    };
    assert_eq!(redaction().json(event("hush")), event(MASK));
}

#[test]
fn members_are_hidden_by_their_names_in_any_style() {
    for name in [
        "password",
        "Password",
        "PASSWORD",
        "pass_word",
        "pass-word",
        "pass word",
        "newPassword",
        "password_hash",
        "userpasswd",
        "passphrase",
        "secret",
        "client_secret",
        "clientSecret",
        "SecretString",
        "token",
        "accessToken",
        "refresh-token",
        "TokenHash",
        "authorization",
        "Authorization",
        "cookie",
        "sessionCookie",
        "apiKey",
        "api_key",
        "x-api-key",
        "API-KEY",
        "signature",
        "X-Amz-Signature",
        "credential",
        "awsCredentials",
        "privateKey",
        "jwt",
        "otp",
        "user_otp",
        "verificationCode",
        "reset_code",
        "confirmation-code",
        "pasword",
        "passwort",
    ] {
        assert_eq!(redaction().json(json!({ name: "hush" })), json!({ name: MASK }), "{name}");
    }
}

#[test]
fn values_about_secrets_and_similar_names_are_shown() {
    let shown = json!({
        "tokenCount": 3,
        "token_count": "3",
        "maxTokens": 1000,
        "tokens": 12,
        "tokenType": "Bearer",
        "tokenId": "4711",
        "secretId": "local-SigningKeysSecret",
        "SecretArn": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:keys-abc",
        "passwordResetAt": "2026-11-26T10:00:00Z",
        "passwordChangedAt": 1_795_000_000,
        "tokenExpiresIn": 900,
        "tokenExpires": "2026-11-26",
        "hasPassword": true,
        "password": null,
        "secret": "",
        "cookieConsent": false,
        "secretary": "Ada",
        "tokenizer": "words",
        "footprint": "small",
        "code": "OUT_OF_STOCK",
        "countryCode": "DE",
        "zipCode": "12345",
        "statusCode": 404,
        "stages": {"authentication": 0.2, "authorization": 0.1},
        "error": {"code": "PASSWORD_RESET_SPENT", "message": "The password: must have 12 characters."},
        "action": "secretsmanager:GetSecretValue",
        "id": "018f6b1e-0000-7000-8000-000000000001",
    });
    assert_eq!(redaction().json(shown.clone()), shown);
}

#[test]
fn a_secret_in_the_form_of_a_harmless_name_is_hidden() {
    let hidden = json!({
        "passwordResetAt": "hush", "tokenCount": "hush", "password": 123_456, "verification": {
            "code": "hush1", "sentTo": "a@example.com",
        },
        "code": "48151623",
    });
    let expected = json!({
        "passwordResetAt": MASK, "tokenCount": MASK, "password": MASK, "verification": {
            "code": MASK, "sentTo": "a@example.com",
        },
        "code": MASK,
    });
    assert_eq!(redaction().json(hidden), expected);
}

#[test]
fn everything_below_a_secret_name_is_hidden() {
    let value = json!({
        "credentials": {"user": "ada", "password": "hush", "valid": true},
        "tokens": ["hush", {"value": "hush", "expiresAt": "2026-11-26T10:00:00Z"}],
        "cookies": [],
    });
    let expected = json!({
        "credentials": {"user": MASK, "password": MASK, "valid": true},
        "tokens": [MASK, {"value": MASK, "expiresAt": "2026-11-26T10:00:00Z"}],
        "cookies": [],
    });
    assert_eq!(redaction().json(value), expected);
}

#[test]
fn pairs_and_attributes_of_dynamodb_are_hidden_by_their_names() {
    let value = json!({
        "headers": [["x-api-key", "hush"], ["accept", "*/*"]],
        "list": [{"name": "Authorization", "value": "hush"}, {"name": "a", "value": "b"}],
        "Item": {
            "passwordHash": {"S": "hush"}, "tokenCount": {"N": "3"}, "pin": {"S": "x"},
            "passwordResetAt": {"N": "1795000000"}, "keys": {"M": {"apiKey": {"S": "hush"}}},
            "secrets": {"L": [{"S": "hush"}]}, "token": {"NULL": true},
        },
    });
    let expected = json!({
        "headers": [["x-api-key", MASK], ["accept", "*/*"]],
        "list": [{"name": "Authorization", "value": MASK}, {"name": "a", "value": "b"}],
        "Item": {
            "passwordHash": {"S": MASK}, "tokenCount": {"N": "3"}, "pin": {"S": "x"},
            "passwordResetAt": {"N": "1795000000"}, "keys": {"M": {"apiKey": {"S": MASK}}},
            "secrets": {"L": [{"S": MASK}]}, "token": {"NULL": true},
        },
    });
    assert_eq!(redaction().json(value), expected);
}

#[test]
fn values_of_an_expression_are_hidden_by_the_attributes_behind_them() {
    let value = json!({
        "UpdateExpression": "SET #p = :a, version = :b, #t = if_not_exists(#t, :c)",
        "ConditionExpression": "version = :d AND resetToken = :e",
        "ExpressionAttributeNames": {"#p": "passwordHash", "#t": "token", "#password": "password"},
        "ExpressionAttributeValues": {
            ":a": {"S": "hush"}, ":b": {"N": "4"}, ":c": {"S": "hush"}, ":d": {"N": "3"},
            ":e": {"S": "hush"},
        },
    });
    let redacted = redaction().json(value.clone());
    assert_eq!(redacted["UpdateExpression"], value["UpdateExpression"]);
    assert_eq!(redacted["ConditionExpression"], value["ConditionExpression"]);
    assert_eq!(redacted["ExpressionAttributeNames"], value["ExpressionAttributeNames"]);
    let expected = json!({
        ":a": {"S": MASK}, ":b": {"N": "4"}, ":c": {"S": MASK}, ":d": {"N": "3"}, ":e": {"S": MASK},
    });
    assert_eq!(redacted["ExpressionAttributeValues"], expected);
}

#[test]
fn json_inside_of_texts_is_redacted_at_any_depth() {
    let inner = json!({"token": "hush", "n": 1}).to_string();
    let outer = json!({"body": inner, "id": 7}).to_string();
    let redacted = redaction().json(json!({"Records": [{"body": outer}]}));
    let text = redacted.to_string();
    assert!(!text.contains("hush") && text.contains("•••") && text.contains("id"), "{text}");

    let untouched = json!({"body": "{ \"b\": 1, \"a\": 2 }"});
    assert_eq!(redaction().json(untouched.clone()), untouched, "spaces and order stay");
}
