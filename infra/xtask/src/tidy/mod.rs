//! House rules that neither the compiler nor clippy checks.
//!
//! Each rule is a function from its input to sentences about problems. A test shows that the rule
//! finds a mistake; another test shows that the workspace has none.

mod arrows;
mod circles;
mod dashboards;
mod facts;
mod features;
mod filters;
mod layout;
mod licences;
mod locks;
mod names;
mod paths;
mod released;
mod sources;
pub(crate) mod tracked;

use std::path::Path;
use std::thread;

use crate::publish::manifests;
use crate::words;

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
    complaints.extend(manifests::complaints(&metadata));
    let texts = tracked::texts(workspace, &files);
    let all: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let rust = all.iter().copied().filter(|(path, _)| released::has_extension(path, "rs"));
    let rust: Vec<(&str, &str)> = rust.collect();
    // The slow ones run at the same time. Their complaints keep this order.
    let rules: [&(dyn Fn() -> Vec<String> + Sync); 6] = [
        &|| features::complaints(workspace),
        &|| circles::complaints(&rust),
        &|| [names::unknown(&all), facts::changed(&all), locks::differing(&all)].concat(),
        &|| match words::complaints(workspace, &texts) {
            Ok(found) => found,
            Err(error) => vec![format!("the listed words cannot be counted: {error}")],
        },
        &|| released::changed(workspace, &files),
        &|| of_single_files(&all, &rust, &files),
    ];
    let found = thread::scope(|scope| {
        let running = rules.map(|rule| scope.spawn(rule));
        running.map(|rule| rule.join().expect("no rule panics"))
    });
    complaints.extend(found.into_iter().flatten());
    complaints
}

/// The problems of single files, file by file.
fn of_single_files(all: &[(&str, &str)], rust: &[(&str, &str)], files: &[String]) -> Vec<String> {
    let measuring = dashboards::Sources::of(all);
    let outside = rust.iter().filter(|(path, _)| !path.starts_with("infra/xtask/"));
    let tested: String = outside.map(|(_, text)| *text).collect();
    let mut complaints = Vec::new();
    for (path, text) in all {
        complaints.extend(sources::banned(path, text));
        complaints.extend(layout::stages(path, text));
        complaints.extend(released::unkept(path, text, files, &tested));
        complaints.extend(dashboards::unwritten(path, text, &measuring));
        complaints.extend(filters::unfixed(path, text, rust));
        complaints.extend(filters::unalarmed(path, text, rust));
        complaints.extend(paths::missing(path, text, files));
    }
    complaints
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_follows_the_house_rules() {
        assert_eq!(super::complaints(house::workspace()), Vec::<String>::new());
    }
}
