//! The layout: the top-level entries, and the stages of an endpoint's file.

/// The top-level entries. Tools' dot files are allowed too.
const TOP_LEVEL: [&str; 12] = [
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "functions",
    "infra",
    "samconfig.toml",
    "shared",
    "template.yaml",
    "tests",
    // Tools need these names at the top level.
    "rust-toolchain.toml",
];

/// Configuration of tools that find it only at the top level, under this name.
const TOOLS: [&str; 3] = ["clippy.toml", "deny.toml", "rustfmt.toml"];

/// The headings of an endpoint's file.
const STAGES: [&str; 9] = [
    "// 1. Routing",
    "// 2. Authentication",
    "// 3. Authorization",
    "// 4. Deserialisation",
    "// 5. Syntax validation",
    "// 6. Retrieval",
    "// 7.",
    "8.",
    "// 9. Response",
];

/// Top-level entries that are not allowed.
pub(super) fn top_level(files: &[String]) -> Vec<String> {
    let mut strangers: Vec<&str> = files
        .iter()
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.starts_with('.'))
        .filter(|name| !TOP_LEVEL.contains(name) && !TOOLS.contains(name))
        .collect();
    strangers.dedup();
    strangers.iter().map(|name| format!("{name} does not belong on the top level")).collect()
}

/// Whether a build without named packages builds only the deployed ones.
pub(super) fn built_by_default(packages: &[&str]) -> Option<String> {
    let complaint =
        || format!("Cargo.toml: by default {packages:?} are built, with one set of features");
    (packages != ["functions"]).then(complaint)
}

/// Checks that an endpoint's file has its nine stages, in order.
pub(super) fn stages(path: &str, text: &str) -> Vec<String> {
    let is_endpoint = text.contains("\nimpl Endpoint for ") || text.contains("\nimpl Query for ");
    if !path.starts_with("functions/") || !is_endpoint {
        return Vec::new();
    }
    let mut rest = text;
    for stage in STAGES {
        match rest.split_once(stage) {
            Some((_, after)) => rest = after,
            None => return vec![format!("{path}: stage \"{stage}\" is missing or out of order")],
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_top_level_entry_is_found() {
        let files = ["README.md", ".ci/run", "shared/a.rs", "notes.txt", "scripts/x"];
        let found = top_level(&files.map(str::to_owned));
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn another_default_package_than_functions_is_found() {
        assert_eq!(built_by_default(&["functions"]), None);
        assert!(built_by_default(&["functions", "demo"]).is_some());
    }

    #[test]
    fn an_endpoint_whose_stages_are_out_of_order_is_found() {
        let ordered = STAGES.join("\n");
        let good = format!("\nimpl Query for GetUser {{\n{ordered}\n}}");
        let path = "functions/people/get_user.rs";
        assert!(stages(path, &good).is_empty());
        let bad = good.replace("// 3. Authorization\n", "");
        assert_eq!(stages(path, &bad).len(), 1);
        assert!(
            stages("functions/people/send_email.rs", "impl Consumer for SendEmail {}").is_empty()
        );
    }
}
