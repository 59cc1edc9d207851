//! The platform's command-line options.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::services::Identities;
use sam_template::{Permission, ReadOptions, Template};

/// The options of a platform. By default it uses the nearest template upwards, free ports, and
/// keeps no data.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a command-line flag")]
pub struct Options {
    /// The API's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// The control address's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 3001)]
    pub control_port: u16,

    /// Begins with the application's demo data.
    #[arg(long)]
    pub demo: bool,

    /// Keeps the tables, messages, secrets and mails in this directory; by default they are lost at
    /// the end.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Builds and runs the functions with optimisations and only their own features, as they are
    /// deployed.
    #[arg(long)]
    pub release: bool,

    /// The template; by default the first template.yaml or template.yml in this directory or above.
    #[arg(long, value_name = "PATH")]
    pub template: Option<PathBuf>,

    /// The API's `OpenAPI` document in JSON, which the control address shows at /docs; by default the
    /// application's. It is read at each request.
    #[arg(long, value_name = "FILE")]
    pub openapi: Option<PathBuf>,

    /// The cargo workspace of the functions; by default the template's directory.
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,

    /// A parameter of the template, `NAME=VALUE`; may be given more than once.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,

    /// A permission to remove from a function, as `GetUserFunction dynamodb:GetItem UsersTable`;
    /// may be given more than once.
    #[arg(long, value_name = "RIGHT")]
    pub without: Vec<Permission>,

    /// A type of resource, or a logical id, that the platform leaves out; may be given more than
    /// once. References to it get a name or an ARN.
    #[arg(long = "ignore", value_name = "TYPE")]
    pub ignored: Vec<String>,

    /// A domain or an address that SES treats as verified; may be given more than once. By default
    /// the domain of the template's parameter `MailFrom`.
    #[arg(long = "identity", value_name = "IDENTITY")]
    pub identities: Vec<String>,

    /// Makes SES accept only verified recipients, as in a new account.
    #[arg(long)]
    pub mail_sandbox: bool,

    /// Runs the functions as last built, without building them again.
    #[arg(long)]
    pub no_build: bool,

    /// The format of the logs.
    #[arg(skip)]
    pub logs: Logs,

    /// Runs no schedules and rotations, so that only requests cause work.
    #[arg(skip)]
    pub without_schedules: bool,

    /// Per function, by logical id: the invocations that one environment serves at once, as on
    /// Lambda Managed Instances.
    #[arg(skip)]
    pub invocations_per_environment: BTreeMap<String, usize>,
}

/// The format of the logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Logs {
    /// None, for tests.
    #[default]
    Quiet,
    /// One short line each, for a person.
    Readable,
    /// As the functions print them.
    Json,
}

impl Options {
    /// The template's path.
    pub(crate) fn template(&self) -> Option<PathBuf> {
        match &self.template {
            Some(path) => Some(path.clone()),
            None => nearest(&["template.yaml", "template.yml"], &std::env::current_dir().ok()?),
        }
    }

    /// The workspace in which the functions of this template are built.
    pub(crate) fn workspace<'a>(&'a self, template: &'a Path) -> &'a Path {
        // The parent of a one-component path is the empty path, which is not a directory.
        let parent = template.parent().filter(|parent| !parent.as_os_str().is_empty());
        self.workspace.as_deref().or(parent).unwrap_or(Path::new("."))
    }

    /// The identities of SES.
    pub(crate) fn identities(&self, template: &Template) -> Identities {
        if self.identities.is_empty() {
            Identities::of_sender(template, self.mail_sandbox)
        } else {
            Identities::new(self.identities.iter().cloned(), self.mail_sandbox)
        }
    }

    /// How to read the template. `known` are the parameters that the platform knows.
    pub(crate) fn reading(&self, known: BTreeMap<String, String>) -> ReadOptions {
        ReadOptions {
            parameters: self.parameters.iter().cloned().collect(),
            known,
            ignored: self.ignored.iter().cloned().collect(),
        }
    }
}

/// The first file of one of these names in a directory or its ancestors.
fn nearest(names: &[&str], directory: &Path) -> Option<PathBuf> {
    let mut paths =
        directory.ancestors().flat_map(|it| names.iter().map(move |name| it.join(name)));
    paths.find(|path| path.is_file())
}

fn parameter(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
