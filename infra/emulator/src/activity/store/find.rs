//! Finding records, for views.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::Store;
use crate::activity::build::key_of_plain;
use crate::activity::cause::Cause;
use crate::activity::record::{Invocation, RequestRecord, Root, ms};
use crate::activity::snapshot::{RequestSnapshot, RunningRequest, WriteSnapshot};
use crate::activity::view::{MessageOrigin, OriginalRequest, Pair, Sample};

impl Store {
    pub(in crate::activity) fn snapshot_of_request(&self, id: &str) -> Option<RequestSnapshot> {
        let request = self.requests.get(self.by_request.get(id)?)?.clone();
        let invocation = request.invocation.and_then(|number| self.invocations.get(&number));
        Some(RequestSnapshot { invocation: invocation.cloned(), request })
    }

    /// An invocation, and the id of its journey.
    pub(in crate::activity) fn snapshot_of_invocation(
        &self,
        id: &str,
    ) -> Option<(Invocation, String)> {
        let invocation = self.invocations.get(self.by_invocation.get(id)?)?.clone();
        let journey = invocation.roots.iter().find_map(|root| self.id_of_root(*root));
        let journey = journey.unwrap_or_else(|| invocation.id.to_string());
        Some((invocation, journey))
    }

    pub(in crate::activity) fn origin_of_message(&self, id: &str) -> Option<MessageOrigin> {
        let roots = if let Some(number) = self.by_message.get(id) {
            &self.messages.get(number)?.roots
        } else {
            let (_, number) = self.mails.iter().rev().find(|(mail, _)| mail == id)?;
            &self.invocations.get(number)?.roots
        };
        let requests = roots.iter().filter(|root| matches!(root, Root::Request(_)));
        let request = requests.copied().find_map(|root| self.id_of_root(root));
        let other = || roots.iter().find_map(|root| self.id_of_root(*root));
        let journey = request.clone().or_else(other).unwrap_or_else(|| id.to_owned());
        Some(MessageOrigin { request, journey })
    }

    pub(in crate::activity) fn original(&self, id: &str) -> Option<OriginalRequest> {
        let request = self.requests.get(self.by_request.get(id)?)?;
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| -> Pair {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        (!request.dropped).then(|| OriginalRequest {
            api: request.api.clone(),
            method: request.method.clone(),
            path: request.target.clone(),
            headers: request.headers.iter().map(header).collect(),
            body: request.body.clone(),
        })
    }

    pub(in crate::activity) fn samples(&self, since: Timestamp) -> Vec<Sample> {
        let sample = |request: &RequestRecord| {
            let (status, took) = (request.status?, request.took?);
            let at = request.at + took;
            (at >= since).then(|| Sample {
                at,
                route: request.route.clone(),
                status,
                took_ms: ms(took),
                cold_start: request.cold_start,
            })
        };
        let mut samples: Vec<Sample> = self.requests.values().filter_map(sample).collect();
        samples.sort_by_key(|sample| sample.at);
        samples
    }

    pub(in crate::activity) fn running_request(&self, environment: &str) -> Option<RunningRequest> {
        let place = self.environments.get(environment)?;
        let invocation = self.invocations.get(place.running.last()?)?;
        let Cause::Request(id) = &invocation.cause else { return None };
        let request = self.requests.get(self.by_request.get(id)?)?;
        Some(RunningRequest {
            id: id.to_string(),
            route: request.route.clone(),
            invocation: invocation.id.to_string(),
        })
    }

    /// The writes to an item, oldest first.
    pub(in crate::activity) fn writes_to(&self, table: &str, key: &Value) -> Vec<WriteSnapshot> {
        let Some(members) = key.as_object() else { return Vec::new() };
        let entries = self.writes.get(&(table.to_owned(), key_of_plain(members)));
        let snapshot = |entry: &super::WriteEntry| {
            let invocation = self.invocations.get(&entry.write.invocation)?;
            let requests = invocation.roots.iter().filter(|it| matches!(it, Root::Request(_)));
            Some(WriteSnapshot {
                invocation: Arc::clone(&invocation.id),
                function: Arc::clone(&invocation.function),
                request: requests.copied().find_map(|root| self.id_of_root(root)),
                call: invocation.calls.get(entry.write.call)?.clone(),
                place: entry.write.place,
                has_ended: invocation.answered.is_some(),
            })
        };
        entries.into_iter().flatten().filter_map(snapshot).collect()
    }

    /// The id of the request or the invocation where effects began, if it is in memory.
    pub(in crate::activity) fn id_of_root(&self, root: Root) -> Option<String> {
        let id = match root {
            Root::Request(number) => &self.requests.get(&number)?.id,
            Root::Invocation(number) => &self.invocations.get(&number)?.id,
        };
        Some(id.to_string())
    }
}
