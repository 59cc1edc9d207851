//! The parameters of each environment in `samconfig.toml`. `default` is not deployed.
//!
//! In a list of parameters, there and after `--parameter-overrides`, SAM ends a value without quotes
//! at a blank or a `"`, and ignores the rest. It removes the quotes around a value, and the backslash
//! before a blank or a quote.

use std::collections::BTreeMap;
use std::path::Path;

use tooling::context::{Context, Error};

/// The parameters of each environment, by the environment's name.
///
/// # Errors
/// If the file cannot be read, or an override is not `Name=value`, or SAM would cut its value.
pub fn parameters(workspace: &Path) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
    let text = fs_err::read_to_string(workspace.join("samconfig.toml"))?;
    let config: toml::Table = toml::from_str(&text).context(|| "samconfig.toml")?;
    let environments = config.iter().filter(|(name, it)| it.is_table() && *name != "default");
    environments.map(|(name, it)| Ok((name.clone(), overrides(name, it)?))).collect()
}

/// The parameters of one environment.
///
/// # Errors
/// As for [`parameters`].
pub fn overrides(name: &str, environment: &toml::Value) -> Result<BTreeMap<String, String>, Error> {
    // They are in `global`, since `sam build` also needs them: one is the architecture.
    let listed = environment.get("global").and_then(|global| global.get("parameters"));
    let listed = listed.and_then(|parameters| parameters.get("parameter_overrides"));
    let listed = listed.and_then(toml::Value::as_array);
    let listed = listed.ok_or_else(|| format!("samconfig.toml: {name} overrides no parameters"))?;
    let entry = |entry: &toml::Value| -> Result<(String, String), Error> {
        let text = entry.as_str().ok_or_else(|| format!("{entry:?} is not a string"));
        text.and_then(parsed).context(|| "samconfig.toml")
    };
    listed.iter().map(entry).collect()
}

