//! `trace`: draws a request and its journey in the terminal.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::address::{ControlUrl, DEFAULT};
use super::control::{AskError, ControlClient};
use super::{draw, terminal};
use crate::activity::view::{Journey, RequestDetail};

/// The time between two looks at a journey.
const PAUSE: Duration = Duration::from_millis(400);
/// The number of looks in a row that have to find a journey at rest. An effect may be between two
/// places, such as a row that its stream has not delivered yet.
const LOOKS_AT_REST: u32 = 2;

/// The arguments of `trace`.
#[derive(Debug, Clone, Args)]
pub(crate) struct TraceArguments {
    /// The request's id or x-request-id, or `last` for the latest request.
    #[arg(value_name = "REQUEST_ID")]
    id: String,

    /// The control address of the running platform.
    #[arg(long, value_name = "URL", default_value = DEFAULT)]
    control: ControlUrl,

    /// Draws again until nothing of the request's journey waits or works. Where the output is no
    /// terminal, or JSON, it is printed once, at the end.
    #[arg(long)]
    follow: bool,

    /// Prints the request and the journey as JSON, as the control address has them.
    #[arg(long)]
    json: bool,
}

/// Draws the request. Returns exit status 1 if the platform does not respond, or has no such
/// request.
pub(crate) async fn run(arguments: TraceArguments) -> ExitCode {
    match traced(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command prints its error here")]
fn complain(error: &AskError) {
    eprintln!("error: {error}");
}

async fn traced(arguments: &TraceArguments) -> Result<(), AskError> {
    let client = ControlClient::new(arguments.control.clone());
    let id = client.known(&arguments.id).await?;
    let is_redrawn = !arguments.json && terminal::is_terminal();
    let shown = |(detail, journey): &(RequestDetail, Journey)| {
        if is_redrawn {
            terminal::clear();
            terminal::print(&draw::trace(detail, journey, terminal::style()));
        }
    };
    let found = if arguments.follow {
        let found = follow(&client, &id, PAUSE, shown).await?;
        if is_redrawn {
            return Ok(());
        }
        found
    } else {
        look(&client, &id).await?
    };
    let (detail, journey) = &found;
    if arguments.json {
        terminal::print(&format!("{:#}\n", json!({"request": detail, "journey": journey})));
    } else {
        terminal::print(&draw::trace(detail, journey, terminal::style()));
    }
    Ok(())
}

async fn look(client: &ControlClient, id: &str) -> Result<(RequestDetail, Journey), AskError> {
    Ok((client.request(id).await?, client.journey(id).await?))
}

/// Looks until the journey is at rest, and shows each look.
async fn follow(
    client: &ControlClient,
    id: &str,
    pause: Duration,
    mut show: impl FnMut(&(RequestDetail, Journey)),
) -> Result<(RequestDetail, Journey), AskError> {
    let mut at_rest = 0;
    loop {
        let found = look(client, id).await?;
        show(&found);
        let (detail, journey) = &found;
        let is_at_rest = detail.row.status.is_some() && journey.at_rest;
        at_rest = if is_at_rest { at_rest + 1 } else { 0 };
        if at_rest == LOOKS_AT_REST {
            return Ok(found);
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::console::client::fake::Fake;
    use crate::console::client::samples;

    #[derive(Debug, Parser)]
    struct Parsed {
        #[command(flatten)]
        trace: TraceArguments,
    }

    #[test]
    fn the_control_address_is_the_default_one_unless_it_is_given() {
        let parsed = Parsed::try_parse_from(["trace", "last", "--follow"]).unwrap().trace;
        assert_eq!(parsed.control.to_string(), DEFAULT);
        assert!(parsed.follow && !parsed.json && parsed.id == "last");

        let given = ["trace", "x", "--control", "http://localhost:4001"];
        let parsed = Parsed::try_parse_from(given).unwrap().trace;
        assert_eq!(parsed.control.to_string(), "http://localhost:4001");

        assert!(Parsed::try_parse_from(["trace"]).is_err());
        assert!(Parsed::try_parse_from(["trace", "x", "--control", "localhost"]).is_err());
    }

    #[tokio::test]
    async fn a_followed_request_is_shown_until_its_journey_is_at_rest_twice() {
        let fake = Fake::start().await;
        fake.moves_for(3);
        let client = fake.client();
        let mut looks = Vec::new();
        let show = |(_, journey): &(RequestDetail, Journey)| looks.push(journey.at_rest);

        let found = follow(&client, samples::PLACED, Duration::from_millis(1), show).await;

        let (detail, _) = found.unwrap();

        assert_eq!(detail.row.id, samples::PLACED);
        assert_eq!(looks, [false, false, false, true, true]);
    }

    #[tokio::test]
    async fn a_request_that_is_not_there_ends_the_command_with_status_1() {
        let fake = Fake::start().await;
        let control = fake.url();
        let arguments =
            TraceArguments { id: "unknown".to_owned(), control, follow: false, json: true };
        let ended = run(arguments).await;
        assert_eq!(format!("{ended:?}"), format!("{:?}", ExitCode::FAILURE));
    }
}
