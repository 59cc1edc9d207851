//! `/activity/map`: the resources of the template, how they are connected, and their live counts.

mod graph;
mod permissions;
mod view;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use self::graph::Graph;
use self::view::{Counts, EdgeView, MAIL, NodeKind, NodeView, id};
use super::work::blocking;
use crate::control::{Control, ControlError};
use crate::functions::EnvironmentState;

/// The map.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MapView {
    nodes: Vec<NodeView>,
    edges: Vec<EdgeView>,
}

/// `GET /activity/map`
pub(super) async fn get(State(control): State<Control>) -> Result<Json<MapView>, ControlError> {
    let names = control.standins.names();
    let standins: Vec<(&str, &str)> =
        names.filter_map(|name| Some((name, control.standins.url(name)?))).collect();
    let graph = Graph::of(&control.template, control.stores.names(), &standins);
    let counts = counts(&control).await?;
    let node = |(kind, title): (NodeKind, String)| {
        let id = id(kind, &title);
        let counts = counts.get(&id).cloned().unwrap_or_default();
        NodeView { id, kind, title, counts }
    };
    let nodes = graph.nodes.into_iter().map(node).collect();
    Ok(Json(MapView { nodes, edges: graph.edges.into_iter().collect() }))
}

/// The counts of all nodes, by their ids.
async fn counts(control: &Control) -> Result<BTreeMap<String, Counts>, ControlError> {
    let stores = control.stores.clone();
    let items = blocking(move || stores.item_counts()).await??;
    let mut all: BTreeMap<String, Counts> = BTreeMap::new();
    let mut add = |kind: NodeKind, title: &str, counts: Counts| {
        all.insert(id(kind, title), counts);
    };
    for (table, items) in items {
        add(NodeKind::Table, &table, Counts::from([("items", items)]));
    }
    let queues = control.stores.queues().await?;
    for queue in &queues {
        let dead = queues.iter().find(|it| queue.dead_letter_queue.as_ref() == Some(&it.queue));
        let dead = dead.map(|dead| ("dead", dead.visible + dead.in_flight + dead.delayed));
        let own =
            [("waiting", queue.visible), ("inFlight", queue.in_flight), ("delayed", queue.delayed)];
        add(NodeKind::Queue, &queue.queue, own.into_iter().chain(dead).collect());
    }
    let reports = control.functions.reports();
    for (function, counts) in control.functions.counts() {
        let report = reports.get(&function);
        let environments = report.map_or(&[][..], |report| report.environments.as_slice());
        let running = environments.iter().filter(|it| it.state == EnvironmentState::Running);
        let counts = [
            ("invocations", counts.invocations),
            ("errors", counts.errors),
            ("throttles", counts.throttles),
            ("coldStarts", counts.cold_starts),
            ("running", count(running.count())),
            ("waiting", count(report.map_or(0, |report| report.waiting))),
            ("environments", count(environments.len())),
        ];
        add(NodeKind::Function, &function, counts.into());
    }
    for schedule in control.schedules.reports() {
        let counts = [("runs", schedule.count), ("running", schedule.running.into())];
        add(NodeKind::Schedule, &schedule.name, counts.into());
    }
    for api in &control.template.apis {
        let routes = count(api.routes.len());
        add(NodeKind::Api, &api.logical_id, Counts::from([("routes", routes)]));
    }
    let mails = count(control.stores.mailbox().count());
    add(NodeKind::Mail, MAIL, Counts::from([("mails", mails)]));
    for name in control.standins.names() {
        let report = control.standins.asked(name).unwrap_or_default();
        let requests: u64 = report.counts.values().sum();
        add(NodeKind::Standin, name, Counts::from([("requests", requests)]));
    }
    Ok(all)
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
