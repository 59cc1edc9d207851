//! The console's addresses about the platform: its map, tables, queues, mails, schedules, stand-ins,
//! caches, and the one-shot fault. The types of their JSON are in the files of the handlers. Every
//! text passes the [`redaction`](crate::activity::redaction).

mod caches;
mod mails;
mod map;
mod next_fault;
mod queues;
mod schedules;
mod standins;
mod tables;
#[cfg(test)]
mod tests;
mod work;

use axum::Router;
use axum::routing::{get, post};

use crate::control::Control;

/// The addresses, all below `/activity`.
pub(crate) fn routes() -> Router<Control> {
    Router::new()
        .route("/activity/map", get(map::get))
        .route("/activity/tables", get(tables::list))
        .route("/activity/tables/{table}/items", get(tables::items))
        .route("/activity/tables/{table}/history", get(tables::history))
        .route("/activity/queues", get(queues::list))
        .route("/activity/queues/{queue}/messages", get(queues::messages))
        .route("/activity/queues/{queue}/redrive", post(queues::redrive))
        .route("/activity/mails", get(mails::list))
        .route("/activity/schedules", get(schedules::list))
        .route("/activity/standins", get(standins::list))
        .route("/activity/caches", get(caches::list))
        .route(
            "/activity/next-fault",
            get(next_fault::get).put(next_fault::put).delete(next_fault::delete),
        )
}
