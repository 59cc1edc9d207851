//! The resources of a template and their connections.

use std::collections::{BTreeMap, BTreeSet};

use sam_template::{Api, EventSource, Function, Route, Template, TemplateValue, Trigger};

use super::permissions::{self, Access};
use super::view::{EdgeView, MAIL, NodeKind, id};
use crate::services::Names;

/// The resources by kind and title, and their connections, without repetitions.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: BTreeSet<(NodeKind, String)>,
    pub(super) edges: BTreeSet<EdgeView>,
}

impl Graph {
    /// The graph of a template whose resources have these names, and of stand-ins by name and
    /// address.
    pub(super) fn of(template: &Template, names: &Names, standins: &[(&str, &str)]) -> Self {
        let mut graph = Self::default();
        template.apis.iter().for_each(|api| graph.add_api(api));
        for table in template.tables.values() {
            graph.add(NodeKind::Table, &table.logical_id);
            if table.stream.is_some() {
                graph.add(NodeKind::Stream, &table.logical_id);
                let (table, stream) = both(&table.logical_id, NodeKind::Table, NodeKind::Stream);
                graph.connect(table, stream, "changes");
            }
        }
        for queue in template.queues.values() {
            graph.add(NodeKind::Queue, &queue.logical_id);
            if let Some(redrive) = &queue.redrive {
                let to = id(NodeKind::Queue, &redrive.dead_letter_queue);
                let label = format!("dead letters, maxReceiveCount {}", redrive.max_receive_count);
                graph.connect(id(NodeKind::Queue, &queue.logical_id), to, &label);
            }
        }
        template.secrets.keys().for_each(|secret| graph.add(NodeKind::Secret, secret));
        for function in template.functions.values() {
            graph.add(NodeKind::Function, &function.logical_id);
            graph.add_permissions(function, template, names);
            graph.add_standins(function, standins);
        }
        for source in &template.event_sources {
            graph.add_source(source);
        }
        for (name, _) in standins {
            graph.add(NodeKind::Standin, name);
        }
        if template.mail_from.is_some() {
            graph.add(NodeKind::Mail, MAIL);
        }
        for queue in template.event_rules.iter().flat_map(|rule| &rule.queues) {
            graph.add(NodeKind::Mail, MAIL);
            graph.connect(id(NodeKind::Mail, MAIL), id(NodeKind::Queue, queue), "mail events");
        }
        graph
    }

    fn add_api(&mut self, api: &Api) {
        self.add(NodeKind::Api, &api.logical_id);
        let from = || id(NodeKind::Api, &api.logical_id);
        let mut routes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for Route { method, path, function, .. } in &api.routes {
            routes.entry(function).or_default().push(format!("{method} {path}"));
        }
        for (function, routes) in routes {
            self.connect(from(), id(NodeKind::Function, function), &routes.join(", "));
        }
        for authorizer in api.authorizers.values() {
            self.connect(from(), id(NodeKind::Function, &authorizer.function), "authorizes by");
        }
    }

    /// The tables, queues and secrets that a function may use, and mail.
    fn add_permissions(&mut self, function: &Function, template: &Template, names: &Names) {
        let from = || id(NodeKind::Function, &function.logical_id);
        let granted = permissions::of(function, template, names);
        for ((kind, title), accesses) in granted {
            let words: Vec<&str> = accesses.into_iter().map(Access::word).collect();
            self.add(kind, &title);
            self.connect(from(), id(kind, &title), &words.join(" and "));
        }
    }

    /// The stand-ins whose address a function has in its environment.
    fn add_standins(&mut self, function: &Function, standins: &[(&str, &str)]) {
        let values: Vec<String> = function.environment.values().map(TemplateValue::words).collect();
        for (name, url) in standins {
            if values.iter().any(|value| is_at(value, url)) {
                let from = id(NodeKind::Function, &function.logical_id);
                self.connect(from, id(NodeKind::Standin, name), "calls");
            }
        }
    }

