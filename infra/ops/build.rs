//! Passes the hash of the sources that shape stored items to the compiler.

#[path = "src/backfill/sources.rs"]
mod sources;

use std::io;
use std::path::Path;

/// The folders and files whose change may change the form of a stored item.
const SOURCES: [&str; 5] =
    ["src", "../../shared/aws/src", "../../shared/domain/src", "../../shared/lifecycle/src", LOCK];
/// The versions of dependencies.
const LOCK: &str = "../../Cargo.lock";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    for path in SOURCES {
        println!("cargo::rerun-if-changed={path}");
    }
    let hash = sources::hash_of(&SOURCES.map(Path::new))?;
    println!("cargo::rustc-env=BACKFILL_SOURCES={hash}");
    Ok(())
}
