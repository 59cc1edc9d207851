//! `cargo xtask sam`: runs our functions in SAM's tools, with the tables, queues and secrets of the
//! local platform.

mod bridge;
mod emulator;
mod engine;
mod events;
mod ground;
mod image;
mod invoke;
mod project;
mod shape;
mod start_api;

use std::path::Path;

use clap::Subcommand;
use tooling::{Error, say};

use self::engine::{Engine, Unavailable};
use self::ground::Ground;
use self::project::Project;

/// The checks with SAM's tools.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Check {
    /// Runs every HTTP function in the runtime interface emulator, by the event of
    /// `sam local generate-event`, adapted: no container engine is needed.
    Emulate,
    /// Runs `sam local start-api` with the authorizer, and `sam local invoke` with the ready events,
    /// in a separate container engine; needs root, dockerd and busybox.
    Local,
}

/// Runs the command.
///
/// # Errors
///
/// If a tool cannot be installed, or a function answers otherwise than on the local platform.
pub(crate) fn run(workspace: &Path, check: Check) -> Result<(), Error> {
    match check {
        Check::Emulate => on(workspace, emulator::run),
        Check::Local => on(workspace, local),
    }
}

/// Runs a check in its environment, and ends the environment afterwards.
fn on(
    workspace: &Path,
    check: impl AsyncFnOnce(&Ground) -> Result<(), Error>,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let ground = Ground::prepare(workspace).await?;
        let checked = check(&ground).await;
        ground.leave().await;
        checked
    })
}

async fn local(ground: &Ground) -> Result<(), Error> {
    let engine = match Engine::start().await {
        Ok(engine) => engine,
        Err(Unavailable(why)) => {
            say(&format!("skipped: no container engine can be started: {why}"));
            return Ok(());
        }
    };
    let checked = in_containers(ground, &engine).await;
    let ended = engine.end().await;
    checked.and(ended)
}

async fn in_containers(ground: &Ground, engine: &Engine) -> Result<(), Error> {
    image::stand_in(engine, &ground.binary("authorizer")?).await?;
    if let Err(why) = image::run(engine).await {
        say(&format!("skipped: the engine cannot run containers: {why}"));
        return Ok(());
    }
    let project = Project::new(ground, engine).await?;
    start_api::check(ground, &project).await?;
    invoke::check(ground, &project).await
}
