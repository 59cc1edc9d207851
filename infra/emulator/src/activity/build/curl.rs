//! A request as a `curl` command.

use crate::activity::view::Pair;

/// The headers that `curl` or the gateway sets itself.
const LEFT_OUT: [&str; 5] =
    ["accept-encoding", "connection", "content-length", "host", "x-console-client"];

/// The command for these redacted parts.
pub(super) fn command(
    method: &str,
    host: &str,
    path: &str,
    headers: &[Pair],
    body: Option<&str>,
) -> String {
    let mut command = format!("curl -X {method} {}", quoted(&format!("http://{host}{path}")));
    let kept = headers.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
    for (name, value) in kept {
        command.push_str(" \\\n  -H ");
        command.push_str(&quoted(&format!("{name}: {value}")));
    }
    if let Some(body) = body.filter(|body| !body.is_empty()) {
        command.push_str(" \\\n  --data-raw ");
        command.push_str(&quoted(body));
    }
    command
}

/// A quoted shell argument.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_headers_and_the_body_as_words() {
        let headers = [("host".to_owned(), "h".to_owned()), ("a".to_owned(), "it's".to_owned())];
        let command = command("POST", "h:1", "/orders?x=1", &headers, Some("{}"));
        let expected =
            "curl -X POST 'http://h:1/orders?x=1' \\\n  -H 'a: it'\\''s' \\\n  --data-raw '{}'";
        assert_eq!(command, expected);
    }
}
