//! `outbox show` and `outbox retry`: rows that were set aside, because a queue rejects their message
//! for its content, or because they cannot be read.

use aws::admin::{Operator, Segment};
use clap::Subcommand;
use lifecycle::clock;
use lifecycle::commit::{OUTBOX, OutboxRow};
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;

use crate::output::Say;

pub(crate) const RESOURCES: &[Resource] = &[Resource::Table(OUTBOX, &[])];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows the rows that were set aside, and the unreadable ones.
    Show,
    /// Makes the readable rows that were set aside wait for the sweeper again.
    Retry,
}

pub(crate) async fn run(
    command: &Command,
    operator: &Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    let (mut aside, mut unreadable, mut retried, mut next) = (0, 0, 0, None);
    loop {
        let segment = Segment { number: 0, of: 1 };
        let page = operator.scan::<OutboxRow>(segment, next.as_ref()).await?;
        for key in &page.unreadable {
            unreadable += 1;
            let event = key.sk.as_deref().unwrap_or_default();
            say(&format!("{event} about {}: cannot be read", key.pk));
        }
        for row in page.records {
            let Some(at) = row.set_aside_at else { continue };
            aside += 1;
            let what = &row.envelope;
            let (event, kind, about) = (&what.event_id, &what.event_type, &what.aggregate_id);
            let refusals = row.refusals;
            say(&format!("{event} {kind} about {about}: set aside {at}, refused {refusals} times"));
            if !row.may_be_retried(clock::now()) {
                say(&format!(
                    "{event} is too old to be retried: its consumers may have forgotten it"
                ));
            } else if matches!(command, Command::Retry)
                && operator.write(row.retried(clock::now())).await?
            {
                retried += 1;
            }
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    match command {
        Command::Show => say(&format!("{aside} rows set aside, {unreadable} unreadable")),
        Command::Retry => say(&format!("done: {retried} of {aside} rows wait again")),
    }
    Ok(())
}
