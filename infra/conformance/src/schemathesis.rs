//! `cargo xtask schemathesis`: runs it against a local API, by its `OpenAPI` document. It makes
//! one anonymous pass, one for each role, and one with all roles.

use std::path::Path;
use std::process::Command;

use aws::tokens::Signer;
use clap::Args;
use demo::seed;
use emulator::Platform;
use emulator::options::Options;
use house::tools;
use lifecycle::clock;
use serde_json::{Value, json};
use tooling::context::Context;
use tooling::{Error, say};

/// Sends generated requests, and checks the responses against the API's description.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The number of generated requests for each operation, in each pass.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    examples: u32,

    /// The seed: the same seed generates the same requests.
    #[arg(long, default_value_t = 7)]
    seed: u64,

    /// Only these passes: nobody, all, or a role.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

impl Arguments {
    fn wants(&self, pass: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == pass)
    }

    fn of_schemathesis(&self) -> [String; 4] {
        let (seed, examples) = (self.seed.to_string(), self.examples.to_string());
        ["--seed".to_owned(), seed, "--max-examples".to_owned(), examples]
    }
}

/// The passes with their roles.
const PASSES: [(&str, &[&str]); 7] = [
    ("nobody", &[]),
    ("all", &["CUSTOMER", "WRITER", "EDITOR", "MERCHANT", "ADMIN"]),
    ("customer", &["CUSTOMER"]),
    ("writer", &["WRITER"]),
    ("editor", &["EDITOR"]),
    ("merchant", &["MERCHANT"]),
    ("admin", &["ADMIN"]),
];

/// The subject of the tokens: the demo's first customer, who has an address.
const SOMEBODY: &str = "00000000-0000-7000-8000-000000000001";

/// The lifetime of the tokens, longer than all passes together.
const LIFETIME_S: u32 = 6 * 60 * 60;

/// Runs the command.
///
/// # Errors
///
/// If a pass has findings, or cannot be run.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let programs = tools::installed(workspace, "schemathesis")?;
    let reports = programs.with_file_name("reports");
    fs_err::create_dir_all(&reports)?;
    let description = reports.join("openapi.json");
    fs_err::write(&description, generatable(workspace)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (platform, signer) = runtime.block_on(start(workspace))?;
    let (mut cases, mut failed) = (0, Vec::new());
    for (name, roles) in PASSES.into_iter().filter(|(name, _)| arguments.wants(name)) {
        say(&format!("== as {name}"));
        let report = reports.join(format!("{name}.json"));
        let mut command = Command::new(programs.join("schemathesis"));
        // It writes its results to its working directory.
        command.current_dir(&reports);
        command.arg("--config-file").arg(workspace.join("infra/schemathesis.toml")).arg("run");
        command.arg(&description);
        command.args(["--url", &platform.api_url()]);
        command.args(["--report", "json", "--report-json-path"]).arg(&report);
        command.args(arguments.of_schemathesis());
        if !roles.is_empty() {
            command.args(["--header", &format!("Authorization: Bearer {}", token(&signer, roles))]);
        }
        if !command.status().context(|| "schemathesis")?.success() {
            failed.push(name);
        }
        cases += cases_in(&report)?;
    }
    runtime.block_on(platform.stop());
    say(&format!("schemathesis: {cases} cases in all"));
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("failed passes, with their findings above: {}", failed.join(", ")).into())
}

/// A platform with the demo's users and without rate limits, and a signer of tokens that it trusts.
async fn start(workspace: &Path) -> Result<(Platform, Signer), Error> {
    let options = Options {
        demo: true,
        template: Some(workspace.join("template.yaml")),
        parameters: seed::limits_out_of_reach().into(),
        ..Options::default()
    };
    let platform = demo::start(options).await?;
    let keys = seed::keys(platform.stores()).await?;
    let signer = Signer::from_secret(
        &keys.signing_keys().to_string(),
        "https://auth.example.com",
        "serverless-api",
    )?;
    Ok((platform, signer))
}

/// The `OpenAPI` document without the patterns that Python's `re` cannot parse: it has no character
/// classes (`\p{Lu}`). For such fields schemathesis generates any text, so some responses are 400.
/// A test in `domain` compares pattern and check for every character.
fn generatable(workspace: &Path) -> Result<String, Error> {
    let path = workspace.join("infra/openapi.json");
    let text = fs_err::read_to_string(&path)?;
    let mut document: Value = serde_json::from_str(&text).context(|| path.display())?;
    without_classes(&mut document);
    Ok(document.to_string())
}

fn without_classes(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("pattern").and_then(Value::as_str).is_some_and(|it| it.contains("\\p{")) {
                object.remove("pattern");
            }
            object.values_mut().for_each(without_classes);
        }
        Value::Array(values) => values.iter_mut().for_each(without_classes),
        _ => {}
    }
}

fn token(signer: &Signer, roles: &[&str]) -> String {
    let claims = json!({
        "sub": SOMEBODY, "roles": roles, "tier": "STANDARD", "emailVerified": true,
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    signer.sign(&claims, clock::now(), LIFETIME_S)
}

/// The number of cases in a pass, from its report.
fn cases_in(report: &Path) -> Result<u64, Error> {
    let bytes = fs_err::read(report)?;
    let report: Value = serde_json::from_slice(&bytes).context(|| report.display())?;
    Ok(report["test_cases"]["generated"].as_u64().unwrap_or_default())
}
