//! House rules that neither the compiler nor clippy checks.
//!
//! Each rule is a function from its input to sentences about problems. A test shows that the rule
//! finds a mistake; another test shows that the workspace has none.

mod arrows;
mod circles;
mod dashboards;
mod layout;
mod licences;
mod released;
mod sources;

use std::path::Path;

use crate::{tracked, words};

/// All problems of the workspace, one sentence each.
pub(crate) fn complaints(workspace: &Path) -> Vec<String> {
    let files = match tracked::files(workspace) {
        Ok(files) => files,
        Err(error) => return vec![format!("the tracked files cannot be listed: {error}")],
    };
    let metadata = match cargo_metadata::MetadataCommand::new().current_dir(workspace).exec() {
        Ok(metadata) => metadata,
        Err(error) => return vec![format!("cargo metadata: {error}")],
    };
    let mut complaints = layout::top_level(&files);
    let default = metadata.workspace_default_packages();
    let default: Vec<&str> = default.iter().map(|package| package.name.as_str()).collect();
    complaints.extend(layout::built_by_default(&default));
    complaints.extend(arrows::upward(&arrows::of(&metadata)));
    complaints.extend(licences::refused(workspace, &metadata));
    let texts = tracked::texts(workspace, &files);
    let all = || texts.iter().map(|(path, text)| (*path, text.as_str()));
    let written: String =
        all().filter(|(path, _)| dashboards::is_source(path)).map(|(_, text)| text).collect();
    let rust: Vec<(&str, &str)> =
        all().filter(|(path, _)| released::has_extension(path, "rs")).collect();
    complaints.extend(circles::complaints(&rust));
    match words::complaints(workspace, &texts) {
        Ok(found) => complaints.extend(found),
        Err(error) => complaints.push(format!("the listed words cannot be counted: {error}")),
    }
    let outside = rust.iter().filter(|(path, _)| !path.starts_with("infra/xtask/"));
    let tested: String = outside.map(|(_, text)| *text).collect();
    complaints.extend(released::changed(workspace, &files));
    for (path, text) in all() {
        complaints.extend(sources::banned(path, text));
        complaints.extend(layout::stages(path, text));
        complaints.extend(released::unkept(path, text, &files, &tested));
        complaints.extend(dashboards::unwritten(path, text, &written));
    }
    complaints
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_follows_the_house_rules() {
        assert_eq!(super::complaints(tooling::workspace()), Vec::<String>::new());
    }
}
