//! The picture of a request's way and of its effects.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::detail::cause;
use super::nodes::{Times, invocation_node, last_error, request_node, state_of_call, written_item};
use crate::activity::cause::Cause;
use crate::activity::record::{
    CallRecord, DeliveryRecord, Invocation, MessageRecord, RequestRecord, UpstreamRecord, ms,
};
use crate::activity::redaction::Redaction;
use crate::activity::snapshot::{Begin, RowOnWay, Way};
use crate::activity::view::{Delivery, Journey, JourneyEdge, JourneyNode, NodeKind, NodeState};

/// The picture at a time.
pub(in crate::activity) fn journey(way: &Way, redaction: &Redaction, now: Timestamp) -> Journey {
    let by_number = way.invocations.iter().map(|invocation| (invocation.number, invocation));
    let mut picture = Picture {
        way,
        redaction,
        now,
        invocations: by_number.collect(),
        journey: Journey { truncated: way.truncated, ..Journey::default() },
    };
    if let Begin::Request(request) = &way.begin {
        picture.request(request);
    }
    for invocation in &way.invocations {
        picture.invocation(invocation);
    }
    for row in &way.rows {
        picture.row(row);
    }
    for message in &way.messages {
        picture.message(message);
    }
    for upstream in &way.upstreams {
        picture.upstream(upstream);
    }
    let mut journey = picture.journey;
    journey.at_rest =
        journey.nodes.iter().all(|node| matches!(node.state, NodeState::Done | NodeState::Failed));
    journey
}

struct Picture<'a> {
    way: &'a Way,
    redaction: &'a Redaction,
    now: Timestamp,
    invocations: HashMap<u64, &'a Invocation>,
    journey: Journey,
}

impl<'a> Picture<'a> {
    fn node(&mut self, node: JourneyNode) {
        self.journey.nodes.push(node);
    }

    fn edge(&mut self, from: &str, to: &str, label: &str) {
        let edge =
            JourneyEdge { from: from.to_owned(), to: to.to_owned(), label: label.to_owned() };
        if !self.journey.edges.contains(&edge) {
            self.journey.edges.push(edge);
        }
    }

    fn undoes(&self, name: &str) -> bool {
        self.way.compensations.contains(name)
    }

    fn request(&mut self, request: &RequestRecord) {
        let id = request.id.to_string();
        let title = request.route.clone().unwrap_or_else(|| {
            let path = request.target.split('?').next().unwrap_or_default();
            format!("{} {}", request.method, self.redaction.path(path))
        });
        let ended_at = request.took.map(|took| request.at + took);
        let state = match request.status {
            None => NodeState::Working,
            Some(status) if status >= 500 => NodeState::Failed,
            Some(_) => NodeState::Done,
        };
        let error = request.code.as_deref().map(|code| self.redaction.text(code));
        self.journey.id = Some(id.clone());
        self.node(JourneyNode {
            subtitle: request.status.map(|status| format!("status {status}")),
            state,
            started_at: Some(request.at),
            ended_at,
            worked_ms: request.took.map(ms),
            error,
            link: Some(id.clone()),
            ..JourneyNode::new(request_node(&id), NodeKind::Request, title, request.at)
        });
    }

