//! Runs each target on its seeds and on the kept inputs, without libFuzzer.

use std::path::Path;

use fs_err as fs;
use store_fuzz::targets;

#[test]
fn no_seed_and_no_kept_input_is_a_finding() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in targets::ALL {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seed", target.name);
        for (name, bytes) in &seeds {
            println!("{}: {name}", target.name);
            assert!(bytes.len() <= target.max_len, "{}: {name} is too long", target.name);
            (target.run)(bytes);
        }
        let Ok(kept) = fs::read_dir(corpus.join(target.name)) else { continue };
        for path in kept.map(|entry| entry.expect("the folder is readable").path()) {
            println!("{}", path.display());
            (target.run)(&fs::read(path).expect("the file is readable"));
        }
    }
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
