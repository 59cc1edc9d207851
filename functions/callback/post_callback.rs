//! `POST /callback`: a client reports objects; they are accepted at once and looked up later.

use domain::callback::{CallbackDraft, CallbackReceived, CallbackView, ObjectIds, SourceGroup};
use domain::resources::CALLBACKS;
use lifecycle::Endpoint;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|_| PostCallback)
}

struct PostCallback;

impl Endpoint for PostCallback {
    // 1. Routing
    const ROUTE: Route = Route::post("/callback");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    /// Four times the size of 200 ids of 20 digits.
    const BODY_BYTES_MAX: usize = 16 * 1024;

    /// Each object costs one look-up: a source may cause 600 a minute.
    const COST_MAX: u32 = 200;

    fn cost(object_ids: &ObjectIds) -> u32 {
        u32::try_from(object_ids.as_slice().len()).unwrap_or(Self::COST_MAX)
    }

    const RESOURCES: Resources = &[Resource::Queue(CALLBACKS)];
    // The message is the primary effect.
    const TERTIARY_EFFECTS: bool = false;

    // 4. Deserialisation
    type Input = Json<CallbackDraft>;

    // 5. Syntax validation
    type Command = ObjectIds;

    // 6. Retrieval: nothing is read; the source's group gives all sources a fair share of the queue
    type Facts = SourceGroup;

    async fn retrieve(&self, permit: &Permit<Anyone>, _: &ObjectIds) -> Retrieved<SourceGroup> {
        Ok(SourceGroup::of(permit.source()))
    }

    // 3b. Authorization: any client may report objects
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<SourceGroup> = Conditions::Untagged;

    // 7. Business rules: the callback's time counts, not that of the look-up
    type Outcome = CallbackReceived;

    fn decide(
        moment: &Moment,
        _: &Anyone,
        object_ids: &ObjectIds,
        source: SourceGroup,
    ) -> Result<CallbackReceived, DomainError> {
        Ok(CallbackReceived {
            object_ids: object_ids.clone(),
            received_at: moment.now(),
            source: Some(source),
        })
    }

    // 8. Side effects: before the response, all ids are in the queue or none is
    fn effects(callback: &CallbackReceived) -> Effects {
        Effects::enqueue_instead_of_commit(callback.message())
    }

    // 9. Response
    type Reply = reply::Accepted<CallbackView>;

    fn reply(callback: CallbackReceived) -> reply::Accepted<CallbackView> {
        reply::Accepted::of(CallbackView { accepted: callback.object_ids.as_slice().len() })
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::read;
    use lifecycle::testing::{self, Memory, Request};
    use serde_json::json;

    use super::*;

    #[test]
    fn repeated_ids_are_looked_up_once() {
        let draft: CallbackDraft = read(json!({ "object_ids": [5, -1, 5, 7] }));
        let object_ids = ObjectIds::try_from(draft).unwrap();
        assert_eq!(PostCallback::cost(&object_ids), 3);
    }

    #[tokio::test]
    async fn a_callback_is_202_and_one_message_in_the_group_of_its_source() {
        let memory = Memory::new();
        let post_callback = testing::endpoint(PostCallback, &memory);
        let request = Request::new().json(&json!({ "object_ids": [5, -1, 5, 7] }));
        let answer = post_callback.ask(&request).await;
        assert_eq!(answer.status, 202);
        assert_eq!(answer.json()["data"]["accepted"], 3);
        let [message] = memory.messages().try_into().unwrap();
        let source = SourceGroup::of("192.0.2.1");
        assert_eq!((message.queue, message.group.as_deref()), (CALLBACKS, Some(source.as_str())));
        let envelope = message.envelope;
        let data = json!({
            "objectIds": [5, -1, 7], "receivedAt": envelope.occurred_at, "source": source,
        });
        assert_eq!(envelope.data, data);
        assert!(memory.commits().is_empty(), "the message is sent in place of a commit");
    }
}
