//! `cargo xtask drift`: checks that template.yaml matches the binaries.
//!
//! The expected settings of a function are derived from its own description. They are compared with
//! the template's: routes, authorizers, event sources, environment and indexes. The policy must
//! have exactly the permissions that the function uses.

mod api;
mod cors;
mod grants;
mod indexes;
mod sources;

use std::collections::BTreeMap;
use std::path::Path;

use sam_template::Template;
use tooling::Error;
use tooling::descriptions::{self, Description};

use crate::openapi;

/// The differences between the template and the binaries, one sentence each.
///
/// # Errors
///
/// If the template cannot be read, or the binaries cannot be described.
pub(crate) fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    let descriptions = descriptions::of(workspace, &template.binaries())?;
    let document = serde_json::from_str(&fs_err::read_to_string(openapi::path(workspace))?)?;
    let mut complaints = between(&template, &descriptions);
    complaints.extend(cors::complaints(&template, &document));
    Ok(complaints)
}

/// The same for a given template and given descriptions.
pub(crate) fn between(
    template: &Template,
    descriptions: &BTreeMap<String, Description>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for function in template.functions.values() {
        let Some(description) = descriptions.get(&function.binary) else {
            complaints.push(format!("{}: no binary {}", function.logical_id, function.binary));
            continue;
        };
        let of_function = [
            api::complaints(template, function, description),
            sources::complaints(template, function, description),
            grants::complaints(function, description),
            indexes::complaints(template, description),
        ];
        let named = |complaint| format!("{}: {complaint}", function.logical_id);
        complaints.extend(of_function.concat().into_iter().map(named));
    }
    complaints.extend(sources::dead_letters(template));
    complaints
}

/// The logical id of a resource by its name in the code: `DeadLettersQueue` for `dead_letters` and
/// `Queue`.
pub(crate) fn logical_id(name: &str, kind: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    words.chain([kind.to_owned()]).collect()
}

#[cfg(test)]
mod tests;
