//! The calls of the ports on AWS, as [`Linked`] needs them.

use async_trait::async_trait;
use futures::future::BoxFuture;
use lifecycle::ServiceError;
use lifecycle::effects::{Mail, QueueName};
use lifecycle::ports::{
    CommitError, Count, Counter, DeadLetter, Outgoing, Transaction, VisibilityChange,
};

use crate::Aws;
use crate::linked::{Linked, MailCalls, QueueCalls};

/// All calls: for programs that are no functions, and for tests.
pub(crate) const ALL: Linked<Aws> =
    Linked { commit: Some(commit), count: Some(count), queues: Some(&Sqs), mail: Some(&Ses) };

/// The calls of an authorizer: it may count, but it commits and sends nothing.
pub(crate) const OF_AUTHORIZER: Linked<Aws> =
    Linked { commit: None, count: Some(count), queues: None, mail: None };

fn commit<'a>(
    aws: &'a Aws,
    transaction: &'a Transaction,
) -> BoxFuture<'a, Result<(), CommitError>> {
    Box::pin(aws.commit_transaction(transaction))
}

fn count<'a>(aws: &'a Aws, counter: &'a Counter) -> BoxFuture<'a, Result<Count, ServiceError>> {
    Box::pin(aws.add_to_counter(counter))
}

struct Sqs;

#[async_trait]
impl QueueCalls<Aws> for Sqs {
    fn connect(&self, aws: &Aws) {
        aws.sqs();
    }

    async fn send(&self, aws: &Aws, messages: &[Outgoing]) -> Vec<(usize, ServiceError)> {
        aws.send_messages(messages).await
    }

    async fn change_visibility(
        &self,
        aws: &Aws,
        queue: QueueName,
        hidden: &[VisibilityChange],
    ) -> Result<(), ServiceError> {
        aws.hide_messages(queue, hidden).await
    }

    async fn dead_letter(&self, aws: &Aws, letter: &DeadLetter) -> Result<(), ServiceError> {
        aws.bury_message(letter).await
    }
}

struct Ses;

#[async_trait]
impl MailCalls<Aws> for Ses {
    #[cfg(feature = "mail")]
    fn connect(&self, aws: &Aws) {
        aws.ses();
    }

    #[cfg(not(feature = "mail"))]
    fn connect(&self, _: &Aws) {}

    #[cfg(feature = "mail")]
    async fn mail(&self, aws: &Aws, mail: &Mail) -> Result<(), ServiceError> {
        aws.send_mail(mail).await
    }

    /// No function that declares mail starts without the feature.
    #[cfg(not(feature = "mail"))]
    async fn mail(&self, _: &Aws, _: &Mail) -> Result<(), ServiceError> {
        Err(ServiceError::internal("the feature `mail` of the crate `aws` is off"))
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::resource::{Action, Needs, Resource};

    use super::*;
    use crate::tests::stores::{EMAILS, PRODUCTS};

    fn of(resources: &[Resource]) -> [bool; 4] {
        let linked = ALL.only(Needs::of(resources));
        [
            linked.commit().is_ok(),
            linked.count().is_ok(),
            linked.queues().is_ok(),
            linked.mail().is_ok(),
        ]
    }

    #[test]
    fn only_the_calls_of_declared_resources_are_linked() {
        assert_eq!(of(&[]), [false; 4]);
        let update = Resource::Table(PRODUCTS, &[Action::UpdateItem]);
        assert_eq!(of(&[update]), [true, true, false, false]);
        assert_eq!(of(&[Resource::Queue(EMAILS)]), [false, false, true, false]);
        assert_eq!(of(&[Resource::Mail]), [false, false, false, true]);
    }

    #[test]
    fn a_call_that_is_not_linked_is_an_error_with_its_reason() {
        let error = ALL.only(Needs::of(&[])).queues().err().expect("nothing is linked");
        let ServiceError::Internal(source) = error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "the function declares no queue, so its code is not linked");
    }
}
