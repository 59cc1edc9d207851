//! Documents whose shell blocks are run.

use std::process::Stdio;
use std::time::Duration;

use emulator::Platform;
use tokio::process::Command;
use tokio::time::timeout;

/// How long all blocks may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs the shell blocks of pages in Markdown, as printed and in order, in one `bash` that stops at
/// the first failure. Returns the standard output.
///
/// A block begins with a line of three backticks and `sh`. Blocks that begin with `cargo ` are left
/// out: they start the platform or the tests. The default addresses `http://127.0.0.1:3000` and
/// `http://127.0.0.1:3001` are replaced by those of the platform.
///
/// # Panics
/// If a command fails, or if all take more than five minutes.
pub async fn run_documents(platform: &Platform, pages: &[&str]) -> String {
    let lines: String = pages.iter().copied().flat_map(shell_blocks).collect();
    let lines = lines
        .replace("http://127.0.0.1:3000", &platform.api_url())
        .replace("http://127.0.0.1:3001", &platform.control_url());
    let bash = Command::new("bash")
        .args(["-euc", &lines])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ran = timeout(PATIENCE, bash).await.expect("the lines end").expect("bash can be run");
    let output = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{output}\n{}", String::from_utf8_lossy(&ran.stderr));
    output
}

/// The shell blocks of a page, except those that start the platform or the tests.
fn shell_blocks(page: &str) -> impl Iterator<Item = &str> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|block| !block.starts_with("cargo "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_blocks_are_found_in_order_without_those_of_cargo() {
        let page = "# Notes\n```sh\ncargo local\n```\nThen:\n```sh\nA=1\n```\n\
                    ```json\n{}\n```\n```sh\necho $A\n```\n";
        assert_eq!(shell_blocks(page).collect::<String>(), "A=1\necho $A\n");
    }
}
