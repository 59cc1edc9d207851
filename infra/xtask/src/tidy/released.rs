//! What released versions stored and sent is kept in `tests/items`, of each type, unchanged, and read
//! by a test: `lifecycle::released` has how.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Where it is kept.
const KEPT: &str = "tests/items/";
/// The list of a version's files with their SHA-256.
const SUMS: &str = "SHA256SUMS";

/// The record types and events of a source that have no released items, or no test that reads them.
pub(super) fn unkept(path: &str, text: &str, files: &[String], written: &str) -> Vec<String> {
    let is_ours = ["functions/", "shared/", "infra/ops/"].iter().any(|top| path.starts_with(top));
    if !is_ours || !has_extension(path, "rs") || path.contains("/tests") {
        return Vec::new();
    }
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut complaints = Vec::new();
    for (is_event, name) in stored_types(code) {
        let (folder, test) = if is_event { ("events", "holds_events") } else { ("", "holds") };
        let file = format!("{folder}/{name}.json");
        if !files.iter().any(|kept| kept.starts_with(KEPT) && kept.ends_with(&file)) {
            complaints.push(format!("{path}: {KEPT} has no item of {name} as a version wrote it"));
        }
        if !written.contains(&format!("{test}::<{name}>(")) {
            complaints.push(format!("{path}: no test reads the released items of {name}"));
        }
    }
    complaints
}

/// The types that are stored, and those that are sent.
fn stored_types(code: &str) -> Vec<(bool, &str)> {
    let mut types = Vec::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let named = |trait_for: &str| {
            let name = line.strip_prefix(trait_for)?.split([' ', '<', '{']).next()?;
            (!name.starts_with('$')).then_some(name)
        };
        types.extend(named("impl Record for ").map(|name| (false, name)));
        types.extend(named("impl EventData for ").map(|name| (true, name)));
        // Events that a macro defines.
        if line == "news! {" {
            let name = lines.by_ref().map(str::trim).find(|line| !line.starts_with("//"));
            types.extend(name.map(|name| (true, name)));
        }
    }
    types
}

/// The files of released versions that were changed, added without being listed, or removed.
pub(super) fn changed(workspace: &Path, files: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    let kept: Vec<_> = files.iter().filter(|path| path.starts_with(KEPT)).collect();
    let lists = kept.iter().filter(|path| path.ends_with(SUMS));
    let read = |path: &str| fs_err::read(workspace.join(path)).unwrap_or_default();
    let mut listed = Vec::new();
    for list in lists {
        let folder = list.trim_end_matches(SUMS);
        for line in String::from_utf8_lossy(&read(list)).lines() {
            let Some((sum, name)) = line.split_once("  ") else {
                complaints.push(format!("{list}: {line}: is no sum"));
                continue;
            };
            let path = format!("{folder}{name}");
            if sum != sha256(&read(&path)) {
                complaints.push(format!("{path}: is not as its version wrote it"));
            }
            listed.push(path);
        }
    }
    let unlisted = kept.iter().filter(|path| has_extension(path, "json") && !listed.contains(path));
    complaints.extend(unlisted.map(|path| format!("{path}: is not in its version's {SUMS}")));
    complaints
}

/// Whether a file is of this kind.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes any text");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
        impl Record for Order {\n}\nimpl EventData for OrderCreated {\n}\n\
        macro_rules! news {\n    impl EventData for $name {\n}\nnews! {\n    /// Approved.\n    OrderApproved\n}\n\
        #[cfg(test)]\nmod tests {\nimpl Record for Made {\n}\n}\n";

    #[test]
    fn a_record_type_or_event_without_a_released_item_or_its_test_is_found() {
        let path = "shared/domain/src/orders/order.rs";
        let kept = ["orders/Order", "events/OrderCreated", "events/OrderApproved"];
        let kept = kept.map(|name| format!("tests/items/v1/{name}.json"));
        let tests = "holds::<Order>(&[]); holds_events::<OrderCreated>(&[]); holds_events::<OrderApproved>(&[]);";
        assert_eq!(unkept(path, SOURCE, &kept, tests), Vec::<String>::new());
        assert_eq!(unkept(path, SOURCE, &kept[1..], tests).len(), 1);
        assert_eq!(unkept(path, SOURCE, &kept[..1], tests).len(), 2);
        assert_eq!(unkept(path, SOURCE, &kept, "").len(), 3);
        assert!(unkept("shared/aws/src/tests/reads.rs", SOURCE, &[], "").is_empty());
        assert!(unkept("tests/api/pages.rs", SOURCE, &[], "").is_empty());
    }

    #[test]
    fn a_released_item_that_was_changed_or_is_not_listed_is_found() {
        let folder = std::env::temp_dir().join(format!("released-{}", std::process::id()));
        fs_err::create_dir_all(folder.join("tests/items/v1/orders")).unwrap();
        let write = |name: &str, text: &str| {
            fs_err::write(folder.join("tests/items/v1").join(name), text).unwrap();
        };
        write("orders/Order.json", "[]");
        write(SUMS, &format!("{}  orders/Order.json\n", sha256(b"[]")));
        let files = ["orders/Order.json", SUMS].map(|name| format!("tests/items/v1/{name}"));
        assert_eq!(changed(&folder, &files), Vec::<String>::new());
        write("orders/Order.json", "[{}]");
        assert_eq!(changed(&folder, &files).len(), 1);
        let more = [&files[..], &["tests/items/v1/orders/Other.json".to_owned()]].concat();
        assert_eq!(changed(&folder, &more).len(), 2);
        fs_err::remove_dir_all(folder).unwrap();
    }
}
