//! A request as a `curl` command for a POSIX shell.

use super::shown::{Body, Part, Shown, parts};

/// The command. Secrets are variables, without which the shell refuses to run it.
pub(super) fn command(api_url: &str, shown: &Shown) -> String {
    let mut lines = vec![match shown.method.as_str() {
        "GET" if matches!(shown.body, Body::None) => "curl".to_owned(),
        // `-X HEAD` waits for a body that does not come.
        "HEAD" => "curl --head".to_owned(),
        method => format!("curl -X {}", quoted(shown, method)),
    }];
    // Brackets and dots of the path are sent as they are.
    let is_plain = !shown.path.contains(['[', ']', '{', '}']);
    let has_dots = shown.path.contains("/.");
    let globs = if is_plain { "" } else { "--globoff " };
    let dots = if has_dots { "--path-as-is " } else { "" };
    lines.push(format!("{globs}{dots}{}", quoted(shown, &format!("{api_url}{}", shown.path))));
    let has_type = shown.headers.iter().any(|(name, _)| name == "content-type");
    for (name, value) in &shown.headers {
        // `name:` alone would remove the header.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        lines.push(format!("-H {}", quoted(shown, &header)));
    }
    let body = match &shown.body {
        Body::None => None,
        Body::Json { text, .. } | Body::Text(text) => Some(text.clone()),
        Body::Bytes(count) => {
            lines.push(format!("--data-binary @body.bin  # {count} bytes"));
            None
        }
    };
    if let Some(body) = body {
        if !has_type {
            lines.push("-H 'content-type:'".to_owned());
        }
        // Unlike `--data`, this sends a leading `@` as it is.
        lines.push(format!("--data-raw {}", quoted(shown, &body)));
    }
    lines.join(" \\\n  ")
}

/// A text as one argument: in single quotes, with its secrets as variables in double quotes.
fn quoted(shown: &Shown, text: &str) -> String {
    let parts = parts(text).into_iter().map(|part| match part {
        Part::Text(text) if text.bytes().all(is_plain) => text.to_owned(),
        Part::Text(text) => format!("'{}'", text.replace('\'', r"'\''")),
        Part::Secret(number) => {
            format!("\"${{{}:?}}\"", shown.secrets.get(number).map_or("SECRET", String::as_str))
        }
    });
    let argument: String = parts.collect();
    if argument.is_empty() { "''".to_owned() } else { argument }
}

/// Whether no shell gives this character a meaning.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'/' | b':' | b'.' | b'-' | b'_' | b'@' | b'%' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        command("http://127.0.0.1:3000", &Shown::sample(method, path, headers, body))
    }

    #[test]
    fn a_request_is_one_command_with_variables_for_secrets() {
        let command = of(
            "POST",
            "/sessions?dry=1&token=abc-def",
            &[
                ("Authorization", "Bearer abcdef"),
                ("content-type", "application/json"),
                ("host", "127.0.0.1:3000"),
                ("x-empty", ""),
            ],
            r#"{"name":"O'Neill","password":"hush-hush"}"#,
        );
        let expected = r#"curl -X POST \
  'http://127.0.0.1:3000/sessions?dry=1&token='"${TOKEN:?}" \
  -H 'authorization: Bearer '"${TOKEN_2:?}" \
  -H 'content-type: application/json' \
  -H 'x-empty;' \
  --data-raw '{"name":"O'\''Neill","password":"'"${PASSWORD:?}"'"}'"#;
        assert_eq!(command, expected);
    }

    #[test]
    fn a_document_is_sent_as_it_was_written() {
        let body = r#"{ "b": 1.50, "a": 123456789012345678901, "b": [] }"#;
        let command = of("POST", "/a", &[("content-type", "application/json")], body);
        assert!(command.ends_with(&format!("--data-raw '{body}'")), "{command}");
        let body = r#"{"token":"hush-1", "n": 1.50, "token":"hush-2"}"#;
        let command = of("POST", "/a", &[("content-type", "application/json")], body);
        let shown = r#"'{"token":"'"${TOKEN:?}"'", "n": 1.50, "token":"'"${TOKEN_2:?}"'"}'"#;
        assert!(command.ends_with(shown), "{command}");
    }

    #[test]
    fn a_form_has_variables_for_encoded_secrets_by_a_media_type_in_any_case() {
        let media_type = "Application/X-WWW-Form-URLEncoded; charset=utf-8";
        let command = of("POST", "/a", &[("content-type", media_type)], "user=a&pass%77ord=hu;sh");
        assert!(!command.contains("hu;sh") && command.contains("user=a"), "{command}");
    }

    #[test]
    fn characters_with_a_meaning_for_shells_and_curl_are_sent_as_they_are() {
        let command =
            of("GET", "/a/../b?ids[]=1&x=$(id)`id`", &[("x-note", "a\\b \"c\" $HOME !")], "");
        assert!(command.starts_with("curl \\\n  --globoff --path-as-is 'http"), "{command}");
        assert!(command.contains("x=$(id)`id`'"), "{command}");
        assert!(command.contains(r#"-H 'x-note: a\b "c" $HOME !'"#), "{command}");
        let text = of("PUT", "/a", &[], "@file\nsecond line");
        assert!(
            text.ends_with("-H 'content-type:' \\\n  --data-raw '@file\nsecond line'"),
            "{text}"
        );
        assert_eq!(of("HEAD", "/a", &[], ""), "curl --head \\\n  http://127.0.0.1:3000/a");
    }
}
