//! The environment of a run's functions.

use fs_err as fs;
use std::path::{Path, PathBuf};
use tooling::Error;

use aws::tokens;
use domain::resources::QUEUES;
use lifecycle::effects::QueueName;

use super::binaries::Binaries;
use super::candidates::Candidate;
use super::events::{AUDIENCE, Events, ISSUER};
use super::items::Items;
use super::services::Services;

/// The system's root certificates on Debian and Amazon Linux.
const SYSTEM_ROOTS: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// One run: the services, the events, and a folder that is deleted at the end.
pub(super) struct Setup {
    pub(super) services: Services,
    pub(super) events: Events,
    binaries: Binaries,
    folder: PathBuf,
    /// Variables of some measurements, which replace others.
    more: Vec<(String, String)>,
}

impl Setup {
    pub(super) async fn new(binaries: Binaries, workspace: &Path) -> Result<Self, Error> {
        let items = Items::new();
        let keys = tokens::generate()?;
        let events = Events::new(&items, &keys)?;
        let services = Services::start(&items, &keys).await?;
        let folder = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let setup = Self { services, events, binaries, folder, more: Vec::new() };
        setup.write_roots(workspace)?;
        Ok(setup)
    }

    /// Two bundles as long as on AWS: Amazon's roots, which our functions contain, and the
    /// system's, which the SDK reads by default. The run's root is added to each.
    fn write_roots(&self, workspace: &Path) -> Result<(), Error> {
        let amazon = fs::read_to_string(workspace.join("shared/aws/roots/amazon.pem"))?;
        let system = SYSTEM_ROOTS.iter().find_map(|path| fs::read_to_string(path).ok());
        let own = &self.services.root;
        fs::write(self.amazon_roots(), format!("{amazon}\n{own}"))?;
        fs::write(self.system_roots(), format!("{}\n{own}", system.unwrap_or_default()))?;
        Ok(())
    }

    fn amazon_roots(&self) -> PathBuf {
        self.folder.join("amazon.pem")
    }

    fn system_roots(&self) -> PathBuf {
        self.folder.join("system.pem")
    }

    pub(super) fn binary(&self, candidate: &Candidate) -> Result<PathBuf, Error> {
        self.binaries.path(candidate.binary)
    }

    /// Adds environment variables; they replace those of the same names.
    pub(super) fn set(&mut self, variables: Vec<(String, String)>) {
        self.more = variables;
    }

    /// A file of the run.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The log file of a candidate's process; each start overwrites it.
    pub(super) fn log(&self, candidate: &Candidate) -> PathBuf {
        self.folder.join(format!("{}.log", candidate.name))
    }

    /// The environment variables of a process: Lambda's and the template's.
    pub(super) fn variables(&self, runtime_api: &str) -> Vec<(String, String)> {
        let url = self.services.url.as_str();
        let (amazon, system) = (self.amazon_roots(), self.system_roots());
        let lambda = [
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_CA_BUNDLE", &amazon.to_string_lossy()),
            ("AWS_ENDPOINT_URL_DYNAMODB", url),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url),
            ("AWS_ENDPOINT_URL_SQS", url),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "session"),
            ("SSL_CERT_FILE", &system.to_string_lossy()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let tables = [
            "addresses",
            "articles",
            "ledger",
            "limits",
            "orders",
            "outbox",
            "products",
            "settings",
            "users",
        ]
        .map(|table| (format!("{}_TABLE", table.to_uppercase()), table.to_owned()));
        let outbox = QueueName::new("outbox");
        let queues = QUEUES.iter().chain([&outbox]).flat_map(|queue| {
            let url = format!("{url}/000000000000/{}", queue.name());
            [(queue.variable(), url.clone()), (queue.dead_letter_variable(), url)]
        });
        let queues: Vec<_> = queues.collect();
        let template = [
            ("AUDIENCE", AUDIENCE),
            // One caller sends more requests here than the default limits allow.
            ("EXACT_RATE_LIMIT", "1000000000"),
            ("CURSOR_KEY_SECRET_ID", "cursor_key"),
            ("ISSUER", ISSUER),
            ("RATE_LIMIT", "1000000000"),
            ("SERVICE_NAME", "bench"),
            ("SIGNING_KEYS_SECRET_ID", "signing_keys"),
            ("VERIFICATION_KEYS_SECRET_ID", "verification_keys"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let all = lambda.into_iter().chain(tables).chain(queues).chain(template);
        all.chain(self.more.clone()).collect()
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        // If it cannot be removed, it stays in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
