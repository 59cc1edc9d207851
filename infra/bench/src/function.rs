//! One execution environment of a candidate.

use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tooling::Error;

use super::candidates::Candidate;
use super::lambda::{Lambda, PATIENCE};
use super::process::Process;
use super::setup::Setup;

/// A process that is ready for an event. Dropping it ends the process.
pub(super) struct Function {
    candidate: &'static Candidate,
    process: Process,
    lambda: Lambda,
}

impl Function {
    /// Starts a process. Returns it with the time until its request for the first event.
    pub(super) async fn start(
        setup: &Setup,
        candidate: &'static Candidate,
    ) -> Result<(Self, Duration), Error> {
        Self::start_by(Command::new(setup.binary(candidate)?), setup, candidate, PATIENCE).await
    }

    /// As [`Function::start`], by a command that runs the binary, and with another time limit for each
    /// step.
    pub(super) async fn start_by(
        command: Command,
        setup: &Setup,
        candidate: &'static Candidate,
        patience: Duration,
    ) -> Result<(Self, Duration), Error> {
        let lambda = Lambda::start(patience).await?;
        let variables = setup.variables(&lambda.address.to_string());
        let started = Instant::now();
        let process = Process::start(command, variables, &setup.log(candidate))?;
        let mut function = Self { candidate, process, lambda };
        let ready = function.lambda.ready().await;
        let ready = ready.map_err(|error| function.blame(&error.to_string()))?;
        Ok((function, ready - started))
    }

    /// Invokes it, waits until it is ready again, and returns the response time.
    pub(super) async fn invoke(&mut self, event: &Bytes) -> Result<Duration, Error> {
        let (answer, took) = self.ask(event).await?;
        let is_right = serde_json::from_slice::<Value>(&answer)
            .is_ok_and(|answer| (self.candidate.is_right)(&answer));
        if !is_right {
            return Err(
                self.blame(&format!("unexpected response {}", String::from_utf8_lossy(&answer)))
            );
        }
        Ok(took)
    }

    /// Invokes it, waits until it is ready again, and returns the response and its time.
    pub(super) async fn ask(&mut self, event: &Bytes) -> Result<(Bytes, Duration), Error> {
        let answered = self.lambda.invoke(event).await;
        let answered = answered.map_err(|error| self.blame(&error.to_string()))?;
        let ready = self.lambda.ready().await;
        ready.map_err(|error| self.blame(&error.to_string()))?;
        Ok(answered)
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    pub(super) async fn stop(self) -> Result<(), Error> {
        self.process.stop().await
    }

    /// Asks the process to end, and waits for its end.
    pub(super) async fn end(self) -> Result<(), Error> {
        self.process.end().await
    }

    fn blame(&self, what: &str) -> Error {
        let said = self.process.last_words();
        format!("{}: {what}; its output: {said}", self.candidate.name).into()
    }
}
