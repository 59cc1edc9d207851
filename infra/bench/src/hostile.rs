//! `cargo xtask bench hostile`: compares the cost of the worst bodies with a valid request.
//!
//! Each function gets bodies of its maximum size that are as expensive to reject as possible; each
//! response must be a 400. The CPU time of its process is compared, so that waiting for services
//! does not count.

mod bodies;

use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};
use tooling::{Error, say};

use self::bodies::{BODIES, Body};
use super::binaries::{self, Binaries};
use super::candidates::{Candidate, Package};
use super::events::Events;
use super::figures::{median, ms};
use super::function::Function;
use super::setup::Setup;

/// The maximum cost of the worst body, as a multiple of a valid request.
const RATIO_MAX: f64 = 5.0;
/// The maximum length of an error response.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Requests before the measurement.
const WARM_UP: u32 = 10;

#[derive(Args)]
pub(super) struct Arguments {
    /// The number of times that each body is sent.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,

    /// Measures the binaries as last built.
    #[arg(long)]
    no_build: bool,
}

/// A function and its valid body.
struct Target {
    candidate: Candidate,
    method: &'static str,
    path: &'static str,
    /// Whether a valid request hashes a password. It takes so long that all bodies would look
    /// cheap; the cheapest other valid request is used instead.
    hashes: bool,
    valid: fn(&Events) -> Value,
}

static TARGETS: [Target; 7] = [
    target("create_order", "POST", "/orders", Events::order_body),
    target("post_callback", "POST", "/callback", |_| json!({ "object_ids": [2, 4, 6] })),
    target(
        "post_article",
        "POST",
        "/articles",
        // The longest content that is allowed: its hostile bodies have a quarter of a megabyte.
        |_| json!({ "title": "How kettles whistle", "content": "By steam. ".repeat(2_000) }),
    ),
    target("patch_product", "PATCH", "/products/{productId}", |_| json!({ "stock": 3 })),
    target("put_rules", "PUT", "/rules", |_| rules()),
    hashing("post_session", "/sessions", |_| credentials()),
    hashing("post_user", "/users", |_| {
        let mut user = credentials();
        user["name"] = "Ada".into();
        user
    }),
];

const fn target(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    valid: fn(&Events) -> Value,
) -> Target {
    let candidate = Candidate {
        name,
        binary: name,
        package: Package::Functions,
        partner: None,
        event: Events::product,
        is_right: |_| true,
    };
    Target { candidate, method, path, hashes: false, valid }
}

const fn hashing(name: &'static str, path: &'static str, valid: fn(&Events) -> Value) -> Target {
    Target { hashes: true, ..target(name, "POST", path, valid) }
}

fn credentials() -> Value {
    json!({ "email": "ada@example.com", "password": "correct-horse-battery" })
}

fn rules() -> Value {
    let euros = |cents: u32| json!({ "amount": cents, "currency": "EUR" });
    json!({
        "approvalsNeeded": 2, "freeShippingTiers": ["GOLD"], "shipping": euros(490),
        "itemsPerOrder": 25, "quantityPerItem": 99, "sagaTimeoutSeconds": 900,
        "openCredit": euros(500_000),
    })
}

/// The values of one function.
struct Measured {
    name: &'static str,
    limit: usize,
    valid_ms: Option<f64>,
    /// For each body: its time, and the length of its response.
    bodies: Vec<(f64, usize)>,
}

