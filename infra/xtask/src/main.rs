//! House checks and operators' commands: `cargo xtask tidy`.

mod tidy;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  tidy    the house's rules that no compiler knows";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => report(&tidy::complaints(workspace())),
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

fn report(complaints: &[String]) -> ExitCode {
    complaints.iter().for_each(|complaint| say(complaint));
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
