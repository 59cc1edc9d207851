//! A new consumer: its name and its queue.

use clap::Args;
use sam_template::Template;
use tooling::Error;

use super::names;
use crate::codegen::names::logical_id;

/// Names that a queue cannot have: the lists of the alarms would contain a boolean or
/// nothing (YAML 1.1), and a skeleton has another constant `USERS`.
const RESERVED: [&str; 10] = ["false", "n", "no", "null", "off", "on", "true", "users", "y", "yes"];

/// The maximum length of a queue's name. SQS allows 80 characters: those of the stack (23), of
/// `-dead-letters`, of the stack's creation (8), and two hyphens.
const CHARACTERS_MAX: usize = 34;

/// A consumer of a new queue.
#[derive(Debug, Clone, Args)]
pub struct NewConsumer {
    /// The name of its binary and file: `count_greetings`.
    pub name: String,
    /// The name of its queue: `greetings`.
    pub queue: String,
    /// Its folder in the package. By default it is the setting `new.folder`, or else src/bin.
    #[arg(long)]
    pub folder: Option<String>,
}

impl NewConsumer {
    /// Checks that name and queue can become a consumer.
    ///
    /// # Errors
    ///
    /// If not; the error has the reason.
    pub(super) fn check(&self) -> Result<(), Error> {
        names::check(&self.name)?;
        if !names::is_words(&self.queue) {
            let queue = &self.queue;
            return Err(
                format!("{queue} is not a name for a queue: use words in lower case").into()
            );
        }
        if self.queue.len() > CHARACTERS_MAX {
            let queue = &self.queue;
            return Err(format!(
                "{queue} is too long: a queue has {CHARACTERS_MAX} characters at most"
            )
            .into());
        }
        if RESERVED.contains(&self.queue.as_str()) {
            return Err(format!("a queue cannot be named {}", self.queue).into());
        }
        Ok(())
    }

    /// Rejects a queue that the template already has: each queue has one consumer.
    ///
    /// # Errors
    ///
    /// If it has the queue.
    pub(super) fn refuse_known_queue(&self, template: &Template) -> Result<(), Error> {
        let queue = logical_id(&self.queue, "Queue");
        if template.queues.contains_key(&queue) {
            return Err(format!("there is already a queue {queue}").into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_name_or_queue_is_an_error() {
        for (name, queue, taken) in [
            ("count_greetings", "greetings", true),
            ("count_greetings", "late_greetings", true),
            ("count", "greetings", false),
            ("count_greetings", "Greetings", false),
            ("count_greetings", "late-greetings", false),
            ("count_greetings", "", false),
            ("count_greetings", "on", false),
            ("count_greetings", "users", false),
            ("count_greetings", "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", true),
            ("count_greetings", "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", false),
        ] {
            let (name, queue) = (name.to_owned(), queue.to_owned());
            let consumer = NewConsumer { name, queue, folder: None };
            assert_eq!(consumer.check().is_ok(), taken, "{consumer:?}");
        }
    }
}
