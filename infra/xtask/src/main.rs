//! House checks and operators' commands: `cargo xtask tidy`.

mod tidy;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  tidy                    the house's rules that no compiler knows
  keys FOLDER             a fresh pair of keys for tokens: signing.json and verification.json";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => report(&tidy::complaints(workspace())),
        ["keys", folder] => keys(Path::new(folder)),
        _ => {
            say(USAGE);
            ExitCode::from(2)
        }
    }
}

/// The workspace that this binary was built in.
fn workspace() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("the crate lies two directories below the workspace")
}

/// Writes what the two secrets for tokens hold. The folder must not have them yet: overwriting a
/// signing key would lose it.
fn keys(folder: &Path) -> ExitCode {
    match write_keys(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("keys: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn write_keys(folder: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pair = adapters::tokens::generate()?;
    let secrets = [("signing", pair.signing.clone()), ("verification", pair.verification_set())];
    for (name, secret) in secrets {
        let path = folder.join(format!("{name}.json"));
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        write!(file, "{secret}")?;
        say(&format!("{} is for the {name} keys' secret", path.display()));
    }
    Ok(())
}

fn report(complaints: &[String]) -> ExitCode {
    for complaint in complaints {
        say(complaint);
    }
    if complaints.is_empty() {
        say("tidy: nothing to complain about");
        ExitCode::SUCCESS
    } else {
        say(&format!("tidy: {} complaints", complaints.len()));
        ExitCode::FAILURE
    }
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn say(line: &str) {
    println!("{line}");
}
