//! `dead-letters show`, `dead-letters redrive` and `dead-letters drop`.

use std::collections::HashSet;

use aws::admin::{DeadLetter, Operator};
use clap::Subcommand;
use lifecycle::clock;
use lifecycle::commit::OUTBOX;
use lifecycle::effects::QueueName;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;
use serde_json::Value;

use crate::output::Say;

/// The dead letters of the outbox's stream. Their rows are still in the outbox.
const OUTBOX_LETTERS: QueueName = QueueName::new(OUTBOX.name());
/// The maximum of dead letters that are shown.
const SHOWN_MAX: usize = 100;

/// The number of calls in a row with known dead letters alone, after which a search ends.
const REPEATED_MAX: u32 = 10;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows the dead letters of a queue, and leaves them in its dead-letter queue.
    Show {
        /// The queue's logical name, `emails`.
        queue: String,
        /// Shows bodies in full, also valid tokens of links in mails.
        #[arg(long)]
        bodies: bool,
    },
    /// Moves the dead letters of a queue back into it.
    Redrive {
        /// The queue's logical name, `emails`.
        queue: String,
    },
    /// Deletes dead letters of a queue for ever.
    Drop {
        /// The queue's logical name, `emails`.
        queue: String,
        /// The ids of the dead letters, as `show` prints them.
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

impl Command {
    /// The resources that the command needs.
    pub(crate) fn uses(&self, queues: &[QueueName]) -> Result<Vec<Resource>, BoxError> {
        match self {
            Self::Show { queue, .. } | Self::Drop { queue, .. } => {
                Ok(vec![Resource::DeadLetterQueue(known(queue, queues)?)])
            }
            Self::Redrive { queue } if queue == OUTBOX_LETTERS.name() => {
                Err("dead letters of the outbox come from no queue; `sweep_outbox` relays its \
                     waiting rows"
                    .into())
            }
            Self::Redrive { queue } => {
                let queue = known(queue, queues)?;
                Ok(vec![Resource::Queue(queue), Resource::DeadLetterQueue(queue)])
            }
        }
    }
}

fn known(name: &str, queues: &[QueueName]) -> Result<QueueName, BoxError> {
    let all = queues.iter().filter(|queue| **queue != OUTBOX_LETTERS).chain([&OUTBOX_LETTERS]);
    let found = all.clone().find(|queue| queue.name() == name).copied();
    found.ok_or_else(|| {
        let names: Vec<_> = all.map(|queue| queue.name()).collect();
        format!("there is no queue `{name}`; known are {}", names.join(", ")).into()
    })
}

pub(crate) async fn run(
    command: &Command,
    queues: &[QueueName],
    operator: Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    match command {
        Command::Show { queue, bodies } => {
            show(&operator, known(queue, queues)?, *bodies, say).await
        }
        Command::Redrive { queue } => redrive(&operator, known(queue, queues)?, say).await,
        Command::Drop { queue, ids } => drop(&operator, known(queue, queues)?, ids, say).await,
    }
}

async fn show(
    operator: &Operator,
    queue: QueueName,
    bodies: bool,
    say: Say<'_>,
) -> Result<(), BoxError> {
    let mut shown: Vec<DeadLetter> = Vec::new();
    while shown.len() < SHOWN_MAX {
        let letters = operator.take_letters(queue).await?;
        if letters.is_empty() {
            break;
        }
        for letter in &letters {
            let body = if bodies { letter.body.clone() } else { masked(&letter.body) };
            say(&format!("{}\n  {body}", heading(letter)));
        }
        shown.extend(letters);
    }
    operator.release_letters(queue, &shown).await?;
    let of = operator.letters_count(queue).await?.max(shown.len());
    say(&format!("{} of {of} dead letters of {} shown", shown.len(), queue.name()));
    Ok(())
}

fn heading(letter: &DeadLetter) -> String {
    let reason = letter.reason.as_deref().unwrap_or("tried too often");
    format!("{} {}: {reason}", letter.sent_at, letter.id)
}

/// A body without the tokens of links in mails, which are valid while their mail waits.
fn masked(body: &str) -> String {
    match serde_json::from_str(body) {
        Ok(mut body) => {
            mask(&mut body);
            body.to_string()
        }
        Err(_) => format!("no JSON, {} bytes: --bodies shows them", body.len()),
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "token" {
                    *member = "…".into();
                } else {
                    mask(member);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        _ => {}
    }
}

/// Redrives the messages that were sent before the start. One that fails again meanwhile is left for
/// the next run, so that the loop ends. The count at the end also has messages that another receiver
/// hides.
async fn redrive(operator: &Operator, queue: QueueName, say: Say<'_>) -> Result<(), BoxError> {
    let started = clock::now();
    let (mut seen, mut newer) = (HashSet::new(), Vec::new());
    let (mut taken, mut back) = (0, 0);
    loop {
        let mut letters = operator.take_letters(queue).await?;
        // A message that is left becomes visible again in a long run.
        letters.retain(|letter| seen.insert(letter.id.clone()));
        if letters.is_empty() {
            break;
        }
        let (older, later): (Vec<_>, Vec<_>) =
            letters.into_iter().partition(|letter| letter.sent_at <= started);
        newer.extend(later);
        taken += older.len();
        back += operator.put_letters_back(queue, &older).await?;
        say(&format!("{back} dead letters put back into {}", queue.name()));
    }
    operator.release_letters(queue, &newer).await?;
    let left = operator.letters_count(queue).await?;
    ended(back, taken - back, left, queue)?;
    say(&format!("done: {back} dead letters put back into {}", queue.name()));
    Ok(())
}

/// Whether no dead letters are left after a redrive.
fn ended(back: usize, rejected: usize, left: usize, queue: QueueName) -> Result<(), BoxError> {
    let name = queue.name();
    if rejected > 0 {
        return Err(format!(
            "{rejected} dead letters were rejected and stay in their dead-letter queue"
        )
        .into());
    }
    if left > 0 {
        return Err(format!(
            "{back} dead letters put back into {name}, but {left} are still counted: \
             others hide them, or they came after the start, or the count is a minute old; \
             run the command again in a minute"
        )
        .into());
    }
    Ok(())
}

/// Deletes the messages with these ids, and releases all others.
async fn drop(
    operator: &Operator,
    queue: QueueName,
    ids: &[String],
    say: Say<'_>,
) -> Result<(), BoxError> {
    let mut missing: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let (mut seen, mut others, mut repeated) = (HashSet::new(), Vec::new(), 0);
    while !missing.is_empty() && repeated < REPEATED_MAX {
        let mut letters = operator.take_letters(queue).await?;
        if letters.is_empty() {
            break;
        }
        // A message that is left becomes visible again in a long run.
        letters.retain(|letter| seen.insert(letter.id.clone()));
        repeated = if letters.is_empty() { repeated + 1 } else { 0 };
        let (dropped, kept): (Vec<_>, Vec<_>) =
            letters.into_iter().partition(|letter| ids.contains(&letter.id));
        others.extend(kept);
        operator.drop_letters(queue, &dropped).await?;
        for letter in &dropped {
            missing.remove(letter.id.as_str());
            say(&format!("dropped {}\n  {}", heading(letter), masked(&letter.body)));
        }
    }
    operator.release_letters(queue, &others).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.into_iter().collect::<Vec<_>>().join(", ");
    let why = "another receiver may hide it for a minute";
    Err(format!("no dead letter of {} with the id {missing}: {why}", queue.name()).into())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws::Aws;
    use serde_json::json;

    use super::*;
    use crate::output::told;
    use crate::testing::service;

    const QUEUES: &[QueueName] = &[QueueName::new("emails"), OUTBOX_LETTERS];

    /// The number of calls that a queue answers. More are an error.
    const CALLS_MAX: usize = 20;

    /// The address of a queue with one message, which each call receives: its visibility timeout has
    /// always ended.
    fn queue_that_repeats() -> String {
        let url = service(|call| {
            let (status, body) = match (call.number < CALLS_MAX, call.operation.as_str()) {
                (false, _) => (400, r#"{"__type":"com.amazonaws.sqs#OverLimit"}"#),
                (true, "ReceiveMessage") => {
                    (200, r#"{"Messages":[{"MessageId":"m1","ReceiptHandle":"h1","Body":"{}"}]}"#)
                }
                (true, _) => (200, r#"{"Successful":[{"Id":"0"}],"Failed":[]}"#),
            };
            (status, body.to_owned())
        });
        format!("{url}/emails")
    }

    /// The result of a command on a queue with this address, which is also the one of its dead-letter
    /// queue.
    async fn ended_on(url: String, command: &Command) -> Result<(), BoxError> {
        let environment = move |name: &str| match name {
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_ENDPOINT_URL" | "EMAILS_QUEUE_URL" | "EMAILS_DEAD_LETTER_QUEUE_URL" => {
                Some(url.clone())
            }
            _ => None,
        };
        let aws = Aws::connect_with(&command.uses(QUEUES).unwrap(), environment).unwrap();
        run(command, QUEUES, Operator::new(aws), &|_| ()).await
    }

    #[tokio::test]
    async fn a_search_for_a_missing_dead_letter_ends_when_the_queue_repeats_its_messages() {
        let command = Command::Drop { queue: "emails".to_owned(), ids: vec!["m2".to_owned()] };
        let ended = ended_on(queue_that_repeats(), &command).await;
        let error = ended.unwrap_err().to_string();
        assert!(error.starts_with("no dead letter of emails with the id m2"), "{error}");
    }

    /// The second message would overtake the first.
    #[tokio::test]
    async fn a_redrive_to_a_fifo_queue_ends_at_the_first_rejected_message() {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let sends = Arc::clone(&sent);
        let url = service(move |call| {
            if call.operation == "ReceiveMessage" {
                let of_group = |number: usize| {
                    json!({
                        "MessageId": format!("m{number}"),
                        "ReceiptHandle": format!("h{number}"),
                        "Body": format!("body {number}"),
                        "Attributes": { "MessageGroupId": "ann" },
                    })
                };
                return (200, json!({ "Messages": [of_group(1), of_group(2)] }).to_string());
            }
            sends.lock().unwrap().push(call.body.clone());
            let rejected = json!({ "Id": "0", "Code": "InternalError", "SenderFault": false });
            (200, json!({ "Successful": [], "Failed": [rejected] }).to_string())
        });
        let command = Command::Redrive { queue: "emails".to_owned() };
        let error = told(&*ended_on(format!("{url}/emails.fifo"), &command).await.unwrap_err());
        let sent = sent.lock().unwrap();
        assert_eq!(sent.len(), 1, "{error}: {sent:?}");
        assert!(error.contains("emails rejected message m1"), "{error}");
        assert!(sent[0].contains("body 1") && !sent[0].contains("body 2"), "{sent:?}");
    }

    #[test]
    fn an_unknown_queue_is_an_error_that_lists_the_known_ones() {
        let error = known("email", QUEUES).unwrap_err().to_string();
        assert_eq!(error, "there is no queue `email`; known are emails, outbox");
    }

    #[test]
    fn dead_letters_of_the_outbox_are_shown_and_not_redriven() {
        let queue = "outbox".to_owned();
        assert!(Command::Show { queue: queue.clone(), bodies: false }.uses(QUEUES).is_ok());
        assert!(Command::Redrive { queue }.uses(QUEUES).is_err());
    }

    #[test]
    fn a_shown_body_has_no_token() {
        let body = r#"{"data":{"mails":[{"to":"ann@example.com","token":"s3cr3t"}]}}"#;
        let shown = masked(body);
        assert!(shown.contains("ann@example.com") && shown.contains(r#""token":"…""#), "{shown}");
        assert!(!masked(body).contains("s3cr3t"), "{shown}");
        assert!(!masked(r#"{"token":"s3cr3t""#).contains("s3cr3t"), "it is no JSON");
    }

    #[test]
    fn a_redrive_that_leaves_messages_fails() {
        assert!(ended(3, 0, 0, OUTBOX_LETTERS).is_ok());
        assert!(ended(3, 1, 1, OUTBOX_LETTERS).unwrap_err().to_string().contains("rejected"));
        let hidden = ended(3, 0, 2, OUTBOX_LETTERS).unwrap_err().to_string();
        assert!(hidden.contains("2 are still counted"), "{hidden}");
    }
}
