//! Texts, links and paths, by their forms.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::{JWT, redaction};
use crate::activity::redaction::MASK;
use crate::activity::view::Pair;

const ARGON2: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$Fm9ybWVkSGFzaA";
const BCRYPT: &str = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";

/// A text in which `hush` may not be left, and the rest is as expected.
fn assert_text(text: &str, expected: &str) {
    assert_eq!(redaction().text(text), expected, "{text}");
}

#[test]
fn texts_lose_tokens_hashes_and_keys_by_their_form() {
    for secret in [JWT, ARGON2, BCRYPT] {
        assert_text(&format!("a {secret} b"), "a ••• b");
        assert_text(&format!("\\n{secret}\\n"), "\\n•••\\n");
        assert_text(&format!("\"{secret}\""), "\"•••\"");
    }
    assert_text(&format!("x={JWT}&y=1"), "x=•••&y=1");
    assert_text("Bearer abc.def-123~+/==", "Bearer •••");
    assert_text("bearer%20abcdef; BEARER abcdef", "bearer%20•••; BEARER •••");
    assert_text(&format!("Basic {}", STANDARD.encode("ada:hush")), "Basic •••");
    assert_text("a basic understanding of bearers", "a basic understanding of bearers");
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIhush\n-----END PRIVATE KEY-----";
    assert_text(&format!("a\n{pem}\nb {pem}"), "a\n•••\nb •••");
    assert_text("a -----BEGIN PRIVATE KEY-----\\nMIIhush", "a •••");
    assert_text("eyJ is no token, and costs $5 or $2a$", "eyJ is no token, and costs $5 or $2a$");
}

#[test]
fn parameters_of_links_that_give_access_lose_random_values() {
    const GRANT: &str = "0YtlSFvwCNNQVafZwaIoGrSRIh6jukyQ5Pmn4Iao3do";
    for before in
        ["http://a.example/articles/1?share=", "/articles/1?a=b&share=", "?a=b&amp;invite="]
    {
        assert_text(&format!("{before}{GRANT}"), &format!("{before}•••"));
        assert_text(&format!("{before}{GRANT}&b=1."), &format!("{before}•••&b=1."));
    }
    assert_eq!(redaction().path(&format!("/articles/1?share={GRANT}")), "/articles/1?share=•••");
    assert_eq!(
        redaction().query(&format!("share={GRANT}")),
        [("share".to_owned(), MASK.to_owned())]
    );
    for shown in ["/articles?share=everyone", &format!("/orders?cursor={GRANT}")] {
        assert_text(shown, shown);
        assert_eq!(redaction().path(shown), shown);
    }
}

