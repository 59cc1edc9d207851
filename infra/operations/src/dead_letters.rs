//! `dead-letters show` and `dead-letters redrive`.

use aws::admin::{DeadLetter, Operator};
use clap::Subcommand;
use lifecycle::commit::OUTBOX;
use lifecycle::effects::QueueName;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;

use crate::output::Say;

/// The dead letters of the outbox's stream. Their rows are still in the outbox.
const OUTBOX_LETTERS: QueueName = QueueName::new(OUTBOX.name());
/// The maximum of dead letters that are shown.
const SHOWN_MAX: usize = 100;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows the dead letters of a queue, and leaves them in its dead-letter queue.
    Show {
        /// The queue's logical name, `emails`.
        queue: String,
    },
    /// Moves the dead letters of a queue back into it.
    Redrive {
        /// The queue's logical name, `emails`.
        queue: String,
    },
}

impl Command {
    /// The resources that the command needs.
    pub(crate) fn uses(&self, queues: &[QueueName]) -> Result<Vec<Resource>, BoxError> {
        match self {
            Self::Show { queue } => Ok(vec![Resource::DeadLetterQueue(known(queue, queues)?)]),
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
        Command::Show { queue } => show(&operator, known(queue, queues)?, say).await,
        Command::Redrive { queue } => redrive(&operator, known(queue, queues)?, say).await,
    }
}

async fn show(operator: &Operator, queue: QueueName, say: Say<'_>) -> Result<(), BoxError> {
    let mut shown: Vec<DeadLetter> = Vec::new();
    while shown.len() < SHOWN_MAX {
        let letters = operator.take_letters(queue).await?;
        if letters.is_empty() {
            break;
        }
        for letter in &letters {
            let reason = letter.reason.as_deref().unwrap_or("tried too often");
            say(&format!("{} {}: {reason}\n  {}", letter.sent_at, letter.id, letter.body));
        }
        shown.extend(letters);
    }
    operator.release_letters(queue, &shown).await?;
    let of = operator.letters_count(queue).await?.max(shown.len());
    say(&format!("{} of {of} dead letters of {} shown", shown.len(), queue.name()));
    Ok(())
}

/// Redrives as many as there are at the start. A message that fails again meanwhile is left for the
/// next run, so that the loop ends.
async fn redrive(operator: &Operator, queue: QueueName, say: Say<'_>) -> Result<(), BoxError> {
    let total = operator.letters_count(queue).await?;
    let (mut taken, mut back) = (0, 0);
    while taken < total {
        let letters = operator.take_letters(queue).await?;
        if letters.is_empty() {
            break;
        }
        taken += letters.len();
        back += operator.put_letters_back(queue, &letters).await?;
        say(&format!("{back} of {total} dead letters put back into {}", queue.name()));
    }
    if back < taken {
        return Err(format!(
            "{} dead letters were rejected and stay in their dead-letter queue",
            taken - back
        )
        .into());
    }
    say(&format!("done: {back} dead letters put back into {}", queue.name()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUES: &[QueueName] = &[QueueName::new("emails"), OUTBOX_LETTERS];

    #[test]
    fn an_unknown_queue_is_an_error_that_lists_the_known_ones() {
        let error = known("email", QUEUES).unwrap_err().to_string();
        assert_eq!(error, "there is no queue `email`; known are emails, outbox");
    }

    #[test]
    fn dead_letters_of_the_outbox_are_shown_and_not_redriven() {
        let queue = "outbox".to_owned();
        assert!(Command::Show { queue: queue.clone() }.uses(QUEUES).is_ok());
        assert!(Command::Redrive { queue }.uses(QUEUES).is_err());
    }
}
