//! `sam local invoke` with our events: one function of each kind.

use serde_json::{Value, json};
use tooling::context::Context;
use tooling::{Error, say};

use super::events::ready;
use super::ground::Ground;
use super::project::Project;

/// One function of each kind: kind, logical id, binary, and the checked field of its response.
const KINDS: [(&str, &str, &str, &str); 5] = [
    ("endpoint", "GetUserFunction", "get_user", "/statusCode"),
    ("authorizer", "AuthorizerFunction", "authorizer", "/isAuthorized"),
    ("consumer of a queue", "SettleOrderFunction", "settle_order", "/batchItemFailures"),
    ("consumer of a stream", "RelayOutboxFunction", "relay_outbox", "/batchItemFailures"),
    ("by the clock", "ExpireSagasFunction", "expire_sagas", "/batchItemFailures"),
];

pub(super) async fn check(ground: &Ground, project: &Project) -> Result<(), Error> {
    say("\n| sam local invoke | function | answer |\n|---|---|---|");
    for (kind, function, binary, place) in KINDS {
        let mut event = ready(&ground.workspace, binary)?;
        let expected = match kind {
            "endpoint" => json!(200),
            "authorizer" => {
                let refused = invoked(project, function, &event).await?;
                if refused["context"] != json!({ "verdict": "refused" }) {
                    return Err(format!("{function} allows an unknown caller").into());
                }
                let token = ground.token("customer").await?;
                event["identitySource"] = json!([format!("Bearer {token}")]);
                json!(true)
            }
            _ => json!([]),
        };
        let answer = invoked(project, function, &event).await?;
        let found = answer.pointer(place).unwrap_or(&Value::Null);
        say(&format!("| {kind} | {function} | `{}`: {found} |", &place[1..]));
        if *found != expected {
            return Err(format!("{function}: not {expected}, but {answer}").into());
        }
    }
    Ok(())
}

async fn invoked(project: &Project, function: &str, event: &Value) -> Result<Value, Error> {
    let event = project.event(event)?;
    let ran = project.sam_local(&["invoke", function, "--event", &event]).output().await;
    let ran = ran.context(|| format!("sam local invoke {function}"))?;
    serde_json::from_slice(&ran.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&ran.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        format!("sam local invoke {function}: {error}: {last}").into()
    })
}