#[test]
fn texts_lose_values_that_are_assigned_to_secret_names() {
    for (text, expected) in [
        ("password=hush&x=1", "password=•••&x=1"),
        ("password: hush, x: 1", "password: •••, x: 1"),
        ("the token = hush.", "the token = •••"),
        ("token=/hush/", "token=•••"),
        ("api_key => 'hush'", "api_key => '•••'"),
        ("{\"pass word\": \"hu\\\"sh\", \"a\": 1", "{\"pass word\": \"•••\", \"a\": 1"),
        ("{\"token\":\"hush is cut", "{\"token\":\"•••"),
        (r#"{\"token\":\"hu\\\"sh\",\"a\":1}"#, r#"{\"token\":\"•••\",\"a\":1}"#),
        (
            "Login { user: \"a\", password: Some(\"hush\"), n: 1 }",
            "Login { user: \"a\", password: •••, n: 1 }",
        ),
        ("token: Token { value: \"hush\" }, n: 1", "token: •••, n: 1"),
        ("secrets: [\"hush\", \"hush\"], n: 1", "secrets: •••, n: 1"),
        ("your token:\n\n  hush-1234567890\n", "your token:\n\n  •••\n"),
        ("verificationCode=123456", "verificationCode=•••"),
        ("code=123456", "code=•••"),
        ("cookie: a=b; session=hush\nhost: a", "cookie: •••\nhost: a"),
        ("authorization: ApiKey hush-1 x", "authorization: ••• x"),
        (
            "authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=hush",
            "authorization: ••• Credential=•••, Signature=•••",
        ),
    ] {
        assert_text(text, expected);
    }
    for text in [
        "password: must have at least 12 characters",
        "the token is missing; token: None",
        "authorization: forbidden",
        "{\"stages\":{\"authorization\":0.1}",
        "authorization: a customer may not do this",
        "tokenCount: 3, tokenType: Bearer",
        "secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:000000000000:secret:keys",
        "Token::parse(secret::Value)",
        "version = 3 and passwordHash = :h",
        "PUT https://example.com/users/018f6b1e-0000-7000-8000-000000000001/verification",
    ] {
        assert_text(text, text);
    }
}

#[test]
fn the_one_time_tokens_of_mails_are_hidden() {
    let mail = "PUT /users/1/verification\n{\"token\": \"aB3dE5fG7h\", \"password\": \"…\"}\n";
    assert_text(mail, "PUT /users/1/verification\n{\"token\": \"•••\", \"password\": \"•••\"}\n");
    for (link, expected) in [
        (
            "https://a.example/verify?token=hush&lang=de",
            "https://a.example/verify?token=•••&lang=de",
        ),
        ("https://a.example/r/3q2wAB9xYz01KlmnOPqr45.", "https://a.example/r/•••."),
        (
            "<a href=\"https://a.example/r/3q2-wAB9xYz01KlmnOPqr45\">",
            "<a href=\"https://a.example/r/•••\">",
        ),
        ("https://a.example/#/reset/3q2wAB9xYz01KlmnOPqr45", "https://a.example/#/reset/•••"),
        ("https://ada:hush@a.example/x", "https://ada:•••@a.example/x"),
        (
            "https://a.example/articles/a-long-title-about-2026-and-more",
            "https://a.example/articles/a-long-title-about-2026-and-more",
        ),
    ] {
        assert_text(link, expected);
    }
}

#[test]
fn queries_and_paths_are_hidden_by_parameters() {
    let pairs = |pairs: &[(&str, &str)]| -> Vec<Pair> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let query = "?limit=10&reset%5Ftoken=a+b&name=O%27Neill&flag&code=123456&api.key=x";
    let expected = pairs(&[
        ("limit", "10"),
        ("reset_token", MASK),
        ("name", "O'Neill"),
        ("flag", ""),
        ("code", MASK),
        ("api.key", MASK),
    ]);
    assert_eq!(redaction().query(query), expected);
    for (path, expected) in [
        ("/orders?limit=10&cursor=a%20b", "/orders?limit=10&cursor=a%20b"),
        ("/orders?to%6ben=x&a", "/orders?to%6ben=•••&a"),
        ("/password-resets/3q2wAB9xYz01KlmnOPqr45?x=1", "/password-resets/•••?x=1"),
        (
            "/orders/018f6b1e-0000-7000-8000-000000000001",
            "/orders/018f6b1e-0000-7000-8000-000000000001",
        ),
        ("/a?next=%2Fb%3Ftoken%3Dhush", "/a?next=•••"),
        ("/password-resets/hush1234", "/password-resets/•••"),
        ("/password-resets/confirmation", "/password-resets/confirmation"),
        ("/articles/1?share=atHf6suublZGfPc49PniC7vc4WS2Tr_QO1ZQIC9Y6Os", "/articles/1?share=•••"),
        ("/x/atHf6suublZGfPc49PniC7vc4WS2Tr_QO1ZQIC9Y6Os", "/x/•••"),
        (
            "/x?cursor=atHf6suublZGfPc49PniC7vc4WS2Tr_QO1ZQIC9Y6Os",
            "/x?cursor=atHf6suublZGfPc49PniC7vc4WS2Tr_QO1ZQIC9Y6Os",
        ),
        (
            "/x/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "/x/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ),
        ("/x?sid=hush&sig=hush&design=oak", "/x?sid=•••&sig=•••&design=oak"),
        ("/", "/"),
    ] {
        assert_eq!(redaction().path(path), expected, "{path}");
    }
    assert_eq!(redaction().path(&format!("/a/{JWT}/b")), "/a/•••/b");
}

#[test]
fn learned_values_are_hidden_in_all_their_forms() {
    let secret = "hush/\"ü&+ 12";
    let redaction = redaction();
    redaction.learn(secret);
    let quoted = json!(secret).to_string();
    for text in [
        secret.to_owned(),
        quoted.clone(),
        json!(quoted).to_string(),
        quoted.replace('/', "\\/"),
        quoted.replace('ü', "\\u00fc"),
        format!("{secret:?}"),
        "hush%2F%22%C3%BC%26%2B%2012".to_owned(),
        "hush%2f%22%c3%bc%26%2b%2012".to_owned(),
        "hush%2F%22%C3%BC%26%2B+12".to_owned(),
        "hush/&quot;ü&amp;+ 12".to_owned(),
    ] {
        let shown = redaction.text(&format!("a {text} b"));
        assert!(shown.starts_with("a ") && shown.ends_with(" b"), "{text}: {shown}");
        assert!(shown.contains(MASK) && !shown.contains("hush"), "{text}: {shown}");
    }
    for before in ["", "a", "ab", "ada:"] {
        let plain = format!("{before}{secret}!");
        for encoded in [STANDARD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
            let shown = redaction.text(&format!("x={encoded}"));
            assert!(shown.contains(MASK), "{before}: {shown}");
        }
    }
    assert_eq!(
        redaction.path("/a/hush%2F%22%C3%BC%26+12/b?x=1"),
        "/a/hush%2F%22%C3%BC%26+12/b?x=1"
    );
    assert_eq!(redaction.path("/a/hush%2F%22%C3%BC%26%2B%2012/b"), "/a/•••/b");
}

#[test]
fn of_a_secret_in_json_the_texts_are_learned_but_not_public_ones() {
    let redaction = redaction();
    let key =
        json!({"kty": "OKP", "kid": "key-2026-11", "d": "nWGxne_9Wm", "next": {"d": "AAAABBBB1"}});
    redaction.learn(&key.to_string());
    redaction.learn("short");
    redaction.learn("[1, true, \"in-a-list\"]");
    let text = redaction.text("key-2026-11 nWGxne_9Wm AAAABBBB1 short in-a-list");
    assert_eq!(text, "key-2026-11 ••• ••• short •••");

    redaction.learn_members(&json!({"email": "ada@example.com", "password": "correct-horse"}));
    assert_eq!(redaction.text("ada@example.com correct-horse"), "ada@example.com •••");
}

#[test]
fn the_number_of_learned_values_is_bounded_and_the_latest_are_known() {
    let redaction = redaction();
    for number in 0..5_000 {
        redaction.learn(&format!("secret-value-{number:05}"));
    }
    assert_eq!(redaction.text("secret-value-04999"), MASK);
    assert_eq!(redaction.text("secret-value-00000"), "secret-value-00000");
}

#[test]
fn markup_and_parts_of_forms_lose_secret_values() {
    assert_text(
        "<a><password>hush</password><b>1</b></a>",
        "<a><password>•••</password><b>1</b></a>",
    );
    assert_text("<x:token type=\"t\">hush</x:token>", "<x:token type=\"t\">•••</x:token>");
    for text in ["use <token> as <b>", "<password></password>", "<password/> a", "<a>hush</a>"] {
        assert_text(text, text);
    }
    let form = |value: &str| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{value}\r\n--B\r\n\
             Content-Disposition: form-data; name=\"user\"\r\n\r\nada\r\n--B--"
        )
    };
    assert_text(&form("hush"), &form("•••"));
    // As .NET writes it.
    let unquoted = |value: &str| form(value).replace("\"password\"", "password");
    assert_text(&unquoted("hush"), &unquoted("•••"));
    let file = form("hush").replace("name=\"password\"", "filename=\"token\"; name=\"user\"");
    assert_text(&file, &file);
}

