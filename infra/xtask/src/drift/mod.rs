//! `cargo xtask drift`: whether template.yaml says what the binaries do.
//!
//! What the template must say of a function is worked out from the function's own description and
//! compared with what it says: routes and authorizers, event sources, environment, indexes, and a
//! policy that is no wider and no narrower than what the function uses.

mod api;
mod cors;
mod grants;
mod indexes;
mod sources;

use std::collections::BTreeMap;
use std::path::Path;

use local::template::Template;

use crate::descriptions::{self, Description, Error};
use crate::openapi;

/// The ways in which the template differs from the binaries, one sentence each.
///
/// # Errors
///
/// When the template cannot be read or the binaries cannot be asked.
pub(crate) fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    let descriptions = descriptions::of(workspace, &template.binaries())?;
    let document = serde_json::from_str(&fs_err::read_to_string(openapi::path(workspace))?)?;
    let mut complaints = between(&template, &descriptions);
    complaints.extend(cors::complaints(&template, &document));
    Ok(complaints)
}

/// The same, of a template and descriptions that are known.
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

/// The logical id of a resource, by its name in the code: `dead_letters`, `Queue` is
/// `DeadLettersQueue`.
pub(crate) fn logical_id(name: &str, kind: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    words.chain([kind.to_owned()]).collect()
}

#[cfg(test)]
mod tests;
