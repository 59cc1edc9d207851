//! `dead-letters show` and `dead-letters redrive`: what could not be consumed.

use aws::admin::{DeadLetter, Operator};
use clap::Subcommand;
use domain::resources::QUEUES;
use lifecycle::commit::OUTBOX;
use lifecycle::effects::QueueName;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;

use crate::Say;

/// What the stream of the outbox could not be relayed of. The rows are still there.
const OUTBOX_LETTERS: QueueName = QueueName::new(OUTBOX.name());
/// How many letters are shown at most.
const SHOWN_MAX: usize = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the letters of a queue, and leaves them where they are.
    Show {
        /// The queue's logical name, `emails`.
        queue: String,
    },
    /// Puts the letters of a queue back into it.
    Redrive {
        /// The queue's logical name, `emails`.
        queue: String,
    },
}

impl Command {
    /// What the command needs.
    pub(crate) fn uses(&self) -> Result<Vec<Resource>, BoxError> {
        match self {
            Self::Show { queue } => Ok(vec![Resource::DeadLetterQueue(known(queue)?)]),
            Self::Redrive { queue } if queue == OUTBOX_LETTERS.name() => {
                Err("letters of the outbox have no queue to go back to; what waits in the outbox \
                     is relayed by its sweeper"
                    .into())
            }
            Self::Redrive { queue } => {
                let queue = known(queue)?;
                Ok(vec![Resource::Queue(queue), Resource::DeadLetterQueue(queue)])
            }
        }
    }
}

fn known(name: &str) -> Result<QueueName, BoxError> {
    let all = QUEUES.iter().chain([&OUTBOX_LETTERS]);
    let found = all.clone().find(|queue| queue.name() == name).copied();
    found.ok_or_else(|| {
        let names: Vec<_> = all.map(|queue| queue.name()).collect();
        format!("there is no queue `{name}`; known are {}", names.join(", ")).into()
    })
}

pub(crate) async fn run(
    command: &Command,
    operator: Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    match command {
        Command::Show { queue } => show(&operator, known(queue)?, say).await,
        Command::Redrive { queue } => redrive(&operator, known(queue)?, say).await,
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

/// As many as there are now: a letter that comes back while this runs waits for the next time.
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
        return Err(format!("{} letters were refused and stay where they are", taken - back).into());
    }
    say(&format!("done: {back} dead letters put back into {}", queue.name()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_does_not_exist_is_answered_with_those_that_do() {
        let error = known("email").unwrap_err().to_string();
        assert!(error.contains("`email`") && error.contains("emails"), "{error}");
    }

    #[test]
    fn what_has_no_queue_to_go_back_to_is_not_redriven() {
        let queue = "outbox".to_owned();
        assert!(Command::Show { queue: queue.clone() }.uses().is_ok());
        assert!(Command::Redrive { queue }.uses().is_err());
    }
}
