//! House checks and operators' commands: `cargo xtask tidy`.

mod aws_cli;
mod bench;
mod cargo_lambda;
mod clients;
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

  tidy                    the house's rules that no compiler knows
  drift                   whether template.yaml says what the binaries do
  template                whether what AWS makes of the templates is what we want deployed
  template expand         template.yaml as CloudFormation gets it, in target/template.json
  stamp                   makes what `sam build` has built ready for one stage: stamp --help
  new-endpoint            an endpoint's file and all that has to know of it: new-endpoint --help
  privileges              takes each right from its function, and sees a test fail for it
  privileges --check      whether the table of rights has those of template.yaml
  ministack [TEST…]       deploys to an independent platform and runs the API's tests there;
                          --dev before the tests' names takes binaries that are quickly built
  bench                   our functions beside bare ones: bench --help
  bench local             requests through the local platform
  bench sign-in           whether a refused sign-in's time tells who has an account
  bench callback          how long a callback of 200 objects waits for its answer
  bench hostile           the worst bodies beside a valid request
  cost                    what requests use and cost, into infra/docs/COST.md: cost --help
  words                   counts words that make sentences hard to read: words --help
  workflows               the workflows of .github and their template, by other people's linters
  supply-chain            licences, sources and known advisories of what is linked, and a list of it;
                          with --advisories it is an error where their database cannot be had
  pipeline                the steps of the workflows, and their rehearsal: pipeline --help
  deploy                  builds functions and deploys those that changed: deploy --help
  rollback                moves functions back to the versions that they had: rollback --help
  switch-table            a restored table takes the place of one of the stack's: switch-table --help
  sam                     our functions as SAM's tools run them: sam --help
  openapi                 writes infra/openapi.json from what the binaries say
  openapi --lint          what Redocly's linter has to say of it
  clients                 generates clients, and runs a story with each: clients --help
  docs-page               the documentation page in a browser: docs-page --help
  fuzz                    schemathesis against the API that runs here: fuzz --help
  trace                   one order's trace, from the request to the mail, in an OTLP receiver that
                          others wrote
  ops                     what operators do with a running system: ops --help
  tools LIST              installs the tools of infra/tools/LIST.txt and says in which folder";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => report("tidy", &tidy::complaints(workspace())),
        ["template"] => complain("template", template::complaints(workspace())),
        ["template", "expand"] => done("template", say_path(template::write_expanded(workspace()))),
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
