//! The shell blocks of the README and of `infra/docs/TOUR.md`, as printed.

use emulator::options::Options;
use testkit::run_documents;

use crate::harness::fresh_platform;

#[test]
fn the_program_of_the_readme_is_the_one_of_the_crate_that_its_tests_compile() {
    let program = |page: &'static str| {
        let block = page.split("```rust").nth(1).expect("the page has a program");
        block
            .split("```")
            .next()
            .and_then(|block| block.split_once('\n'))
            .map(|(_, program)| program)
    };
    let page = include_str!("../../../README.md");
    let of_the_crate = include_str!("../../../shared/aws/README.md");
    assert_eq!(program(page), program(of_the_crate));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shell_blocks_of_the_readme_and_the_tour_print_what_they_promise() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let platform = api.inside().unwrap().platform();
    let pages = [include_str!("../../../README.md"), include_str!("../../../infra/docs/TOUR.md")];
    let said = run_documents(platform, &pages).await;

    let count = |what: &str| said.matches(what).count();
    assert_eq!(count("HTTP/1.1 401 Unauthorized"), 1, "the README's read without a token: {said}");
    assert_eq!(count("HTTP/1.1 400 Bad Request"), 1, "the README's invalid sign-up: {said}");
    for field in ["/email", "/password", "/name", "/nickname"] {
        let violation = format!("\"field\":\"{field}\"");
        assert!(said.contains(&violation), "all violations at once: {said}");
    }
    assert_eq!(count("HTTP/1.1 202 Accepted"), 3, "asked for two mails, called back: {said}");
    let no_content = "verified, set a password, cancelled, and approved by two editors";
    assert_eq!(count("HTTP/1.1 204 No Content"), 5, "{no_content}: {said}");
    let not_found =
        "a second cancellation, a draft, a revoked link to it, an object offline and one gone";
    assert_eq!(count("HTTP/1.1 404 Not Found"), 5, "{not_found}: {said}");
    assert_eq!(
        count("\"data\":{\"id\":42,\"online\":true"),
        1,
        "the object was shown before: {said}"
    );
    assert_eq!(count("HTTP/1.1 409 Conflict"), 1, "a pending order is not cancelled: {said}");
    assert!(
        count("\nage: 1\r") + count("\nage: 2\r") > 0,
        "the response is from the cache: {said}"
    );
    assert!(count("idempotency-replayed: true") >= 2, "orders are replayed: {said}");
    assert_eq!(count("HTTP/1.1 304 Not Modified"), 1, "the article is known: {said}");
    assert_eq!(count("\"code\":\"APPROVALS_MISSING\""), 1, "not published before: {said}");
    assert_eq!(count("\"code\":\"OWN_ARTICLE\""), 1, "{said}");
    let article =
        |status, approvals| count(&format!("\"status\":\"{status}\",\"approvals\":{approvals},"));
    assert_eq!(article("DRAFT", 0), 3, "by the link, and after each edit: {said}");
    assert_eq!(article("PUBLISHED", 2), 2, "to the editor and to the public: {said}");
    assert_eq!(article("PUBLISHED", 0), 0, "no text is published unapproved: {said}");
    // The first order took two of five, once.
    assert!(said.contains("\"name\":\"Kettle\"") && said.contains("\"stock\":3"), "{said}");
    assert_eq!(count("\"status\":\"APPROVED\""), 2, "approved, and by hand: {said}");
    assert!(said.contains("\"serialNumber\":2"), "{said}");
    assert_eq!(count("\"orderStatus\":\"APPROVED\""), 1, "the projection shows it: {said}");
    assert_eq!(count("\"status\":\"REJECTED\""), 1, "{said}");
    assert_eq!(count("\"status\":\"TIMED_OUT\""), 2, "approved after the time-out: {said}");
    // The first occurrence of the name is in the order, the second in the product.
    let stock = |name: &str| {
        let found = said.split(&format!("\"name\":\"{name}\"")).nth(2);
        found.and_then(|rest| rest.split("\"stock\":").nth(1)?.split(',').next())
    };
    assert_eq!([stock("Piano"), stock("Drum")], [Some("5"); 2], "stock is back: {said}");
    assert!(said.contains("Verify your e-mail address"), "{said}");
    assert!(said.contains("\"/oauth/token\":1,"), "one token for two requests: {said}");
    let partner = |status: &str| {
        let labels = format!(r#"method="GET",path="/partner/products",status="{status}""#);
        let series = format!("http_requests_total{{{labels}}} ");
        said.split(&series).skip(1).filter_map(|rest| rest.lines().next()).collect::<Vec<_>>()
    };
    assert_eq!(partner("502"), ["5", "5"], "five failures: {said}");
    assert_eq!(partner("503"), ["1", "1"], "then the circuit was open: {said}");
    assert_eq!(partner("200"), ["2", "6"], "then it worked again: {said}");
    assert_eq!(count("type=\"CIRCUIT_OPENED\"} 1"), 2, "{said}");
}
