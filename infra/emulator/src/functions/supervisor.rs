//! Starts an environment's process, watches it and ends it.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::deadline::Deadline;
use super::environment::StopCommand;
use super::function::{Function, Start};
use super::log::LogSource;
use super::process_group::Group;
use super::{runtime_api, variables};

/// The grace period of a process with an extension.
const GRACE: Duration = Duration::from_millis(500);

/// The maximum length of a log line, as in CloudWatch.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// Runs one environment from the start of its process to its end.
pub(super) async fn supervise(function: Arc<Function>, new: Start) {
    let Start { environment, orders, limit } = new;
    let how = match start(&function, &environment).await {
        Ok((child, group, api)) => {
            let how = watch_over(&function, &environment, child, orders, &limit).await;
            // Processes that it has started end with it.
            drop(group);
            api.abort();
            how
        }
        Err(error) => {
            // While a binary is being rebuilt, it is missing for a moment.
            sleep(Duration::from_millis(100)).await;
            format!("{} cannot be started: {error}", function.deployment.binary.display())
        }
    };
    function.timeline.note_environment(&environment, "environment ended");
    function.timeline.ended(&environment);
    function.activity.environment_ended(&environment, &how);
    if let Some(reason) = function.step(|pool| pool.ended(&environment, &how)) {
        function.log(&environment, LogSource::Platform, &reason.to_string());
    }
}

/// The process, its group and its Runtime API.
async fn start(
    function: &Arc<Function>,
    environment: &Arc<str>,
) -> std::io::Result<(Child, Group, tokio::task::JoinHandle<()>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (deployment, group) = (&function.deployment, Group::start()?);
    let mut child = Command::new(&deployment.binary)
        .env_clear()
        .envs(variables::of(function, environment, address))
        .current_dir(deployment.binary.parent().unwrap_or(&deployment.binary))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        // Use a group other than the platform's: Ctrl-C then reaches only the platform, which ends
        // its environments gracefully.
        .process_group(group.id()?)
        .kill_on_drop(true)
        .spawn()?;
    function.timeline.note_environment(environment, "environment started");
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(pump(Arc::clone(function), environment.clone(), LogSource::Stdout, stdout));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(pump(Arc::clone(function), environment.clone(), LogSource::Stderr, stderr));
    }
    let api = runtime_api::serve(listener, Arc::clone(function), environment.clone());
    Ok((child, group, tokio::spawn(api)))
}

/// Waits until the process ends, on order or at the deadline too. Returns how it ended.
async fn watch_over(
    function: &Arc<Function>,
    environment: &str,
    mut child: Child,
    mut orders: mpsc::UnboundedReceiver<StopCommand>,
    limit: &Deadline,
) -> String {
    loop {
        tokio::select! {
            status = child.wait() => return describe(status),
            order = orders.recv() => match order {
                Some(StopCommand::ShutDown) => return shut_down(function, environment, child).await,
                Some(StopCommand::Kill) | None => return kill(child).await,
            },
            () = limit.passed() => overran(function, environment),
        }
    }
}

pub(super) fn overran(function: &Arc<Function>, environment: &str) {
    let timeout = function.deployment.timeout;
    let text = |request_id: &str| {
        format!("{request_id} Task timed out after {:.2} seconds", timeout.as_secs_f64())
    };
    let interrupted = |request_id: &str| {
        function.timeline.note_request(request_id, "timed out");
        function.activity.invocation_interrupted(request_id, &text(request_id));
    };
    let late = function.step_in(environment, |it| it.overran(timeout, interrupted));
    for request_id in late.unwrap_or_default() {
        function.log(environment, LogSource::Platform, &text(&request_id));
    }
}

/// Ends a process as Lambda does: with an extension, SIGTERM comes first.
async fn shut_down(function: &Arc<Function>, environment: &str, mut child: Child) -> String {
    let asked = function.step_in(environment, |environment| environment.has_extensions());
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let (Some(true), Some(pid)) = (asked, pid)
        && kill_process(pid, Signal::TERM).is_ok()
        && let Ok(status) = timeout(GRACE, child.wait()).await
    {
        return describe(status);
    }
    kill(child).await
}

async fn kill(mut child: Child) -> String {
    // This fails only if the process has already ended.
    let _ = child.start_kill();
    describe(child.wait().await)
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// Logs a process's output, line by line.
async fn pump(
    function: Arc<Function>,
    environment: Arc<str>,
    source: LogSource,
    stream: impl AsyncRead + Unpin,
) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                function.log(&environment, source, text.trim_end_matches(['\n', '\r']));
            }
        }
    }
}
