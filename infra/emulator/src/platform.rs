//! The whole platform: its parts, started in their order and stopped.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sam_template::{Code, Template};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::activity::{Activity, Inspector};
use crate::application::Application;
use crate::binaries::{self, Build, BuildError, Places};
use crate::clock::Clock;
use crate::console::Accounts;
use crate::control::{self, Control, Telemetry};
use crate::error::StartError;
use crate::event_sources::{self, Invoke, SourceError, Sources};
use crate::functions::{FunctionConfig, Functions, LogSink};
use crate::gateway::{self, Gateway};
use crate::logs;
use crate::options::{Logs, Options};
use crate::services::{Stores, access_key};
use crate::standins::Standins;

/// A running platform. Dropping it ends all processes at once; [`Platform::stop`] shuts down
/// gracefully.
pub struct Platform {
    api: SocketAddr,
    /// The addresses of all APIs by logical id, the root's first.
    apis: Vec<(String, String)>,
    control: SocketAddr,
    functions: Functions,
    stores: Stores,
    standins: Standins,
    description: Option<&'static str>,
    openapi: Option<PathBuf>,
    circuits: Option<&'static str>,
    template: Arc<Template>,
    accounts: Arc<Accounts>,
    telemetry: Arc<Telemetry>,
    /// Taken on stop: the sources end before the functions.
    sources: Option<Sources>,
    /// The socket for the records of functions, until the end.
    _inspector: Inspector,
    tasks: JoinSet<()>,
}

impl Platform {
    /// Builds the functions and starts the platform with the parts that the application adds.
    /// [`NoApplication`](crate::NoApplication) adds none. When it returns, the API accepts requests.
    ///
    /// # Errors
    /// See [`StartError`]. On an error, everything already started is ended.
    pub async fn start(
        options: Options,
        application: &impl Application,
    ) -> Result<Self, StartError> {
        // Open the ports first, so that a port in use is reported before the long build.
        let api_listener = listen(options.port, "--port").await?;
        let control_listener = listen(options.control_port, "--control-port").await?;
        let path = options.template().ok_or(StartError::NoTemplate)?;
        let standins = application.standins().await.map_err(StartError::Standins)?;
        let known = known_parameters(&api_listener, &standins);
        logs::say(options.logs, "platform", &format!("reads {}", path.display()));
        let mut template = Template::read_with(&path, &options.reading(known))?;
        for skipped in &template.skipped {
            logs::say(options.logs, "platform", &format!("leaves out {skipped}"));
        }
        let unknown = options.without.iter().find(|grant| !template.revoke(grant));
        if let Some(grant) = unknown {
            return Err(StartError::no_such_right(grant, &template));
        }
        if !options.no_build {
            let count = template.binaries().len();
            logs::say(options.logs, "platform", &format!("cargo builds {count} functions"));
        }
        let binaries = binaries(&path, &template, &options).await?;

        logs::say(options.logs, "platform", "starts the services and writes the first data");
        let identities = options.identities(&template);
        let services = Stores::start_with(&template, options.data.as_deref(), identities).await?;
        services.fill_secrets(standins.secrets()).await?;
        application.seed(&services, options.demo).await.map_err(StartError::Seed)?;
        let telemetry = Arc::new(Telemetry::default());
        let deployments = deployments(&template, &services, &binaries, &options)?;
        let activity = services.activity();
        let inspector = open_inspector(activity, options.logs)?;
        standins.secrets().values().for_each(|secret| activity.learn_secret(secret));
        activity.set_compensations(application.compensations());
        standins.record_to(activity);
        let functions = Functions::start_recording(
            deployments,
            &log_sink(options.logs, &telemetry),
            services.clock(),
            activity,
        );
        services.attach(functions.environments());
        let gateway = Gateway::of(&template, &functions, &telemetry);
        let shown = Arc::new(template.clone());
        if options.without_schedules {
            template.stop_clock();
        }
        let event_sources = start_sources(&template, &services, &functions, options.logs)?;

        let api_url = format!("http://{}", address(&api_listener));
        let accounts = application.accounts(options.demo);
        let accounts = Accounts::new(
            accounts,
            api_url.clone(),
            services.clock(),
            functions.activity().redaction(),
        );

        let mut platform = Self {
            api: address(&api_listener),
            apis: gateway::addresses(&template, &api_url),
            control: address(&control_listener),
            functions,
            stores: services,
            standins,
            description: application.description(),
            openapi: options.openapi,
            circuits: application.circuits(),
            template: shown,
            accounts: Arc::new(accounts),
            telemetry,
            sources: Some(event_sources),
            _inspector: inspector,
            tasks: JoinSet::new(),
        };
        platform.serve(gateway, api_listener, control_listener, binaries, options.logs);
        Ok(platform)
    }

    /// The address of the gateway, where the template's only API is: `http://127.0.0.1:3000`.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// The logical id and the address of each API and function URL, with its stage. The one at the
    /// root of the gateway is first.
    pub fn apis(&self) -> &[(String, String)] {
        &self.apis
    }

