//! The README's own lines, as printed.

use std::process::Stdio;
use std::time::Duration;

use local::options::Options;
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::own;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_of_the_readme_do_what_it_says() {
    let Some(api) = own(Options { demo: true, ..Options::default() }).await else { return };
    let platform = api.inside().unwrap().platform();
    let lines = shell_lines(include_str!("../../README.md"))
        .replace("http://127.0.0.1:3000", &platform.api_url())
        .replace("http://127.0.0.1:3001", &platform.control_url());
    let bash = Command::new("bash")
        .args(["-euc", &lines])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ran = timeout(Duration::from_mins(1), bash).await.expect("they end").unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));

    let count = |what: &str| said.matches(what).count();
    assert_eq!(count("HTTP/1.1 204 No Content"), 1, "the address is verified: {said}");
    assert!(count("\nage: 1\r") + count("\nage: 2\r") > 0, "the cache answers: {said}");
    assert!(count("idempotency-replayed: true") >= 2, "both orders are replayed: {said}");
    // Two of five were taken by the first order, once.
    assert!(said.contains("\"name\":\"Kettle\"") && said.contains("\"stock\":3"), "{said}");
    assert!(said.contains("\"serialNumber\":1"), "the order is approved: {said}");
    assert!(said.contains("Verify your e-mail address"), "{said}");
}

/// What stands in the README's blocks of shell, but for what starts the platform and the tests.
fn shell_lines(readme: &str) -> String {
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|block| !block.starts_with("cargo ")).collect()
}