    fn add_source(&mut self, source: &EventSource) {
        let to = || id(NodeKind::Function, &source.function);
        match &source.trigger {
            Trigger::Queue(trigger) => {
                self.connect(id(NodeKind::Queue, &trigger.queue), to(), "delivers");
            }
            Trigger::Stream(trigger) => {
                self.connect(id(NodeKind::Stream, &trigger.table), to(), "delivers");
                if let Some(queue) = &trigger.on_failure_queue {
                    let from = id(NodeKind::Stream, &trigger.table);
                    self.connect(from, id(NodeKind::Queue, queue), "batches given up");
                }
            }
            Trigger::Schedule(trigger) => {
                let name = format!("{}.{}", source.function, source.name);
                self.add(NodeKind::Schedule, &name);
                self.connect(id(NodeKind::Schedule, &name), to(), &trigger.expression);
            }
            Trigger::Rotation(trigger) => {
                let label = format!("rotated by, {}", trigger.expression);
                self.connect(id(NodeKind::Secret, &trigger.secret), to(), &label);
            }
        }
    }

    fn add(&mut self, kind: NodeKind, title: &str) {
        self.nodes.insert((kind, title.to_owned()));
    }

    fn connect(&mut self, from: String, to: String, label: &str) {
        self.edges.insert(EdgeView { from, to, label: label.to_owned() });
    }
}

/// Whether a text has this address, and not one whose port begins like it.
fn is_at(text: &str, url: &str) -> bool {
    text.split(url).skip(1).any(|rest| !rest.starts_with(|it: char| it.is_ascii_digit()))
}

/// The ids of two nodes with one title.
fn both(title: &str, one: NodeKind, other: NodeKind) -> (String, String) {
    (id(one, title), id(other, title))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Stores;

    #[tokio::test]
    async fn the_graph_has_routes_sources_permissions_and_dead_letters() {
        let source = format!(
            "{}{}",
            include_str!("../../../services/tests/template.yaml"),
            "      Environment: {Variables: {PARTNER_URL: \"http://127.0.0.1:4100/v1\"}}
      Events:
        Place: {Type: HttpApi, Properties: {Path: /orders, Method: post}}
        Show: {Type: HttpApi, Properties: {Path: \"/orders/{orderId}\", Method: get}}
        Emails: {Type: SQS, Properties: {Queue: !GetAtt LedgersQueue.Arn}}
        Each: {Type: Schedule, Properties: {Schedule: rate(5 minutes)}}
"
        );
        let template = Template::parse(&source, &BTreeMap::new()).unwrap();
        let stores = Stores::start(&template, None).await.unwrap();

        let standins = [("partner", "http://127.0.0.1:4100"), ("other", "http://127.0.0.1:410")];
        let graph = Graph::of(&template, stores.names(), &standins);

        let labels = |from: &str, to: &str| {
            let found = graph.edges.iter().filter(|edge| edge.from == from && edge.to == to);
            found.map(|edge| edge.label.as_str()).collect::<Vec<_>>()
        };
        let order = "function/OrderFunction";
        let user = "function/GetUserFunction";
        for (from, to, expected) in [
            ("api/ServerlessHttpApi", order, "POST /orders, GET /orders/{orderId}"),
            (user, "table/UsersTable", "reads and writes"),
            (user, "table/OrdersTable", "reads"),
            (order, "table/OrdersTable", "reads and writes"),
            (user, "queue/NewsQueue", "sends"),
            (order, "queue/EmailsQueue", "sends"),
            (user, "secret/SigningKeysSecret", "reads"),
            (user, "mail/mail", "sends"),
            ("table/OutboxTable", "stream/OutboxTable", "changes"),
            ("queue/EmailsQueue", "queue/EmailsDeadLetterQueue", "dead letters, maxReceiveCount 1"),
            ("queue/LedgersQueue", order, "delivers"),
            ("schedule/OrderFunction.Each", order, "rate(5 minutes)"),
            ("mail/mail", "queue/MailEventsQueue", "mail events"),
            (order, "standin/partner", "calls"),
        ] {
            assert_eq!(labels(from, to), [expected], "{from} {to}");
        }
        for (from, to) in [
            (user, "table/OutboxTable"),
            (order, "queue/LedgersQueue"),
            (order, "standin/other"),
            ("function/IdleFunction", "table/UsersTable"),
        ] {
            assert!(labels(from, to).is_empty(), "{from} {to}");
        }
        let ids: BTreeSet<String> =
            graph.nodes.iter().map(|(kind, title)| id(*kind, title)).collect();
        for edge in &graph.edges {
            assert!(ids.contains(&edge.from) && ids.contains(&edge.to), "{edge:?}");
        }
        assert!(ids.contains("function/IdleFunction") && ids.contains("standin/other"));
    }
}