/// The name and the value of `Name=value` on a command line. The shell has read its quotes, so the
/// value is literal.
///
/// # Errors
/// If the text is not such a pair, or has SAM's quotes around the value.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = split(text)?;
    if unquoted(value).is_some() {
        return Err(format!("the value of {name} is literal: write it without SAM's quotes"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A parameter as `Name="value"`, as SAM reads it.
///
/// # Errors
/// If SAM cannot read the value in any form, such as one with a backslash before both kinds of quotes.
pub fn written(name: &str, value: &str) -> Result<String, Error> {
    let mut forms = ['"', '\''].into_iter().map(|quote| quoted(value, quote));
    let form = forms.find(|form| read(form).as_deref() == Some(value));
    let form = form.ok_or_else(|| format!("SAM cannot read the value of {name} in any form"))?;
    Ok(format!("{name}={form}"))
}

/// The name and the value of an entry of a list, as SAM reads it.
fn parsed(text: &str) -> Result<(String, String), String> {
    let (name, form) = split(text.trim())?;
    let hint = || {
        format!(
            "SAM does not read {text} as one value: write {name}=\"…\", and \\\" for a quote in it"
        )
    };
    let value = read(form).ok_or_else(hint)?;
    Ok((name.to_owned(), value))
}

fn split(text: &str) -> Result<(&str, &str), String> {
    text.split_once('=').ok_or_else(|| format!("{text:?} is not Name=value"))
}

/// The value that SAM reads from this form. `None` if it reads only a part, or nothing.
fn read(form: &str) -> Option<String> {
    let behind_quotes = ['"', '\''].into_iter().find_map(|quote| {
        let inside = form.strip_prefix(quote)?;
        behind(inside, &[quote]).strip_prefix(quote)
    });
    let left = behind_quotes.unwrap_or_else(|| behind(form, &[' ', '"']));
    if matches!(form, "" | "'") || !left.is_empty() {
        return None;
    }
    let bare = unquoted(form).unwrap_or(form);
    Some(bare.replace("\\ ", " ").replace("\\\"", "\"").replace("\\'", "'"))
}

/// A value in SAM's form with these quotes. SAM removes one backslash before a blank or a quote.
fn quoted(value: &str, quote: char) -> String {
    let mut form = String::from(quote);
    let mut previous = quote;
    for character in value.chars() {
        let is_escape = previous == '\\' && matches!(character, ' ' | '"' | '\'');
        if character == quote || is_escape {
            form.push('\\');
        }
        form.push(character);
        previous = character;
    }
    form.push(quote);
    form
}

/// A text without the quotes around it, `None` if it has none.
fn unquoted(text: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

/// The rest of a text from the first of these characters that has no backslash before it. A backslash
/// at the end is part of the rest.
fn behind<'a>(text: &'a str, ends: &[char]) -> &'a str {
    let mut is_escaped = false;
    for (place, character) in text.char_indices() {
        if !is_escaped && ends.contains(&character) {
            return &text[place..];
        }
        is_escaped = !is_escaped && character == '\\';
    }
    &text[text.len() - usize::from(is_escaped)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_sam_build_does_not_read_are_an_error() {
        let read = |section: &str| {
            let text = format!("[{section}.parameters]\nparameter_overrides = [\"Level=debug\"]\n");
            overrides("dev", &toml::from_str(&text).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(read("global").unwrap()["Level"], "debug");
        assert_eq!(read("deploy").unwrap_err(), "samconfig.toml: dev overrides no parameters");
    }

    #[test]
    fn an_entry_is_read_as_sam_reads_it() {
        for (text, value) in [
            ("It=debug", "debug"),
            (" It=https://a.example?b=c ", "https://a.example?b=c"),
            (r#"It="a, b""#, "a, b"),
            ("It='a, b'", "a, b"),
            (r"It=a,\ b", "a, b"),
            (r#"It="[{\"issuer\": \"a\"}]""#, r#"[{"issuer": "a"}]"#),
            (r#"It=[\"a\"]"#, r#"["a"]"#),
            (r#"It='["a"]'"#, r#"["a"]"#),
            ("It=a's", "a's"),
            (r"It=a\b", r"a\b"),
            (r#"It="""#, ""),
        ] {
            assert_eq!(parsed(text), Ok(("It".to_owned(), value.to_owned())), "{text}");
        }
    }

    #[test]
    fn an_entry_that_sam_would_cut_is_an_error() {
        for text in [
            "It=a, b",
            "It=a Other=b",
            r#"It=[{"issuer":"a"}]"#,
            r#"It="a"b"#,
            r#"It="a" b"#,
            "It='a'b'",
            r#"It="a"#,
            r"It=a\",
            "It=",
            "It='",
        ] {
            let refused = parsed(text).unwrap_err();
            assert!(refused.contains("write It=\"…\""), "{refused}");
        }
        let list = toml::from_str("[global.parameters]\nparameter_overrides = ['It=a, b']\n");
        let refused = overrides("dev", &list.unwrap()).unwrap_err().to_string();
        assert!(refused.starts_with("samconfig.toml: SAM does not read It=a, b as"), "{refused}");
    }

    #[test]
    fn a_written_value_is_read_back() {
        let issuers = r#"[{"issuer": "https://a.example", "roles": ["WRITER"]}]"#;
        for value in
            ["", "debug", "https://a, https://b", issuers, "a's", r"a\b", r"a\ b", r"a\", r"a\\"]
        {
            let text = written("It", value).unwrap();
            assert_eq!(parsed(&text), Ok(("It".to_owned(), value.to_owned())), "{text}");
        }
        for (value, text) in
            [(r#"a "b"#, r#"It="a \"b""#), (r#"a\"b"#, r#"It='a\\"b'"#), (r"a\'b", r#"It="a\\'b""#)]
        {
            assert_eq!(written("It", value).unwrap(), text);
            assert_eq!(parsed(text), Ok(("It".to_owned(), value.to_owned())), "{text}");
        }
        assert!(written("It", r#"\"\'"#).is_err());
    }

    #[test]
    fn a_value_on_a_command_line_is_literal() {
        let value = r#"[{"issuer": "a"}]"#;
        assert_eq!(pair(&format!("It={value}")), Ok(("It".to_owned(), value.to_owned())));
        assert_eq!(pair("It="), Ok(("It".to_owned(), String::new())));
        for text in ["It", r#"It="a b""#, "It='a'"] {
            assert!(pair(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_documented_entry_with_json_is_read_as_json() {
        let document = fs_err::read_to_string(crate::workspace().join("infra/docs/DEPLOY.md"));
        let document = document.unwrap();
        let line = document.lines().find(|line| line.starts_with("'OutsideIssuers=")).unwrap();
        let stage = format!("[global.parameters]\nparameter_overrides = [{line}]\n");
        let read = overrides("dev", &toml::from_str(&stage).unwrap()).unwrap();
        let issuers: serde_json::Value = serde_json::from_str(&read["OutsideIssuers"]).unwrap();
        assert_eq!(issuers[0]["audience"], "shop");
    }
}
