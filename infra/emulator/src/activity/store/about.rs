//! Later effects of a request: a schedule sends a message about what the request began, such as the
//! time-out of an order.

use super::Store;
use crate::activity::limits::{ABOUT_MAX, LATER_MAX};
use crate::activity::record::Root;

impl Store {
    /// Remembers the request of a message about an aggregate. To a message that no request caused,
    /// it adds the latest request whose messages were about the same aggregate.
    pub(in crate::activity) fn join_request_about(
        &mut self,
        aggregate: &str,
        sent_by: Option<u64>,
        roots: &mut Vec<Root>,
    ) {
        if let [Root::Request(request)] = roots[..] {
            self.remember_about(aggregate, request);
        }
        if roots.iter().any(|root| matches!(root, Root::Request(_))) {
            return;
        }
        let Some(number) = self.about.get(aggregate).copied() else { return };
        let Some(request) = self.requests.get_mut(&number) else {
            self.about.remove(aggregate);
            return;
        };
        if let Some(sender) = sent_by
            && !request.later.contains(&sender)
        {
            if request.later.len() >= LATER_MAX {
                return;
            }
            request.later.push(sender);
        }
        roots.insert(0, Root::Request(number));
    }

    fn remember_about(&mut self, aggregate: &str, request: u64) {
        if self.about.len() >= ABOUT_MAX && !self.about.contains_key(aggregate) {
            let requests = &self.requests;
            self.about.retain(|_, request| requests.contains_key(request));
            if self.about.len() >= ABOUT_MAX {
                self.about.clear();
            }
        }
        self.about.insert(aggregate.to_owned(), request);
    }
}
