//! Consumer of the outbox's stream: passes events on to the queues that are subscribed to them.

use std::process::ExitCode;

use domain::events::subscribers;
use domain::tables::{CUSTOMER_APPROVALS, EMAILS};
use lifecycle::commit::OUTBOX;
use lifecycle::consumer::{Delivered, Inbox, Source};
use lifecycle::effects::{Effects, Message};
use lifecycle::envelope::Envelope;
use lifecycle::uses::Use;
use lifecycle::{Consumer, Fault, Moment, Permit, Rejection, Violations};
use serde_json::Value;

fn main() -> ExitCode {
    adapters::consume(|_| RelayOutbox)
}

struct RelayOutbox;

impl Consumer for RelayOutbox {
    const SOURCE: Source = Source::Stream(OUTBOX);

    /// A row may be relayed twice: whoever gets its event remembers the event's id.
    const INBOX: Inbox = Inbox::None;

    const USES: &'static [Use] = &[Use::Queue(CUSTOMER_APPROVALS), Use::Queue(EMAILS)];

    // 4. Deserialisation: a row of the outbox is an envelope
    type Input = Envelope<Value>;

    // 5. Syntax validation: what the event says is for its subscribers to understand
    type Command = Envelope<Value>;

    fn parse(envelope: Envelope<Value>) -> Result<Envelope<Value>, Violations> {
        Ok(envelope)
    }

    // 6. Retrieval: nothing is needed
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Delivered>, _: &Envelope<Value>) -> Result<(), Fault> {
        Ok(())
    }

    // 7. and 8. The same envelope, to every subscriber
    fn decide(_: &Moment, envelope: &Envelope<Value>, (): ()) -> Result<Effects, Rejection> {
        let queues = subscribers(&envelope.event_type);
        Ok(queues.iter().fold(Effects::none(), |effects, queue| {
            effects.message(Message::forward(*queue, envelope.clone()))
        }))
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{envelope, moment};
    use lifecycle::effects::Content;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_goes_unchanged_to_every_subscriber() {
        let row = envelope("OrderCreated", json!({ "orderId": "1" }));
        let effects = RelayOutbox::decide(&moment(), &row, ()).unwrap();
        let queues: Vec<_> = effects.messages().iter().map(|message| message.queue).collect();
        assert_eq!(queues, [CUSTOMER_APPROVALS, EMAILS]);
        for message in effects.messages() {
            assert_eq!(message.content, Content::Forward(Box::new(row.clone())));
        }
    }

    #[test]
    fn an_event_without_subscribers_goes_nowhere() {
        let row = envelope("NobodyCares", json!({}));
        assert!(RelayOutbox::decide(&moment(), &row, ()).unwrap().messages().is_empty());
    }

    #[test]
    fn every_queue_that_an_event_goes_to_is_one_that_the_relay_may_send_to() {
        for queue in subscribers("OrderCreated") {
            assert!(RelayOutbox::USES.contains(&Use::Queue(*queue)), "{}", queue.name());
        }
    }
}