    /// The control address: `http://127.0.0.1:3001`.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// The functions.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The tables, queues, secrets and mail.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        self.stores.clock()
    }

    /// The stand-ins for third-party services.
    pub fn standins(&self) -> &Standins {
        &self.standins
    }

    /// The records of the platform's events.
    pub fn activity(&self) -> &Activity {
        self.stores.activity()
    }

    /// The telemetry that the functions emitted.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Shuts down gracefully: stops all event sources, then ends the functions as Lambda does.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.sources.take();
        self.functions.stop().await;
    }

    fn serve(
        &mut self,
        gateway: Gateway,
        api: TcpListener,
        control: TcpListener,
        binaries: BTreeMap<Code, PathBuf>,
        logs: Logs,
    ) {
        let shown = Control {
            stores: self.stores.clone(),
            functions: self.functions.clone(),
            standins: self.standins.clone(),
            schedules: self.sources.as_ref().map(Sources::schedules).unwrap_or_default(),
            description: self.description,
            openapi: self.openapi.clone(),
            circuits: self.circuits,
            template: Arc::clone(&self.template),
            gateway: gateway.clone(),
            accounts: Arc::clone(&self.accounts),
            counts: Arc::default(),
            telemetry: Arc::clone(&self.telemetry),
            api_url: self.api_url(),
        };
        let functions = self.functions.clone();
        self.tasks.spawn(gateway.serve(api));
        self.tasks.spawn(async move {
            // The task is aborted when the platform stops.
            let _ = control::serve(control, shown, pending()).await;
        });
        self.tasks.spawn(binaries::watch(binaries.into_values().collect(), move |binary| {
            // From this line of the log on, invocations get the new binary.
            functions.binary_changed(binary);
            let name = binary.file_name().unwrap_or_default().to_string_lossy();
            logs::say(logs, &name, "was rebuilt");
        }));
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.functions.kill_all();
    }
}

async fn listen(port: u16, option: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortTaken { port, option },
        _ => StartError::Port { port, source },
    })
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a listener that is bound has an address")
}

/// The template parameters that the platform sets itself: the API's address and the stand-ins'
/// addresses.
fn known_parameters(api: &TcpListener, standins: &Standins) -> BTreeMap<String, String> {
    let mut known = standins.parameters().clone();
    known.insert("PublicUrl".to_owned(), format!("http://{}", address(api)));
    known
}

async fn binaries(
    template: &Path,
    parsed: &Template,
    options: &Options,
) -> Result<BTreeMap<Code, PathBuf>, BuildError> {
    let build = Build {
        build: !options.no_build,
        release: options.release,
        verbose: options.logs != Logs::Quiet,
    };
    let places = Places {
        workspace: options.workspace(template),
        template: template.parent().unwrap_or(Path::new("")),
    };
    let codes = parsed.functions.values().map(|function| function.code.clone());
    binaries::find(places, &codes.collect(), build).await
}

/// Every function of the template, with its environment variables resolved.
fn deployments(
    template: &Template,
    services: &Stores,
    binaries: &BTreeMap<Code, PathBuf>,
    options: &Options,
) -> Result<Vec<FunctionConfig>, StartError> {
    let deploy = |function: &sam_template::Function| {
        let id = &function.logical_id;
        let mut variables = BTreeMap::new();
        for (variable, text) in &function.environment {
            let known = |reference: &_| {
                services.names().look_up(reference).or_else(|| template.look_up(reference))
            };
            let value = text.resolve(known);
            let value = value.map_err(|source| StartError::Variable {
                function: id.clone(),
                variable: variable.clone(),
                source,
            })?;
            variables.insert(variable.clone(), value);
        }
        Ok(FunctionConfig {
            logical_id: id.clone(),
            name: function.name.clone(),
            binary: binaries[&function.code].clone(),
            handler: function.handler.clone(),
            variables,
            access_key_id: access_key(id),
            services_endpoint: services.endpoint(),
            timeout: function.timeout,
            memory_mb: function.memory_mb,
            reserved_concurrency: function.reserved_concurrency,
            invocations_per_environment: options
                .invocations_per_environment
                .get(id)
                .copied()
                .unwrap_or(1),
        })
    };
    template.functions.values().map(deploy).collect()
}

/// Opens the socket by which functions report their stages.
fn open_inspector(activity: &Activity, logs: Logs) -> Result<Inspector, StartError> {
    let report = Arc::new(move |sentence: &str| logs::say(logs, "platform", sentence));
    Inspector::open(activity, report).map_err(StartError::Inspector)
}

fn log_sink(logs: Logs, telemetry: &Arc<Telemetry>) -> LogSink {
    let telemetry = Arc::clone(telemetry);
    Arc::new(move |line| {
        let fields = line.fields();
        let shown = logs::shown(logs, line, fields.as_ref());
        telemetry.observe_fields(line, fields);
        if let Some(shown) = shown {
            logs::print(&shown);
        }
    })
}

fn start_sources(
    template: &Template,
    services: &Stores,
    functions: &Functions,
    logs: Logs,
) -> Result<Sources, SourceError> {
    let invoke: Arc<dyn Invoke> = Arc::new(functions.clone());
    let report: event_sources::Report =
        Arc::new(move |function, sentence| logs::say(logs, function, sentence));
    event_sources::start(template, services, &invoke, &report)
}