    fn invocation(&mut self, invocation: &Invocation) {
        let id = invocation_node(invocation);
        let kind = match invocation.cause {
            Cause::Authorizer(_) => NodeKind::Authorizer,
            _ => NodeKind::Invocation,
        };
        let state = match (invocation.taken, invocation.answered, &invocation.error) {
            (_, Some(_), Some(_)) => NodeState::Failed,
            (_, Some(_), None) if invocation.works_after_its_response() => NodeState::Working,
            (_, Some(_), None) => NodeState::Done,
            (Some(_), None, _) => NodeState::Working,
            (None, None, _) => NodeState::Waiting,
        };
        let ended = invocation.answered;
        self.node(JourneyNode {
            subtitle: Some(cause(invocation)),
            state,
            started_at: invocation.taken.map(|taken| invocation.time_of(taken)),
            ended_at: ended.map(|ended| invocation.time_of(ended)),
            waited_ms: invocation
                .taken
                .map(|it| ms(it.saturating_duration_since(invocation.queued))),
            worked_ms: invocation
                .taken
                .zip(ended)
                .map(|(from, to)| ms(to.saturating_duration_since(from))),
            compensates: self.undoes(&invocation.function),
            error: invocation.error.as_deref().map(|error| self.redaction.text(error)),
            link: Some(invocation.id.to_string()),
            ..JourneyNode::new(
                id.clone(),
                kind,
                invocation.function.to_string(),
                invocation.queued_at,
            )
        });
        match &invocation.cause {
            Cause::Request(request) | Cause::Authorizer(request) => {
                self.edge(&request_node(request), &id, "called");
            }
            Cause::Schedule(name) | Cause::Rotation(name) => {
                let schedule = format!("schedule:{}", invocation.id);
                let at = invocation.queued_at;
                let ended_at = Some(at);
                let title = name.clone();
                self.node(JourneyNode {
                    state: NodeState::Done,
                    ended_at,
                    ..JourneyNode::new(schedule.clone(), NodeKind::Schedule, title, at)
                });
                self.edge(&schedule, &id, "called");
            }
            _ => {}
        }
        let mails = invocation.calls.iter().enumerate();
        for (place, call) in mails.filter(|(_, call)| call.operation == "SendEmail") {
            if !self.way.foreign.contains(&(invocation.number, place)) {
                self.mail(&id, invocation, place, call);
            }
        }
    }

    fn mail(&mut self, from: &str, invocation: &Invocation, place: usize, call: &CallRecord) {
        let input: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let subject = &input["Content"]["Simple"]["Subject"]["Data"];
        let to = &input["Destination"]["ToAddresses"][0];
        let id = format!("mail:{}:{place}", invocation.id);
        let ended_at =
            call.ended.map(|ended| call.at + ended.saturating_duration_since(call.began));
        self.node(JourneyNode {
            subtitle: to.as_str().map(|to| self.redaction.text(to)),
            state: state_of_call(call),
            started_at: Some(call.at),
            ended_at,
            worked_ms: call.ended.map(|it| ms(it.saturating_duration_since(call.began))),
            error: super::calls::error(call).map(|error| self.redaction.text(&error)),
            link: Some(invocation.id.to_string()),
            ..JourneyNode::new(
                id.clone(),
                NodeKind::Mail,
                self.redaction.text(subject.as_str().unwrap_or("mail")),
                call.at,
            )
        });
        self.edge(from, &id, "mailed");
    }

