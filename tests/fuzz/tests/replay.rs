//! Runs each target on its seeds and on the kept inputs, without libFuzzer.

use std::panic::catch_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{iter, thread};

use fs_err as fs;
use serde_json::{Value, json};
use store_fuzz::{seeds, targets};

#[test]
fn no_seed_and_no_kept_input_is_a_finding() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut inputs = Vec::new();
    for target in targets::ALL {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seed", target.name);
        let kept = fs::read_dir(corpus.join(target.name)).into_iter().flatten();
        let kept = kept.map(|entry| entry.expect("the folder is readable").path());
        let kept = kept.map(|path| {
            let bytes = fs::read(&path).expect("the file is readable");
            (path.display().to_string(), bytes)
        });
        for (name, bytes) in seeds.into_iter().chain(kept) {
            let name = format!("{}: {name}", target.name);
            assert!(bytes.len() <= target.max_len, "{name} is too long");
            inputs.push((target, name, bytes));
        }
    }
    let findings = findings(&inputs, |(target, name, bytes)| {
        // An overflowing stack ends the process with the thread's name: the last line of that thread
        // names the input.
        println!("{}: {name}", thread::current().name().unwrap_or_default());
        catch_unwind(|| (target.run)(bytes)).is_err().then(|| name.clone())
    });
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn an_item_with_an_odd_attribute_is_no_finding() {
    let odd = [
        json!({ "S": "" }),
        json!({ "S": " \u{feff}\u{0}\u{202e}\u{fffd}@ " }),
        json!({ "S": "x".repeat(10_000) }),
        json!({ "N": "-1" }),
        json!({ "N": "0" }),
        json!({ "N": i64::MAX.to_string() }),
        json!({ "N": i64::MIN.to_string() }),
        json!({ "L": [] }),
    ];
    let findings = findings(&(targets::ITEM.seeds)(), |(name, bytes)| {
        let (table, item) = seeds::named(bytes).expect("a seed has a table");
        let item: Value = serde_json::from_slice(item).expect("a seed is JSON");
        let mut findings = Vec::new();
        for path in attributes(&item, "") {
            for value in &odd {
                let mut item = item.clone();
                *item.pointer_mut(&path).expect("it is there") = value.clone();
                let (_, input) = seeds::seed(table, "odd", item.to_string().as_bytes());
                if catch_unwind(|| (targets::ITEM.run)(&input)).is_err() {
                    findings.push(format!("{table} {name}: {path} is {value}"));
                }
            }
        }
        findings
    });
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// The findings of a function that runs inputs, in order. It is called on all processors.
fn findings<T: Sync, F: IntoIterator<Item = String>>(
    inputs: &[T],
    run: impl Fn(&T) -> F + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let run_some = || -> Vec<String> {
        let some = iter::from_fn(|| inputs.get(next.fetch_add(1, Ordering::Relaxed)));
        some.flat_map(&run).collect()
    };
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let mut findings: Vec<String> = thread::scope(|scope| {
        let start = |job: usize| {
            let thread = thread::Builder::new().name(format!("replay {job}"));
            thread.spawn_scoped(scope, run_some).expect("a thread starts")
        };
        let threads: Vec<_> = (0..jobs).map(start).collect();
        // A thread that is joined has dropped its store.
        threads.into_iter().flat_map(|it| it.join().expect("each seed is valid")).collect()
    });
    findings.sort();
    findings
}

/// The paths of an item's attributes, also of those within others.
fn attributes(item: &Value, path: &str) -> Vec<String> {
    let nested: Vec<(String, &Value)> = match item {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (format!("{path}/{name}"), value)).collect()
        }
        Value::Array(members) => {
            members.iter().enumerate().map(|(at, value)| (format!("{path}/{at}"), value)).collect()
        }
        _ => Vec::new(),
    };
    let nested = nested.into_iter().flat_map(|(path, value)| {
        let is_container = path.ends_with("/M") || path.ends_with("/L");
        let mut paths = attributes(value, &path);
        if !is_container && value.is_object() {
            paths.push(path);
        }
        paths
    });
    nested.collect()
}

#[test]
fn each_described_body_is_fuzzed() {
    let (described, covered) = targets::described_and_covered();
    assert!(described > 0);
    assert_eq!(covered, described);
}

#[test]
fn each_target_has_a_program_of_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let files = fs::read_dir(folder).expect("the folder is there");
    let names = files.map(|entry| entry.expect("readable").path().file_stem().map(Into::into));
    let mut names: Vec<std::ffi::OsString> = names.flatten().collect();
    names.sort();
    assert_eq!(names, targets::ALL.map(|target| target.name));
}
