//! Alarms: each text that a metric filter compares, and each error type that an alarm counts, is
//! the value of a constant. So no change of a sentence in a log silences an alarm. And an alarm counts
//! each error type that the response does not show.

use std::collections::BTreeSet;

use super::released::has_extension;

/// The stack of the alarms.
const ALARMS: &str = "infra/alarms.yaml";

/// The texts in the stacks' metric filters and lists of error types that no constant has.
pub(super) fn unfixed(path: &str, stack: &str, rust: &[(&str, &str)]) -> Vec<String> {
    if !path.starts_with("infra/") || !has_extension(path, "yaml") {
        return Vec::new();
    }
    let unfixed = filtered(stack).chain(counted(stack)).filter(|text| !is_constant(text, rust));
    unfixed
        .map(|text| format!("{path} reads \"{text}\", which is no constant in shared/"))
        .collect()
}

/// The texts that the metric filters compare; not those with a wildcard.
fn filtered(stack: &str) -> impl Iterator<Item = &str> {
    let patterns =
        stack.split("FilterPattern: '").skip(1).filter_map(|rest| rest.split('\'').next());
    let texts = patterns.flat_map(|pattern| pattern.split('"').skip(1).step_by(2));
    texts.filter(|text| !text.contains('*'))
}

/// The error types in lists, which may have several lines.
fn counted(stack: &str) -> impl Iterator<Item = &str> {
    let lists = stack.split("- [").skip(1).filter_map(|rest| rest.split(']').next());
    lists.flat_map(|list| list.split(',').map(str::trim)).filter(is_kind)
}

/// The error types that the deployed code reports apart from a response, and no alarm counts.
pub(super) fn unalarmed(path: &str, stack: &str, rust: &[(&str, &str)]) -> Vec<String> {
    if path != ALARMS {
        return Vec::new();
    }
    let alarmed: BTreeSet<&str> = counted(stack).collect();
    let deployed = rust.iter().filter(|(path, _)| is_deployed(path));
    let noted: BTreeSet<&str> = deployed.flat_map(|(_, text)| noted(text)).collect();
    let unalarmed = noted.difference(&alarmed);
    unalarmed.map(|kind| format!("{path} counts no {kind}, which the code reports")).collect()
}

fn is_deployed(path: &str) -> bool {
    let is_below = ["functions/", "shared/"].iter().any(|top| path.starts_with(top));
    is_below && !path.contains("/tests")
}

/// The error types that a source reports apart from a response: constants, or texts like theirs.
fn noted(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    ["observe_error(", "(\"type\", "].into_iter().flat_map(move |call| {
        let kinds = code.split(call).skip(1).filter_map(|rest| rest.split(')').next());
        let is_literal = call.starts_with('(');
        let kinds = kinds.filter(move |kind| !is_literal || !kind.starts_with('"'));
        kinds.map(|kind| kind.trim_matches('"')).filter(is_kind)
    })
}

/// Whether a text is in upper snake case, and has several words.
fn is_kind(name: &&str) -> bool {
    let is_part = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
    name.contains('_') && name.bytes().all(is_part)
}

fn is_constant(text: &str, rust: &[(&str, &str)]) -> bool {
    let value = format!(": &str = \"{text}\";");
    let shared = rust.iter().filter(|(path, _)| path.starts_with("shared/"));
    let mut lines = shared.flat_map(|(_, text)| text.lines());
    lines.any(|line| line.contains("const ") && line.ends_with(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: [(&str, &str); 2] = [
        (
            "shared/lifecycle/src/a.rs",
            "const A: &str = \"is not read\";\n/// x\npub const ROW_LOST: &str = \"ROW_LOST\";\n\
             warn!(\"rows wait\"); count(\"TYPE_TWO\");",
        ),
        ("tests/api/a.rs", "const B: &str = \"rows wait\";"),
    ];

    fn unfixed_in(stack: &str) -> Vec<String> {
        unfixed("infra/alarms.yaml", stack, &RUST)
    }

    #[test]
    fn a_filter_on_a_text_that_is_no_constant_is_found() {
        assert_eq!(
            unfixed_in("  FilterPattern: '{ $.message = \"rows wait\" && $.status = \"5*\" }'"),
            ["infra/alarms.yaml reads \"rows wait\", which is no constant in shared/"]
        );
        assert!(unfixed_in("  FilterPattern: '{ $.message = \"is not read\" }'").is_empty());
        let inline = "{FilterPattern: '{ $.message = \"rows wait\" }', MetricValue: \"1\"}";
        assert_eq!(unfixed_in(inline).len(), 1);
    }

    #[test]
    fn an_error_type_that_is_no_constant_is_found() {
        assert_eq!(
            unfixed_in("    - [ROW_LOST, TYPE_TWO]"),
            ["infra/alarms.yaml reads \"TYPE_TWO\", which is no constant in shared/"]
        );
        assert_eq!(unfixed_in("    - [ROW_LOST,\n       TYPE_TWO]").len(), 1);
        assert_eq!(unfixed_in("    - [FAILED, TYPE_2]").len(), 1);
        assert!(unfixed_in("    - [ROW_LOST]\n    - [create_order, Get_It]").is_empty());
    }

    #[test]
    fn an_error_type_without_an_alarm_is_found() {
        let rust = [
            (
                "shared/aws/src/a.rs",
                "observe_error(ROW_LOST);\nlet labels = [(\"type\", ROW_ODD), (\"service\", s)];\n\
                 let other = [(\"type\", \"TIMED_OUT\")];\nobserve_error(kind);\n\
                 #[cfg(test)]\nmod tests { observe_error(ROW_TESTED); }",
            ),
            ("functions/a/get_a.rs", "observe_error(\"ROW_OLD\");"),
            ("infra/ops/src/a.rs", "observe_error(ROW_OPS);"),
        ];
        let found = unalarmed(ALARMS, "    - [ROW_LOST, ROW_OTHER]\n", &rust);
        assert_eq!(
            found,
            ["ROW_ODD", "ROW_OLD"]
                .map(|kind| format!("{ALARMS} counts no {kind}, which the code reports"))
        );
    }
}
