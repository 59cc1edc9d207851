//! House checks and operators' commands: `cargo xtask tidy`.

mod aws_cli;
mod bench;
mod cargo_lambda;
mod clients;
mod codegen;
mod context;
mod cost;
mod deploy;
mod descriptions;
mod drift;
mod fuzz;
mod http;
mod ministack;
mod new_endpoint;
mod openapi;
mod pipeline;
mod privileges;
mod process;
mod rollback;
mod sam;
mod supply;
mod switch;
mod template;
mod terminal;
mod tidy;
mod tools;
mod trace;
mod words;
mod workflows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::cargo_lambda::Profile;
use self::descriptions::Error;
use self::terminal::{arguments, complain, done, fail, report, say};

const USAGE: &str = "usage: cargo xtask <command>

  tidy                    checks the house rules that no compiler checks
  codegen                 writes the generated parts of template.yaml, infra/alarms.yaml,
                          functions/Cargo.toml and functions/lib.rs
  codegen --check         compares them with the functions
  drift                   compares the hand-written parts of template.yaml with the functions
  template                checks the expanded templates by cfn-lint and our own rules
  template expand         writes the expanded template.yaml to target/template.json
  stamp                   prepares the output of `sam build` for one stage: stamp --help
  new-endpoint            writes a new endpoint and its declarations: new-endpoint --help
  new-consumer            writes a new consumer and its declarations: new-consumer --help
  privileges              removes each permission from its function; a test has to fail
  privileges --check      compares the table of permissions with template.yaml
  ministack [TEST…]       deploys to an independent emulator and runs the API's tests there;
                          --dev before the tests' names uses binaries of the dev profile
  bench                   measures our functions against bare ones: bench --help
  bench local             measures requests through the local platform
  bench sign-in           tests whether a rejected sign-in's duration reveals an account
  bench callback          measures the response time of a callback of 200 objects
  bench hostile           compares the worst bodies with a valid request
  cost                    writes the use and cost of requests to infra/docs/COST.md: cost --help
  words                   counts words that make sentences hard to read: words --help
  workflows               lints the workflows of .github and their template
  supply-chain            checks licences, sources and advisories of linked crates, and lists them;
                          with --advisories, an unavailable database is an error
  pipeline                runs or rehearses the steps of the workflows: pipeline --help
  deploy                  builds functions and deploys the changed ones: deploy --help
  rollback                moves functions back to earlier versions: rollback --help
  switch-table            replaces a table of the stack by a restored one: switch-table --help
  sam                     runs our functions with SAM's tools: sam --help
  openapi                 writes infra/openapi.json from the binaries' descriptions
  openapi --lint          lints it with Redocly's linter
  clients                 generates clients, and runs a scenario with each: clients --help
  docs-page               tests the documentation page in a browser: docs-page --help
  fuzz                    runs schemathesis against the local API: fuzz --help
  trace                   checks one order's trace, from the request to the mail, in a third-party
                          OTLP receiver
  ops                     operators' commands for a running system: ops --help
  tools LIST              installs the tools of infra/tools/LIST.txt and prints their folder";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => report("tidy", &tidy::complaints(workspace())),
        ["template"] => complain("template", template::complaints(workspace())),
        ["template", "expand"] => done("template", say_path(template::write_expanded(workspace()))),
        ["codegen"] => done("codegen", codegen::write(workspace())),
        ["codegen", "--check"] => complain("codegen", codegen::complaints(workspace())),
        ["drift"] => complain("drift", drift::complaints(workspace())),
        ["privileges"] => complain("privileges", privileges::prove(workspace())),
        ["privileges", "--check"] => complain("privileges", privileges::complaints(workspace())),
        ["ministack", "--dev", ..] => {
            complain("ministack", ministack::run(workspace(), Profile::Dev, &arguments[2..]))
        }
        ["ministack", ..] => {
            complain("ministack", ministack::run(workspace(), Profile::Release, &arguments[1..]))
        }
        ["stamp", ..] => template::release::run(workspace(), &arguments[1..]),
        ["openapi"] => done("openapi", openapi::write(workspace())),
        ["new-endpoint", ..] => new_endpoint::run(workspace(), &arguments[1..]),
        ["new-consumer", ..] => new_endpoint::run_consumer(workspace(), &arguments[1..]),
        ["deploy", ..] => deploy::run(workspace(), &arguments[1..]),
        ["rollback", ..] => rollback::run(workspace(), &arguments[1..]),
        ["switch-table", ..] => switch::run(workspace(), &arguments[1..]),
        ["words", ..] => {
            terminal::run("words", &arguments[1..], |given| words::run(workspace(), given))
        }
        ["workflows"] => complain("workflows", workflows::complaints(workspace())),
        ["supply-chain"] => done("supply-chain", supply::check(workspace(), false)),
        ["supply-chain", "--advisories"] => done("supply-chain", supply::check(workspace(), true)),
        ["pipeline", ..] => pipeline::run(workspace(), &arguments[1..]),
        ["sam", ..] => sam::run(workspace(), &arguments[1..]),
        ["openapi", "--lint"] => done("openapi", openapi::lint(workspace())),
        ["trace"] => done("trace", trace::run(workspace())),
        ["clients", ..] => clients::run(workspace(), &arguments[1..]),
        ["docs-page", ..] => clients::run_page(workspace(), &arguments[1..]),
        ["fuzz", ..] => fuzz::run(workspace(), &arguments[1..]),
        ["cost", ..] => cost::run(workspace(), &arguments[1..]),
        ["bench", ..] => bench::run(workspace(), &arguments[1..]),
        ["ops", ..] => ops::main(&arguments[1..]),
        ["tools", list] => done("tools", say_path(tools::installed(workspace(), list))),
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

fn say_path(path: Result<PathBuf, Error>) -> Result<(), Error> {
    path.map(|path| say(&path.display().to_string()))
}
