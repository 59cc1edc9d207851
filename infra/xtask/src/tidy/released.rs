//! Checks that `tests/items` has items and events of released versions, unchanged and of each type,
//! and that a test reads them. See `lifecycle::released`.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

/// The folder of released items and events.
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
            complaints.push(format!("{path}: {KEPT} has no released item of {name}"));
        }
        if !written.contains(&format!("{test}::<{name}>(")) {
            complaints.push(format!("{path}: no test reads the released items of {name}"));
        }
    }
    complaints
}

/// The record types and the event types, which are marked by `true`.
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
        // Events of the macro `news!`.
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
                complaints.push(format!("{list}: {line}: is not a checksum line"));
                continue;
            };
            let path = format!("{folder}{name}");
            if sum != sha256(&read(&path)) {
                complaints.push(format!(
                    "{path}: differs from its checksum; released files never change"
                ));
            }
            listed.push(path);
        }
    }
    let unlisted = kept.iter().filter(|path| has_extension(path, "json") && !listed.contains(path));
    complaints.extend(unlisted.map(|path| format!("{path}: is not in its version's {SUMS}")));
    complaints
}

/// Whether a file has this extension.
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
    fn a_type_without_a_released_item_or_a_test_that_reads_it_is_found() {
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
    fn a_changed_or_unlisted_released_file_is_found() {
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