pub(super) async fn run(workspace: &Path, arguments: &Arguments) -> Result<ExitCode, Error> {
    if !arguments.no_build {
        let candidates: Vec<_> = TARGETS.iter().map(|target| &target.candidate).collect();
        binaries::build_candidates(workspace, &candidates)?;
    }
    let setup = Setup::new(Binaries::of(workspace, "release")?, workspace).await?;
    let document = fs_err::read(workspace.join("infra/openapi.json"))?;
    let document = serde_json::from_slice(&document)?;
    let mut measured = Vec::new();
    for target in &TARGETS {
        let limit = limit(&document, target.method, target.path)?;
        measured.push(measure(&setup, target, limit, arguments.rounds).await?);
    }
    say(&table(&measured));
    let complaints = complaints(&measured);
    for complaint in &complaints {
        say(complaint);
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(
    setup: &Setup,
    target: &'static Target,
    limit: usize,
    rounds: u32,
) -> Result<Measured, Error> {
    let name = target.candidate.name;
    let valid = (target.valid)(&setup.events);
    let (mut function, _) = Function::start(setup, &target.candidate).await?;
    let event = |body: &str| setup.events.with_body(target.method, target.path, body);
    let mut valid_ms = None;
    if !target.hashes {
        let mut taken = Vec::new();
        for round in 0..WARM_UP + rounds {
            let (took_ms, answer) = ask(&mut function, &event(&valid.to_string())).await?;
            if !(200..300).contains(&answer.status) {
                return Err(format!("{name}: a valid request: {}", answer.body).into());
            }
            taken.extend((round >= WARM_UP).then_some(took_ms));
        }
        valid_ms = median(&taken);
    }
    let mut bodies = Vec::new();
    for Body { what, make } in &BODIES {
        let body = make(&valid, limit);
        if body.len() > limit || body.len() + 64 < limit {
            return Err(format!("{name}: {what}: {} bytes of {limit}", body.len()).into());
        }
        let (event, mut taken, mut longest) = (event(&body), Vec::new(), 0);
        for _ in 0..rounds {
            let (took_ms, answer) = ask(&mut function, &event).await?;
            if answer.status != 400 {
                return Err(format!("{name}: {what}: {} {}", answer.status, answer.body).into());
            }
            taken.push(took_ms);
            longest = longest.max(answer.body.len());
        }
        bodies.push((median(&taken).unwrap_or_default(), longest));
    }
    function.stop().await?;
    Ok(Measured { name, limit, valid_ms, bodies })
}

/// The maximum body of an endpoint, by the API's description: a deployed program has none.
fn limit(document: &Value, method: &str, path: &str) -> Result<usize, Error> {
    let described = &document["paths"][path][method.to_lowercase()]["requestBody"]["description"];
    let limit = described.as_str().unwrap_or_default();
    let limit = limit.strip_prefix("At most ").and_then(|limit| limit.strip_suffix(" bytes."));
    let limit = limit.ok_or_else(|| format!("infra/openapi.json: no limit of {method} {path}"))?;
    Ok(limit.parse()?)
}

struct Answer {
    status: u64,
    body: String,
}

/// Invokes a function, and returns its CPU time and its response.
async fn ask(function: &mut Function, event: &Bytes) -> Result<(f64, Answer), Error> {
    let before = function.process().cpu_time()?;
    let (answer, _) = function.ask(event).await?;
    let took = function.process().cpu_time()?.saturating_sub(before);
    let answer: Value = serde_json::from_slice(&answer)?;
    let body = answer["body"].as_str().unwrap_or_default().to_owned();
    Ok((ms(took), Answer { status: answer["statusCode"].as_u64().unwrap_or_default(), body }))
}

/// The cost with which each function's bodies are compared.
fn bases(measured: &[Measured]) -> Vec<f64> {
    let cheapest = measured.iter().filter_map(|one| one.valid_ms).fold(f64::INFINITY, f64::min);
    measured.iter().map(|one| one.valid_ms.unwrap_or(cheapest)).collect()
}

fn table(measured: &[Measured]) -> String {
    let bases = bases(measured);
    let row = |what: &str, cells: Vec<String>| format!("| {what} | {} |\n", cells.join(" | "));
    let each = |cell: &dyn Fn(usize, &Measured) -> String| {
        measured.iter().enumerate().map(|(index, one)| cell(index, one)).collect::<Vec<_>>()
    };
    let mut text = row("", each(&|_, one| format!("`{}`", one.name)));
    text += &row("---", each(&|_, _| "---".to_owned()));
    text += &row("largest body, KiB", each(&|_, one| (one.limit / 1024).to_string()));
    text += &row(
        "a valid request, ms",
        each(&|index, one| match one.valid_ms {
            Some(valid_ms) => format!("{valid_ms:.2}"),
            None => format!("({:.2})", bases[index]),
        }),
    );
    for (number, Body { what, .. }) in BODIES.iter().enumerate() {
        let ratio =
            |index: usize, one: &Measured| format!("{:.2}×", one.bodies[number].0 / bases[index]);
        text += &row(what, each(&ratio));
    }
    text += &row(
        "longest answer, bytes",
        each(&|_, one| {
            one.bodies.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default().to_string()
        }),
    );
    text
}

fn complaints(measured: &[Measured]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (one, base) in measured.iter().zip(bases(measured)) {
        for ((took_ms, bytes), Body { what, .. }) in one.bodies.iter().zip(&BODIES) {
            let (name, ratio) = (one.name, took_ms / base);
            if ratio > RATIO_MAX {
                complaints.push(format!(
                    "{name}: {what}: {ratio:.1}× a valid request, {RATIO_MAX}× at most"
                ));
            }
            if *bytes > ANSWER_BYTES_MAX {
                complaints.push(format!(
                    "{name}: {what}: a response of {bytes} bytes, {ANSWER_BYTES_MAX} at most"
                ));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(valid_ms: Option<f64>, worst: (f64, usize)) -> Measured {
        let mut bodies = vec![(0.1, 100); BODIES.len()];
        bodies[1] = worst;
        Measured { name: "post_note", limit: 4096, valid_ms, bodies }
    }

    #[test]
    fn a_ratio_above_5_or_a_response_above_16_kib_is_reported() {
        for (worst, count) in
            [((4.9, 16_384), 0), ((5.1, 100), 1), ((1.0, 16_385), 1), ((6.0, 20_000), 2)]
        {
            let complaints = complaints(&[measured(Some(1.0), worst)]);
            assert_eq!(complaints.len(), count, "{complaints:?}");
        }
    }

    #[test]
    fn the_limit_of_a_body_is_read_from_the_description() {
        let body = json!({ "description": "At most 4096 bytes." });
        let document = json!({ "paths": { "/notes": { "post": { "requestBody": body } } } });
        assert_eq!(limit(&document, "POST", "/notes").unwrap(), 4_096);
        let error = limit(&document, "PUT", "/notes").unwrap_err();
        assert_eq!(error.to_string(), "infra/openapi.json: no limit of PUT /notes");
    }

    #[test]
    fn a_hashing_function_is_compared_with_the_cheapest_other_one() {
        let all = [
            measured(Some(2.0), (1.0, 1)),
            measured(None, (5.5, 1)),
            measured(Some(1.0), (1.0, 1)),
        ];
        assert_eq!(bases(&all), [2.0, 1.0, 1.0]);
        assert_eq!(complaints(&all).len(), 1);
        assert!(table(&all).contains("| (1.00) |"), "{}", table(&all));
    }
}
