//! Licences: every linked package has one that deny.toml allows.

use std::path::Path;

use cargo_metadata::{Metadata, Package};
use spdx::{Expression, ParseMode};

/// The packages whose licence is not allowed.
pub(super) fn refused(workspace: &Path, metadata: &Metadata) -> Vec<String> {
    let allowed = match allowed(workspace) {
        Ok(allowed) => allowed,
        Err(error) => return vec![format!("deny.toml: {error}")],
    };
    metadata.packages.iter().filter_map(|package| complaint(package, &allowed)).collect()
}

fn allowed(workspace: &Path) -> Result<Vec<String>, String> {
    let text = fs_err::read_to_string(workspace.join("deny.toml")).map_err(|e| e.to_string())?;
    let settings: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let allow = settings.get("licenses").and_then(|licenses| licenses.get("allow"));
    let allow = allow.and_then(toml::Value::as_array).ok_or("no list licenses.allow")?;
    Ok(allow.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
}

fn complaint(package: &Package, allowed: &[String]) -> Option<String> {
    let name = format!("{} {}", package.name, package.version);
    match package.license.as_deref() {
        Some(licence) if is_allowed(licence, allowed) => None,
        Some(licence) => Some(format!("{name}: licence {licence} is not allowed by deny.toml")),
        None => Some(format!("{name}: has no licence")),
    }
}

/// Whether the allowed licences satisfy an SPDX expression.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    Expression::parse_mode(expression, ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|requirement| {
            let licence = requirement.to_string();
            allowed.contains(&licence)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_needs_one_allowed_licence_and_a_combination_all() {
        let allowed = ["MIT", "Apache-2.0"].map(str::to_owned);
        for (expression, expected) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0-only OR MIT", true),
            ("MIT AND AGPL-3.0-only", false),
            ("AGPL-3.0-or-later", false),
            ("no licence at all", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }
}
