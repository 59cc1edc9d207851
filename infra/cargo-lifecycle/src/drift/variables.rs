//! Environment variables: a function reads each of them.
//!
//! `cargo lifecycle codegen` writes the variables of single functions. Those of all functions are in
//! `Globals`, and no function declares them.

use std::collections::{BTreeMap, BTreeSet};

use sam_template::Template;
use tooling::descriptions::Description;

use crate::codegen::variables;

/// Variables that the library reads without a declaration: the settings of each function, and those
/// of functions that sign or verify tokens.
const READ_BY_LIBRARY: [&str; 12] = [
    "ALLOWED_ORIGINS",
    "AUDIENCE",
    "EXACT_RATE_LIMIT",
    "ISSUER",
    "LOG_LEVEL",
    "LOG_SUCCESSES",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "RATE_LIMIT",
    "SERVICE_NAME",
    "TRUSTED_HOPS",
    "TRUSTED_HOPS_SECRET",
];
/// The beginnings of variables that the AWS SDK, Rust's standard library and TLS libraries read.
const READ_BY_OTHERS: [&str; 3] = ["AWS_", "RUST_", "SSL_CERT_"];

/// Variables of the template that nothing reads.
pub(super) fn complaints(
    template: &Template,
    descriptions: &BTreeMap<String, Description>,
) -> Vec<String> {
    let declared: BTreeSet<String> =
        descriptions.values().flat_map(|description| variables(description).into_keys()).collect();
    let given = template.functions.values().flat_map(|function| function.environment.keys());
    let given: BTreeSet<&String> = given.collect();
    let unread = given.into_iter().filter(|name| {
        !declared.contains(*name)
            && !READ_BY_LIBRARY.contains(&name.as_str())
            && !READ_BY_OTHERS.iter().any(|beginning| name.starts_with(beginning))
    });
    unread
        .map(|name| format!("variable {name}: no function reads it: delete it from Globals"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::service::repository;

    #[test]
    fn the_library_reads_each_variable_of_its_list() {
        let mut code = String::new();
        for crate_name in ["aws", "lifecycle"] {
            add(&repository().join("shared").join(crate_name).join("src"), &mut code);
        }
        let unread = READ_BY_LIBRARY.iter().filter(|name| !code.contains(&format!("\"{name}\"")));
        assert_eq!(unread.collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    /// Adds the text of all Rust files below a folder.
    fn add(folder: &Path, code: &mut String) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, code);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                code.push_str(&fs_err::read_to_string(path).unwrap());
            }
        }
    }
}