#[test]
fn documents_in_base64_with_secrets_are_hidden() {
    let secret = STANDARD.encode(r#"{"user":"ada","password":"hush"}"#);
    assert_eq!(redaction().json(json!({ "data": secret })), json!({ "data": MASK }));
    assert_eq!(redaction().body(Some("text/plain"), secret.as_bytes()).as_deref(), Some(MASK));
    let cursor = json!({ "next": STANDARD.encode(r#"{"pk":{"S":"ORDER#1"}}"#) });
    assert_eq!(redaction().json(cursor.clone()), cursor);
}

#[test]
fn forms_in_base64_with_secrets_are_hidden() {
    for form in [
        "user=ada&password=hush",
        "user=ada&pass%77ord=hush",
        "user=ada&pin=1234",
        "<user>ada</user><password>hush</password>",
    ] {
        let event = json!({ "isBase64Encoded": true, "body": STANDARD.encode(form) });
        assert_eq!(redaction().json(event), json!({ "isBase64Encoded": true, "body": MASK }));
        assert_eq!(redaction().body(None, STANDARD.encode(form).as_bytes()).as_deref(), Some(MASK));
    }
    let shown = json!({ "body": STANDARD.encode("user=ada&page=1234567890") });
    assert_eq!(redaction().json(shown.clone()), shown);
}

#[test]
fn secrets_that_passed_are_hidden_elsewhere() {
    let redaction = redaction();
    redaction
        .see(br#"{"email":"ada@example.com","password":"horse-battery-1","tokenType":"A-type-1"}"#);
    redaction.see(br#"{"password":"short-1","token":"oneWordOnly"}"#);
    let mail = json!({"Text": {"Data": "PUT /x\n{\"token\": \"znwivsn2d3ObyShskmGijbZoG22r5\"}"}});
    redaction.see_mail(mail.to_string().as_bytes());
    assert_eq!(
        redaction.text("ada@example.com horse-battery-1 A-type-1 short-1 oneWordOnly"),
        "ada@example.com ••• A-type-1 short-1 oneWordOnly"
    );
    assert_eq!(redaction.text("[znwivsn2d3ObyShskmGijbZoG22r5]"), "[•••]");

    redaction.learn("of-the-platform-1");
    for number in 0..2_000 {
        redaction.see(format!("{{\"password\":\"horse-{number:06}\"}}").as_bytes());
    }
    assert_eq!(
        redaction.text("of-the-platform-1 horse-001999 horse-000000"),
        "••• ••• horse-000000"
    );
}
