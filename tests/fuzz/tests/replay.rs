//! Runs each target on its seeds and on the kept inputs, without libFuzzer.

use std::panic::catch_unwind;
use std::path::Path;

use fs_err as fs;
use store_fuzz::targets;

#[test]
fn no_seed_and_no_kept_input_is_a_finding() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut findings = Vec::new();
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
            // An overflowing stack ends the process: the last line then names the input.
            println!("{}: {name}", target.name);
            assert!(bytes.len() <= target.max_len, "{}: {name} is too long", target.name);
            if catch_unwind(|| (target.run)(&bytes)).is_err() {
                findings.push(format!("{}: {name}", target.name));
            }
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
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
