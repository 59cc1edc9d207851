//! What the platform can be told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::stores::Identities;
use crate::template::{Grant, Template};

/// How a platform is to be. Without anything it is the template found from here upwards, on free
/// ports, with nothing kept.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    /// The API's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// The control address's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 3001)]
    pub control_port: u16,

    /// Begins with the people and products of the README and infra/docs/TOUR.md.
    #[arg(long)]
    pub demo: bool,

    /// Keeps the tables in this directory; otherwise they are gone at the end.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Builds and runs the functions as they are deployed, optimised.
    #[arg(long)]
    pub release: bool,

    /// The template; by default the first template.yaml from here upwards.
    #[arg(long, value_name = "PATH")]
    pub template: Option<PathBuf>,

    /// The cargo workspace that has the functions; by default the one that the template is in.
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,

    /// A parameter of the template, `NAME=VALUE`; may be given more than once.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,

    /// A right that a function is to be without, as `GetUserFunction dynamodb:GetItem UsersTable`;
    /// may be given more than once.
    #[arg(long, value_name = "RIGHT")]
    pub without: Vec<Grant>,

    /// A domain or an address that SES is to have verified; may be given more than once. By default
    /// it is the domain of the template's parameter `MailFrom`.
    #[arg(long = "identity", value_name = "IDENTITY")]
    pub identities: Vec<String>,

    /// Has SES take mail to verified recipients alone, as it does from a new account.
    #[arg(long)]
    pub mail_sandbox: bool,

    /// Runs the functions as they were last built.
    #[arg(long)]
    pub no_build: bool,

    /// How logs are shown.
    #[arg(skip)]
    pub logs: Logs,

    /// Functions, by logical id, of which one process serves several invocations at once, as on
    /// Lambda Managed Instances: how many.
    #[arg(skip)]
    pub invocations_per_environment: BTreeMap<String, usize>,
}

/// How logs are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Logs {
    /// Not at all: what tests want.
    #[default]
    Quiet,
    /// A short line each, for people.
    Readable,
    /// As the functions print them.
    Json,
}

impl Options {
    /// The template's path.
    pub(crate) fn template(&self) -> Option<PathBuf> {
        match &self.template {
            Some(path) => Some(path.clone()),
            None => nearest("template.yaml", &std::env::current_dir().ok()?),
        }
    }

    /// Where the functions are built that this template names.
    pub(crate) fn workspace<'a>(&'a self, template: &'a Path) -> &'a Path {
        // A path of one component has the empty path as its parent, which is no directory.
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

    /// The template's parameters.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        self.parameters.iter().cloned().collect()
    }
}

/// The first file of this name in a directory or those above it.
fn nearest(name: &str, directory: &Path) -> Option<PathBuf> {
    directory.ancestors().map(|ancestor| ancestor.join(name)).find(|path| path.is_file())
}

fn parameter(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