    /// A change that the readers of a stream get. One that all of them filter is left out.
    fn row(&mut self, row: &RowOnWay) {
        let states = row.record.iter().flat_map(|record| record.readers.values());
        let states: Vec<_> = states.collect();
        let all_filtered =
            states.len() >= row.readers && states.iter().all(|state| state.is_filtered);
        let writer = row.write.and_then(|write| {
            let invocation = *self.invocations.get(&write.invocation)?;
            Some((invocation, invocation.calls.get(write.call)?, write))
        });
        let item = writer.and_then(|(_, call, write)| written_item(call, write.place));
        let event = item.as_ref().and_then(|item| item["eventType"].as_str()).map(str::to_owned);
        // Without a record, only an event is known to be waited for: other changes may be filtered.
        if all_filtered || states.is_empty() && event.is_none() {
            return;
        }
        let id = match (&row.write, &writer, &row.record) {
            (Some(write), Some((invocation, ..)), _) => {
                format!("row:{}:{}:{}", invocation.id, write.call, write.place)
            }
            (.., Some(record)) => format!("row:{}:{}", row.table, record.sequence),
            _ => format!("row:{}:{}", row.table, row.key),
        };
        let deliveries = states.iter().flat_map(|state| &state.deliveries);
        let deliveries: Vec<&DeliveryRecord> = deliveries.collect();
        let gave_up = states.iter().find_map(|state| state.gave_up.clone());
        let is_done = states.len() >= row.readers && states.iter().all(|state| state.is_done);
        let retries = states.iter().any(|state| {
            !state.is_done && state.deliveries.last().is_some_and(|it| it.succeeded == Some(false))
        });
        let state = if gave_up.is_some() {
            NodeState::Failed
        } else if is_done {
            NodeState::Done
        } else if deliveries.iter().any(|delivery| delivery.succeeded.is_none()) {
            NodeState::Working
        } else if retries {
            NodeState::Retrying
        } else {
            NodeState::Waiting
        };
        let at = match (&writer, &row.record) {
            (Some((_, call, _)), _) => {
                call.ended.map_or(call.at, |it| call.at + it.saturating_duration_since(call.began))
            }
            (None, Some(record)) => Timestamp::from_second(record.created_s).unwrap_or(self.now),
            (None, None) => self.now,
        };
        let title = event.clone().unwrap_or_else(|| row.table.clone());
        let next_try_at = states.iter().filter_map(|state| state.next_try_at).min();
        let times = Times::of(at, None, &deliveries, &self.invocations);
        let ended_at = matches!(state, NodeState::Done | NodeState::Failed)
            .then(|| deliveries.iter().filter_map(|delivery| delivery.ended_at).max())
            .flatten();
        self.node(JourneyNode {
            subtitle: Some(self.redaction.text(&row.key)),
            state,
            started_at: times.started_at,
            ended_at,
            waited_ms: times.waited_ms,
            worked_ms: times.worked_ms,
            deliveries: self.deliveries(&deliveries),
            next_try_at,
            compensates: event.as_deref().is_some_and(|event| self.undoes(event)),
            error: gave_up.or_else(|| last_error(&deliveries)).map(|it| self.redaction.text(&it)),
            link: writer.map(|(invocation, ..)| invocation.id.to_string()),
            ..JourneyNode::new(id.clone(), NodeKind::Row, title, at)
        });
        if let Some((invocation, ..)) = writer {
            self.edge(&invocation_node(invocation), &id, "wrote");
        }
        self.delivered(&id, &deliveries);
    }

    fn message(&mut self, message: &MessageRecord) {
        let id = format!("message:{}", message.id);
        let deliveries: Vec<&DeliveryRecord> = message.deliveries.iter().collect();
        let last = deliveries.last();
        let is_visible = message.visible_at.is_none_or(|visible_at| visible_at <= self.now);
        let is_dead = message.dead_letter_queue.is_some() && is_visible;
        let is_letter = self.way.dead_letter_queues.contains(&message.queue);
        let state = match last {
            _ if message.deleted_at.is_some() => NodeState::Done,
            _ if is_dead || is_letter => NodeState::Failed,
            None => NodeState::Waiting,
            Some(delivery) if delivery.succeeded == Some(false) => NodeState::Retrying,
            Some(_) => NodeState::Working,
        };
        let first_at = message.visible_at.filter(|_| deliveries.is_empty());
        let next_try_at = match state {
            NodeState::Retrying => message.visible_at,
            NodeState::Waiting => message.visible_at.filter(|at| *at > self.now),
            _ => None,
        };
        let times = Times::of(message.sent_at, first_at, &deliveries, &self.invocations);
        let event = message.event_type.as_deref().map(|event| self.redaction.text(event));
        let kind = if is_letter { NodeKind::DeadLetter } else { NodeKind::Message };
        let subtitle = event.clone().unwrap_or_else(|| message.id.to_string());
        let sender = message.sent_by.and_then(|number| self.invocations.get(&number).copied());
        let error = last_error(&deliveries).filter(|_| state != NodeState::Done);
        self.node(JourneyNode {
            subtitle: Some(subtitle),
            state,
            started_at: times.started_at,
            ended_at: message.deleted_at.or(message.visible_at.filter(|_| is_dead)),
            waited_ms: times.waited_ms,
            worked_ms: times.worked_ms,
            deliveries: self.deliveries(&deliveries),
            next_try_at,
            compensates: event.as_deref().is_some_and(|event| self.undoes(event)),
            error: error.map(|error| self.redaction.text(&error)),
            link: sender.map(|sender| sender.id.to_string()),
            ..JourneyNode::new(id.clone(), kind, message.queue.clone(), message.sent_at)
        });
        if let Some(sender) = sender {
            let label = if is_letter { "moved" } else { "sent" };
            self.edge(&invocation_node(sender), &id, label);
        }
        self.delivered(&id, &deliveries);
        if let Some(queue) = message.dead_letter_queue.as_ref().filter(|_| is_dead) {
            let letter = format!("dead:{}", message.id);
            let at = message.visible_at.unwrap_or(message.sent_at);
            self.node(JourneyNode {
                subtitle: event,
                state: NodeState::Failed,
                error: last_error(&deliveries).map(|error| self.redaction.text(&error)),
                ..JourneyNode::new(letter.clone(), NodeKind::DeadLetter, queue.clone(), at)
            });
            self.edge(&id, &letter, "moved");
        }
    }

