//! Writes the seeds and the dictionary of each target, and prints `name max_len` of each.
//!
//! `cargo xtask fuzz` runs it: `seeds <folder>`.

use std::path::PathBuf;

use fs_err as fs;
use store_fuzz::targets;
use tooling::say;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the first argument is a folder"));
    for target in targets::ALL {
        let seeds = folder.join(target.name);
        fs::create_dir_all(&seeds)?;
        for (name, bytes) in (target.seeds)() {
            fs::write(seeds.join(name), bytes)?;
        }
        let words = target.dictionary.iter().map(|word| format!("\"{}\"\n", escaped(word)));
        fs::write(folder.join(format!("{}.dict", target.name)), words.collect::<String>())?;
        say(&format!("{} {}", target.name, target.max_len));
    }
    Ok(())
}

/// A word in the form of libFuzzer's dictionaries.
fn escaped(word: &str) -> String {
    let bytes = word.bytes().map(|byte| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    });
    bytes.collect()
}
