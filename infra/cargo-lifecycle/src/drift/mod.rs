//! `cargo lifecycle drift`: checks that the template matches the binaries.
//!
//! `cargo lifecycle codegen` generates routes, environments, policies and event sources. This command
//! compares the deployed routes, and the settings that a person writes: the keys of tables and of their
//! indexes, the rotation, the queues' visibility timeouts, the variables of all functions, and CORS. A
//! function of another package may read any variable of `Globals`, so none of them is a difference then.

mod api;
mod cors;
mod sources;
mod tables;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use sam_template::Template;
use tooling::Error;
use tooling::context::Context;
use tooling::descriptions::Description;

use crate::service::Service;

/// The differences between the template and the binaries, one sentence each.
///
/// # Errors
///
/// If the template cannot be read, or the binaries cannot be described.
pub fn complaints(service: &Service) -> Result<Vec<String>, Error> {
    let template = template_of(service)?;
    let descriptions = service.descriptions(&service.binaries_in(&template)?)?;
    let mut complaints = between(&template, &descriptions);
    if let Some(document) = &service.settings().openapi.document {
        let path = service.path(document);
        let document = fs_err::read_to_string(&path)?;
        let document = serde_json::from_str(&document).context(|| path.display())?;
        complaints.extend(cors::complaints(&template, &document));
    }
    Ok(complaints)
}

/// The template with the package's functions. They lack the variables of all other functions: one of
/// those may read a variable of `Globals`.
pub(crate) fn template_of(service: &Service) -> Result<Template, Error> {
    let mut template = service.template()?;
    let others = template.functions.values().filter(|function| service.is_other(function));
    let read: BTreeSet<String> =
        others.flat_map(|function| function.environment.keys().cloned()).collect();
    template.functions.retain(|_, function| !service.is_other(function));
    for function in template.functions.values_mut() {
        function.environment.retain(|name, _| !read.contains(name));
    }
    Ok(template)
}

/// The same for a given template and given descriptions.
pub fn between(template: &Template, descriptions: &BTreeMap<String, Description>) -> Vec<String> {
    let mut complaints = variables::complaints(template, descriptions);
    for function in template.functions.values() {
        let Some(description) = descriptions.get(&function.binary) else {
            complaints.push(format!("{}: no binary {}", function.logical_id, function.binary));
            continue;
        };
        let of_function = [
            api::complaints(template, function, description),
            sources::complaints(template, function, description),
            tables::complaints(template, description),
        ];
        let named = |complaint| format!("{}: {complaint}", function.logical_id);
        complaints.extend(of_function.concat().into_iter().map(named));
    }
    complaints
}

#[cfg(test)]
mod tests;