    /// A request to a stand-in: of the invocation that ran at its time.
    fn upstream(&mut self, upstream: &UpstreamRecord) {
        let id = format!("upstream:{}", upstream.number);
        let runs_at = |invocation: &&Invocation| {
            let ended = invocation.freed.or(invocation.answered);
            let from = invocation.taken.map(|taken| invocation.time_of(taken));
            from.is_some_and(|from| from <= upstream.at)
                && ended.is_none_or(|ended| invocation.time_of(ended) >= upstream.at)
        };
        let calling = self.way.invocations.iter().rev().find(runs_at).map(invocation_node);
        let state = match (upstream.took, upstream.status) {
            (None, _) => NodeState::Working,
            (Some(_), Some(status)) if status < 500 => NodeState::Done,
            (Some(_), _) => NodeState::Failed,
        };
        let error = match (upstream.took, upstream.status) {
            (Some(_), None) => Some("the connection was closed".to_owned()),
            (_, Some(status)) if status >= 400 => Some(format!("status {status}")),
            _ => None,
        };
        let path = self.redaction.path(&upstream.path);
        self.node(JourneyNode {
            subtitle: Some(format!("{} {path}", upstream.method)),
            state,
            started_at: Some(upstream.at),
            ended_at: upstream.took.map(|took| upstream.at + took),
            worked_ms: upstream.took.map(ms),
            error,
            ..JourneyNode::new(
                id.clone(),
                NodeKind::Upstream,
                upstream.service.to_owned(),
                upstream.at,
            )
        });
        let from = calling.or_else(|| self.journey.id.as_deref().map(request_node));
        if let Some(from) = from {
            self.edge(&from, &id, "called");
        }
    }

    fn deliveries(&self, deliveries: &[&DeliveryRecord]) -> Vec<Delivery> {
        let shown = deliveries.iter().map(|delivery| Delivery {
            at: delivery.at,
            invocation: self.invoked(delivery).map(|it| it.id.to_string()),
            succeeded: delivery.succeeded,
            error: delivery.error.as_deref().map(|error| self.redaction.text(error)),
        });
        shown.collect()
    }

    fn delivered(&mut self, from: &str, deliveries: &[&DeliveryRecord]) {
        for delivery in deliveries {
            if let Some(invocation) = self.invoked(delivery) {
                let to = invocation_node(invocation);
                self.edge(from, &to, "delivered");
            }
        }
    }

    fn invoked(&self, delivery: &DeliveryRecord) -> Option<&'a Invocation> {
        self.invocations.get(&delivery.invocation?).copied()
    }
}
