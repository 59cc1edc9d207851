//! The platforms that tests run against.

use std::sync::Arc;

use emulator::BoxError;
use emulator::options::Options;
use tokio::sync::{Mutex, OnceCell};

use crate::api::Api;
use crate::description::Description;
use crate::environment::{api_url, denied, is_built, skip, unique};
use crate::in_process::{InProcess, Running, in_background};

/// A service whose API is tested.
pub trait SystemUnderTest: Send + Sync + 'static {
    /// A running platform of it: [`Platform`](emulator::Platform), or a type that has one.
    type Running: Running;

    /// Starts a platform with these options, typically by
    /// [`Platform::start`](emulator::Platform::start). Ports are 0 by default, which takes free
    /// ones.
    ///
    /// # Errors
    /// If it does not start; the test then fails.
    fn start(
        &self,
        options: Options,
    ) -> impl Future<Output = Result<Self::Running, BoxError>> + Send;

    /// The options of the platform that tests share. By default [`Options::default`]: the nearest
    /// `template.yaml`, from the folder of the tests' package upwards.
    fn shared_options(&self) -> Options {
        Options::default()
    }

    /// The description by which every response is checked. By default none is checked.
    fn description(&self) -> Option<&'static Description> {
        None
    }
}

/// The tests of one service. It is a static, because the tests of a process share a platform.
///
/// The first platform of a suite builds the functions of its template, and later ones use them.
/// A platform with `no_build` in its [`Options`] builds nothing: its functions must have been
/// built, as cargo builds the binaries of the tests' package.
pub struct Suite<S: SystemUnderTest> {
    system: S,
    /// Whether a platform has built the functions.
    built: Mutex<bool>,
    shared: OnceCell<Arc<InProcess<S::Running>>>,
}

impl<S: SystemUnderTest> Suite<S> {
    /// The tests of this service. Nothing is started yet.
    pub const fn new(system: S) -> Self {
        Self { system, built: Mutex::const_new(false), shared: OnceCell::const_new() }
    }

    /// The API that most tests share: the one at `API_URL`, or a platform with the service's
    /// [shared options](SystemUnderTest::shared_options). It has the data of all tests, so each
    /// test makes its own, by [`unique`].
    ///
    /// # Panics
    /// If the platform does not start.
    pub async fn shared_platform(&'static self) -> Api<S::Running> {
        if let Some(url) = api_url() {
            return Api::deployed(url, self.system.description());
        }
        let started =
            self.shared.get_or_init(move || self.started(self.system.shared_options())).await;
        Api::of(Arc::clone(started), self.system.description())
    }

    /// The API of a platform for one test, which ends with the last clone of the [`Api`]. If a
    /// deployment is tested, reports that the test is [skipped](skip) and returns `None`.
    ///
    /// # Panics
    /// If the platform does not start.
    pub async fn fresh_platform(&'static self, options: Options) -> Option<Api<S::Running>> {
        if api_url().is_some() {
            skip("a separate platform");
            return None;
        }
        Some(Api::of(self.started(options).await, self.system.description()))
    }

    /// As [`fresh_platform`](Self::fresh_platform), with a template of this text, such as a changed
    /// copy. The options name the `workspace` of its functions.
    ///
    /// # Panics
    /// If the platform does not start, or the options name no workspace.
    pub async fn fresh_with_template(
        &'static self,
        template: &str,
        options: Options,
    ) -> Option<Api<S::Running>> {
        assert!(options.workspace.is_some(), "the functions of a template's text need a workspace");
        let copy = std::env::temp_dir().join(format!("{}.yaml", unique("template")));
        std::fs::write(&copy, template).expect("the folder exists");
        let api = self.fresh_platform(Options { template: Some(copy.clone()), ..options }).await;
        std::fs::remove_file(copy).expect("the copy exists");
        api
    }

    async fn started(&'static self, mut options: Options) -> Arc<InProcess<S::Running>> {
        options.without.extend(denied().map(|right| right.parse().expect("a permission")));
        // The future of a start is large, and would be a part of each test's future.
        let starting = Box::pin(self.build_once(options));
        Arc::new(InProcess::of(in_background(starting).await))
    }

    /// Starts a platform. The first one builds the functions with cargo; later ones use them.
    async fn build_once(&'static self, mut options: Options) -> S::Running {
        if !options.no_build && !is_built() {
            let mut built = self.built.lock().await;
            if !*built {
                let running = self.start(options).await;
                *built = true;
                return running;
            }
        }
        options.no_build = true;
        self.start(options).await
    }

    async fn start(&self, options: Options) -> S::Running {
        let started = self.system.start(options).await;
        started.unwrap_or_else(|error| panic!("the platform does not start: {error}"))
    }
}
